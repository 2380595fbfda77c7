"""Processes that end without Close, or with a Close that nobody expects: who learns of it, and who must not suffer."""

import time

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Device, Fetched, begin_to_wait
from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.intervals import TooSlow, with_time_enough
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_contents
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN, name_of

BARRIER = 100
"""So many commands show that something does not happen."""

ENDS = alternating_direction("end", ["exits", "is killed"])
SECONDARIES = alternating_direction("secondaries", [1, 2, 8], ["one secondary", "two secondaries", "eight secondaries"])
HOLDERS = pytest.mark.parametrize("holder", [0, 1], ids=["primary", "secondary"])


def _end(client: Client, end: str) -> None:
    if end == "exits":
        client.leave()
    else:
        client.kill()


# The primary


@SECONDARIES
@vdi_requirement("SEC-14")
def test_the_death_of_the_primary_ends_everything(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    """When the primary dies, server and secondaries get an abort, whatever they wait for."""
    _lose_the_primary(testbed, kind, tuple(range(1, secondaries + 1)), "is killed")


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_of_the_older_form_ends_everything(testbed: Testbed, kind: Kind) -> None:
    """When a primary dies that made its set by Create, server and secondaries by OpenInSecondary get an abort."""
    testbed.need_default_instance()
    _lose_the_primary(testbed, kind, (0, 1, 2), "is killed", older=True)


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_with_a_command_ends_everything(testbed: Testbed, kind: Kind) -> None:
    """When a primary dies that holds a command, server and secondaries get an abort."""
    _lose_the_primary(testbed, kind, (0, 1, 2), "is killed")


@alternating_direction("owners", [(1, 2), (0, 1)], ["without a device", "with a command"])
@vdi_requirement("SEC-16")
def test_the_exit_of_the_primary_ends_everything(testbed: Testbed, kind: Kind, owners: tuple[int, ...]) -> None:
    """When the primary exits without Close, server and secondaries get an abort."""
    _lose_the_primary(testbed, kind, owners, "exits")


def _lose_the_primary(testbed: Testbed, kind: Kind, owners: tuple[int, ...], end: str, older: bool = False) -> None:
    """Let it go while every device has a command outstanding and every secondary waits for more."""
    spectator = max(owners) + 1
    scenario = Scenario(len(owners), owners, secondaries=spectator, buffer_count=2 * len(owners), older=older)
    statement = testbed.statement(kind, scenario)
    left = [one for one in statement.hold_all() if one.device.client is not statement.primary]
    waiting = begin_to_wait(*(command.device for command in left))
    _end(statement.primary, end)
    for command, later in zip(left, waiting, strict=True):
        command.device.await_abort(later)
        statement.answer(command).expect(VD_E_ABORT)
    statement.secondaries[-1].await_abort()
    statement.require_failure()


@alternating_direction("older", [False, True, True, False], ["newer", "older", "older", "newer"])
@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_before_any_device_is_open(testbed: Testbed, kind: Kind, older: bool) -> None:
    """When the primary dies before any device is open, server and secondary get an abort."""
    if older:
        testbed.need_default_instance()
    _lose_an_idle_primary(testbed, kind, "is killed", older)


@vdi_requirement("SEC-16")
def test_the_exit_of_a_primary_before_any_device_is_open(testbed: Testbed, kind: Kind) -> None:
    """When the primary exits before any device is open, server and secondary get an abort."""
    _lose_an_idle_primary(testbed, kind, "exits", older=False)


def _lose_an_idle_primary(testbed: Testbed, kind: Kind, end: str, older: bool) -> None:
    statement = testbed.configured(kind, Scenario(secondaries=1, older=older))
    statement.join_all()
    _end(statement.primary, end)
    statement.secondaries[0].await_abort()
    statement.require_failure()


@vdi_requirement("SEC-14")
def test_the_server_sees_every_command_of_a_dead_primary_aborted(testbed: Testbed) -> None:
    """When the primary dies, the server sees every command end aborted, fetched or not."""
    scripted, tags = _with_commands_everywhere(testbed)
    (waiting,) = begin_to_wait(scripted.devices[1])
    scripted.aborted = True
    scripted.primary.kill()
    scripted.all_aborted(tags)
    scripted.devices[1].await_abort(waiting)


def _with_commands_everywhere(testbed: Testbed) -> tuple[ScriptedSet, list[int]]:
    """Have commands fetched and queued on devices of the primary and of a secondary."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 2)))
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    tags += [scripted.send(code=VDC_FLUSH, device=device) for device in (0, 2)]
    for device in (0, 1):
        scripted.devices[device].next_command()
    return scripted, tags


# The server


@vdi_requirement("SEC-15")
def test_the_death_of_the_server_reaches_every_process(testbed: Testbed) -> None:
    """When the server dies, every process gets an abort, whether it waits, holds a command or does neither."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 2), secondaries=3))
    for device in range(3):
        scripted.send(scripted.allocate(), device=device)
    held = [device.next_command() for device in scripted.devices]
    waiting = begin_to_wait(*scripted.devices)
    scripted.kill()
    for command, later in zip(held, waiting, strict=True):
        command.device.await_abort(later)
        command.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    scripted.secondaries[-1].await_abort()


@pytest.mark.parametrize("owner", [0, 1], ids=["primary", "secondary"])
@vdi_requirement("CMD-22", "SEC-15")
def test_the_death_of_an_idle_server_is_noticed(testbed: Testbed, owner: int) -> None:
    """A GetCommand that waits answers VD_E_ABORT when the server dies, and every process gets an abort."""
    scripted = testbed.scripted(Scenario(owners=(owner,), secondaries=1))
    (waiting,) = begin_to_wait(scripted.device)
    scripted.kill()
    with judging("CMD-22"):
        scripted.device.await_abort(waiting)
    with judging("SEC-15"):
        for client in scripted.clients:
            client.await_abort()


@vdi_requirement("SEC-15")
def test_the_death_of_a_server_before_any_device_is_open(testbed: Testbed) -> None:
    """When the server dies before any device is open, every process gets an abort."""
    scripted = testbed.scripted_created(Scenario(secondaries=1))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR, by="CFG-01")
    scripted.join_all()
    scripted.kill()
    for client in scripted.clients:
        client.await_abort()


@vdi_requirement("SEC-15", "CFG-07")
def test_the_death_of_a_server_that_was_configuring_ends_the_wait(testbed: Testbed) -> None:
    """A GetConfiguration that waits answers VD_E_ABORT when the server dies during configuration."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    waiting = scripted.primary.send_get_configuration()
    scripted.primary.outside_addresses()
    scripted.kill()
    with judging("CFG-07"):
        waiting.result().expect(VD_E_ABORT)
    with judging("SEC-15"):
        scripted.primary.await_abort()


# A secondary that held commands


@vdi_requirement("SEC-17")
def test_an_abort_ends_what_a_dead_secondary_held(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort of the primary ends the statement though a dead secondary held a command."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 0), transfers=BARRIER // 2))
    statement.next_data_command()
    statement.secondaries[0].kill()
    passed = statement.passes(statement.devices[1], BARRIER // 2)
    _record_death(testbed, "a secondary that held a command", passed)
    statement.primary.signal_abort().expect(NOERROR)
    statement.devices[1].await_abort()
    statement.require_failure()


@pytest.mark.vdi_timing
@vdi_requirement("SEC-17")
def test_the_servers_patience_ends_what_a_dead_secondary_held(testbed: Testbed) -> None:
    """The serverTimeOut ends the statement though a dead secondary held a command."""

    def attempt(interval: int) -> None:
        began = time.monotonic()
        try:
            statement = testbed.backup(Scenario(devices=2, owners=(1, 0), server_time_out=interval))
            statement.next_data_command()
        except ConformanceFailure as failure:
            if failure.observed == name_of(VD_E_ABORT) and (time.monotonic() - began) * 1000 >= 2 * interval:
                raise TooSlow from failure
            raise
        statement.secondaries[0].kill()
        statement.require_failure()
        statement.devices[1].await_abort()

    with_time_enough(testbed, 500, attempt)


@pytest.mark.parametrize("moment", ["with a command", "in GetCommand", "in GetBufferHandle"])
@vdi_requirement("CMP-20")
def test_a_dead_secondary_completes_nothing(testbed: Testbed, moment: str) -> None:
    """The server sees no completion of what a dead secondary held but VDI's own."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(1, 0, 2)))
    for _ in range(2):
        scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    dying = scripted.secondaries[0]
    if moment == "in GetCommand":
        scripted.device.next_command()
        begin_to_wait(scripted.device)
    elif moment == "in GetBufferHandle":
        calls = [dying.send_get_buffer_handle(command.buffer) for _ in range(BARRIER)]
        calls[0].result()
    dying.kill()
    passed = scripted.passes(1, BARRIER // 2) and scripted.passes(2, BARRIER // 2)
    _record_death(testbed, f"a secondary {moment}", passed)


@vdi_requirement("SEC-17")
def test_an_abort_ends_each_command_of_a_dead_secondary(testbed: Testbed) -> None:
    """SignalAbort of the primary ends each command that a dead secondary held or had not fetched."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(1, 0)))
    tags = [scripted.send(scripted.allocate()) for _ in range(2)]
    for _ in tags:
        scripted.device.next_command()
    further = scripted.try_to_send(scripted.allocate())  # a device may take two at most (Q19)
    scripted.secondaries[0].kill()
    scripted.aborted = True
    scripted.primary.signal_abort().expect(NOERROR)
    scripted.all_aborted([*tags, *([further.expect(NOERROR)] if further.succeeded else [])])


def _record_death(testbed: Testbed, who: str, passed: bool) -> None:
    testbed.observe("Q62", f"the death of {who}", "nothing" if passed else "an abort", ("nothing", "an abort"))


# A process that only mapped


@ENDS
@vdi_requirement("SEC-28")
def test_the_end_of_a_mapping_process_is_left_to_the_primary(testbed: Testbed, kind: Kind, end: str) -> None:
    """When a secondary ends that only mapped, the others go on or the set is aborted."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1), secondaries=2, transfers=BARRIER // 2))
    held = statement.hold_all()
    mapper = statement.secondaries[1]
    for number, command in enumerate(held):
        view = mapped_view(mapper, handle_of(command))
        testbed.fill(view, command.size, number)
    _end(mapper, end)
    passed = all(_completes(statement, command) for command in held)
    passed = passed and all(statement.passes(device, BARRIER // 2) for device in statement.devices)
    _record_death(testbed, "a secondary that only mapped", passed)
    if not passed:
        statement.require_failure()


def _completes(statement: StatementRun, command: Fetched) -> bool:
    answer = statement.answer(command)
    answer.expect(NOERROR, VD_E_ABORT)
    return answer.code == NOERROR


@pytest.mark.parametrize("end", ["closes", "exits", "is killed"])
@vdi_requirement("CMP-20")
def test_the_end_of_a_mapping_process_completes_nothing(testbed: Testbed, end: str) -> None:
    """The end of a process that only mapped completes no command and changes no byte of a held buffer."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 0), secondaries=2))
    tags, held = _hold_two(scripted)
    mapper = scripted.secondaries[1]
    for number, command in enumerate(held):
        testbed.fill(mapped_view(mapper, handle_of(command)), command.size, number)
    stored = [command.device.client.digest(command.buffer, command.size) for command in held]
    if end == "closes":
        mapper.close().expect(NOERROR)
    else:
        _end(mapper, end)
    passed = scripted.passes(2, BARRIER)
    for command, digest in zip(held, stored, strict=True):
        found = command.device.client.digest(command.buffer, command.size)
        assert found == digest, "the bytes at the fetcher's address changed"
    if end == "closes":
        assert passed, "a process that closed in good order aborted the set"
    else:
        _record_death(testbed, "a secondary that only mapped", passed)
    _complete_both(scripted, tags, held, passed)


@pytest.mark.parametrize("call", ["MapBufferHandle", "GetBufferHandle"])
@vdi_requirement("CMP-20")
def test_deaths_in_the_midst_of_a_call_block_nobody(testbed: Testbed, call: str) -> None:
    """Processes that die in a call for a handle leave commands, handles and mappings of the others usable."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 0)))
    tags, held = _hold_two(scripted)
    handles = [handle_of(command) for command in held]
    passed = True
    for turn in range(10):
        _die_calling(scripted, testbed.client("mapper"), call, handles[turn % 2], turn)
        with judging("CMP-20"):
            passed = scripted.passes(2, BARRIER // 10)
            if not passed:
                break
            for command, handle in zip(held, handles, strict=True):
                others = [one for one in scripted.clients if one is not command.device.client]
                require_same_contents(512, fetched_view(command), *(mapped_view(one, handle) for one in others))
                handle_of(command)
    _record_death(testbed, f"a secondary in {call}", passed)
    _complete_both(scripted, tags, held, passed)


def _die_calling(scripted: ScriptedSet, mapper: Client, call: str, handle: int, answers: int) -> None:
    """Make many calls at once, and kill the process when so many of them have been answered."""
    scripted.join(mapper).expect(NOERROR)
    if call == "MapBufferHandle":
        [mapper.send_map_buffer_handle(handle) for _ in range(64)][answers].result()
    else:
        address = mapped_view(mapper, handle).address
        [mapper.send_get_buffer_handle(address) for _ in range(64)][answers].result()
    mapper.kill()


def _hold_two(scripted: ScriptedSet) -> tuple[list[int], list[Fetched]]:
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    return tags, [scripted.devices[device].next_command() for device in (0, 1)]


def _complete_both(scripted: ScriptedSet, tags: list[int], held: list[Fetched], passed: bool) -> None:
    """Complete what was held all the while, or see it aborted."""
    for tag, command in zip(tags, held, strict=True):
        if not passed:
            command.device.await_abort()
        answer = command.device.complete(command, ERROR_SUCCESS, 512 * tag)
        answer.expect(NOERROR if passed else VD_E_ABORT)
        if passed:
            scripted.completed(tag, ERROR_SUCCESS, 512 * tag)
    if not passed:
        scripted.all_aborted(tags)


# A fetcher that closes


@vdi_requirement("CLS-16")
def test_a_secondary_that_closes_with_its_device_open_ends_everything(testbed: Testbed, kind: Kind) -> None:
    """Close by a secondary with its device open aborts the whole set."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 0), secondaries=2))
    statement.next_data_command()
    _close_holding(statement.secondaries[0])
    statement.devices[1].await_abort()
    statement.secondaries[1].await_abort()
    statement.require_failure()


@vdi_requirement("CLS-17")
def test_a_primary_that_closes_before_its_secondaries_ends_everything(testbed: Testbed, kind: Kind) -> None:
    """Close by the primary while secondaries hold devices answers VD_E_OPEN or NOERROR, and aborts the set."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 2)))
    statement.next_data_command()
    answer = statement.primary.close()
    answer.permit("Q36", "Close of the primary while secondaries have devices open", VD_E_OPEN, NOERROR)
    for device in statement.devices:
        device.await_abort()
    statement.require_failure()


@vdi_requirement("CMP-05")
def test_who_closed_and_joined_again_cannot_complete(testbed: Testbed, kind: Kind) -> None:
    """CompleteCommand refuses a command from before the Close, even where its process has joined again."""
    statement = testbed.statement(kind, Scenario(owners=(1,), secondaries=2))
    command = statement.next_data_command()
    fetcher = statement.secondaries[0]
    _close_holding(fetcher)
    devices = [statement.device]
    joined = statement.join(fetcher)
    joined.observe("Q35", "joining again after a Close with a command held")
    if joined.code == NOERROR:
        opened = fetcher.open_device(statement.set_name)
        devices += [opened.expect(NOERROR)] if opened.succeeded else []
    for device in devices:
        _complete_stale(testbed, device, command, "after joining again")
    statement.primary.signal_abort().expect(NOERROR)
    statement.require_failure()


@HOLDERS
@vdi_requirement("CMP-20")
def test_a_command_held_at_a_close_is_aborted_at_most(testbed: Testbed, holder: int) -> None:
    """A command held at a Close cannot be completed any more, and the server sees it aborted."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(holder, 1 - holder), secondaries=1))
    tags = [scripted.send(scripted.allocate()) for _ in range(2)]
    command = scripted.device.next_command()
    scripted.aborted = True
    _close_holding(scripted.clients[holder])
    _complete_stale(testbed, scripted.device, command, "after a Close")
    scripted.clients[1 - holder].signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)


@alternating_direction("holder", [0, 1], OWNER_NAMES)
@vdi_requirement("CMP-03")
def test_a_command_of_an_earlier_set_is_none_of_a_new_one(testbed: Testbed, kind: Kind, holder: int) -> None:
    """CompleteCommand answers VD_E_INVALID for a command of an earlier set, and the new one succeeds."""
    earlier = testbed.statement(kind, Scenario(owners=(holder,), secondaries=1))
    command = earlier.device.next_data_command()
    for client in reversed(earlier.clients):
        if client is command.device.client:
            _close_holding(client)
        else:
            client.close().expect(VD_E_OPEN, NOERROR)
    earlier.require_failure()
    statement = testbed.again(earlier)
    answer = _complete_stale(testbed, statement.device, command, "in the next set")
    if answer is not None:
        answer.expect(VD_E_INVALID)
        statement.succeed()


def _close_holding(client: Client) -> None:
    client.close().permit("Q3", f"Close of {client.name} with a command held in the set", VD_E_OPEN, NOERROR)


def _complete_stale(testbed: Testbed, device: Device, command: Fetched, when: str) -> Answer | None:
    """Complete a command from before a Close, which is never accepted; None where the process did not survive it."""
    answer = testbed.outside_contract(
        "Q61",
        f"CompleteCommand {when} of a command from before",
        lambda: device.complete(command.address, ERROR_SUCCESS, command.size),
    )
    if answer is not None:
        answer.expect_failure()
    return answer
