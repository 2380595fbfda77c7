"""Processes that end without Close, or with a Close that nobody expects: who learns of it, and who must not suffer."""

import time

import pytest

from vdi_conformance.suite.device import Device, Fetched, begin_to_wait
from vdi_conformance.suite.intervals import TooSlow, with_time_enough
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import Answer
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import fetched_view, handle_of, mapped_view, require_same_contents
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, in_turn
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN, name_of

BARRIER = 100
"""So many commands show that something does not happen."""

ENDS = in_turn("end", ["exits", "is killed"])
SECONDARIES = in_turn("secondaries", [1, 2, 8])
HOLDERS = pytest.mark.parametrize("holder", [0, 1], ids=["primary", "secondary"])


def _end(participant: Participant, end: str) -> None:
    if end == "exits":
        participant.leave()
    else:
        participant.kill()


# The primary


@SECONDARIES
@judges("SEC-14")
def test_the_death_of_the_primary_ends_everything(stage: Stage, kind: Kind, secondaries: int) -> None:
    _lose_the_primary(stage, kind, tuple(range(1, secondaries + 1)), "is killed")


@judges("SEC-14")
def test_the_death_of_a_primary_with_a_command_ends_everything(stage: Stage, kind: Kind) -> None:
    _lose_the_primary(stage, kind, (0, 1, 2), "is killed")


@in_turn("owners", [(1, 2), (0, 1)], ["without a device", "with a command"])
@judges("SEC-16")
def test_the_exit_of_the_primary_ends_everything(stage: Stage, kind: Kind, owners: tuple[int, ...]) -> None:
    _lose_the_primary(stage, kind, owners, "exits")


def _lose_the_primary(stage: Stage, kind: Kind, owners: tuple[int, ...], end: str) -> None:
    """Let it go while every device has a command outstanding and every secondary waits for more."""
    spectator = max(owners) + 1
    geometry = Geometry(devices=len(owners), owners=owners, secondaries=spectator, buffer_count=2 * len(owners))
    operation = stage.operation(kind, geometry)
    left = [one for one in operation.hold_all() if one.device.participant is not operation.primary]
    waiting = begin_to_wait(*(command.device for command in left))
    _end(operation.primary, end)
    for command, later in zip(left, waiting, strict=True):
        command.device.await_abort(later)
        operation.answer(command).expect(VD_E_ABORT)
    operation.secondaries[-1].await_abort()
    operation.require_failure()


@pytest.mark.parametrize("end", ["is killed", "exits"])
@judges("SEC-16")
def test_the_end_of_a_primary_before_any_device_is_open(stage: Stage, kind: Kind, end: str) -> None:
    operation = stage.configured(kind, Geometry(secondaries=1))
    operation.join_all()
    _end(operation.primary, end)
    operation.secondaries[0].await_abort()
    operation.require_failure()


@judges("SEC-14")
def test_the_server_sees_every_command_of_a_dead_primary_aborted(stage: Stage) -> None:
    scripted, tags = _with_commands_everywhere(stage)
    (waiting,) = begin_to_wait(scripted.devices[1])
    scripted.aborted = True
    scripted.primary.kill()
    scripted.all_aborted(tags)
    scripted.devices[1].await_abort(waiting)


def _with_commands_everywhere(stage: Stage) -> tuple[Scripted, list[int]]:
    """Have commands fetched and queued on devices of the primary and of a secondary."""
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 1, 2)))
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    tags += [scripted.send(code=VDC_FLUSH, device=device) for device in (0, 2)]
    for device in (0, 1):
        scripted.devices[device].next_command()
    return scripted, tags


# The server


@judges("SEC-15")
def test_the_death_of_the_server_reaches_every_process(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 1, 2), secondaries=3))
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
@judges("CMD-22", "SEC-15")
def test_the_death_of_an_idle_server_is_noticed(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(owners=(owner,), secondaries=1))
    (waiting,) = begin_to_wait(scripted.device)
    scripted.kill()
    scripted.device.await_abort(waiting)


@judges("SEC-15", "CFG-07")
def test_the_death_of_a_server_that_was_configuring_ends_the_wait(stage: Stage) -> None:
    scripted = stage.scripted_created()
    scripted.begin_configuration()
    waiting = scripted.primary.send_get_configuration()
    scripted.primary.landmarks()
    scripted.kill()
    waiting.result().require(VD_E_ABORT)


# A secondary that held commands


@judges("SEC-17")
def test_an_abort_ends_what_a_dead_secondary_held(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 0), transfers=BARRIER // 2))
    operation.next_data_command()
    operation.secondaries[0].kill()
    passed = operation.passes(operation.devices[1], BARRIER // 2)
    _record_death(stage, "a secondary that held a command", passed)
    operation.primary.signal_abort().expect(NOERROR)
    operation.devices[1].await_abort()
    operation.require_failure()


@pytest.mark.time_limits
@judges("SEC-17")
def test_the_servers_patience_ends_what_a_dead_secondary_held(stage: Stage) -> None:
    def attempt(interval: int) -> None:
        began = time.monotonic()
        try:
            operation = stage.backup(Geometry(devices=2, owners=(1, 0), server_time_out=interval))
            operation.next_data_command()
        except ConformanceFailure as failure:
            if failure.observed == name_of(VD_E_ABORT) and (time.monotonic() - began) * 1000 >= 2 * interval:
                raise TooSlow from failure
            raise
        operation.secondaries[0].kill()
        operation.require_failure()
        operation.devices[1].await_abort()

    with_time_enough(stage, 500, attempt)


@pytest.mark.parametrize("moment", ["with a command", "in GetCommand", "in GetBufferHandle"])
@judges("CMP-20")
def test_a_dead_secondary_completes_nothing(stage: Stage, moment: str) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(1, 0, 2)))
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
    _record_death(stage, f"a secondary {moment}", passed)


@judges("SEC-17")
def test_an_abort_ends_each_command_of_a_dead_secondary(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(1, 0)))
    tags = [scripted.send(scripted.allocate()) for _ in range(2)]
    for _ in tags:
        scripted.device.next_command()
    further = scripted.try_to_send(scripted.allocate())  # a device may take two at most (Q19)
    scripted.secondaries[0].kill()
    scripted.aborted = True
    scripted.primary.signal_abort().expect(NOERROR)
    scripted.all_aborted([*tags, *([further.expect(NOERROR)] if further.succeeded else [])])


def _record_death(stage: Stage, who: str, passed: bool) -> None:
    stage.observe("Q62", f"the death of {who}", "nothing" if passed else "an abort", ("nothing", "an abort"))


# A process that only mapped


@ENDS
@judges("SEC-28")
def test_the_end_of_a_mapping_process_is_left_to_the_primary(stage: Stage, kind: Kind, end: str) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(0, 1), secondaries=2, transfers=BARRIER // 2))
    held = operation.hold_all()
    mapper = operation.secondaries[1]
    for number, command in enumerate(held):
        view = mapped_view(mapper, handle_of(command))
        stage.fill(view, command.size, number)
    _end(mapper, end)
    passed = all(_completes(operation, command) for command in held)
    passed = passed and all(operation.passes(device, BARRIER // 2) for device in operation.devices)
    _record_death(stage, "a secondary that only mapped", passed)
    if not passed:
        operation.require_failure()


def _completes(operation: Operation, command: Fetched) -> bool:
    answer = operation.answer(command)
    answer.require(NOERROR, VD_E_ABORT)
    return answer.code == NOERROR


@pytest.mark.parametrize("end", ["closes", "exits", "is killed"])
@judges("CMP-20")
def test_the_end_of_a_mapping_process_completes_nothing(stage: Stage, end: str) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 1, 0), secondaries=2))
    tags, held = _hold_two(scripted)
    mapper = scripted.secondaries[1]
    for number, command in enumerate(held):
        stage.fill(mapped_view(mapper, handle_of(command)), command.size, number)
    stored = [command.device.participant.digest(command.buffer, command.size) for command in held]
    if end == "closes":
        mapper.close().expect(NOERROR)
    else:
        _end(mapper, end)
    passed = scripted.passes(2, BARRIER)
    for command, digest in zip(held, stored, strict=True):
        found = command.device.participant.digest(command.buffer, command.size)
        assert found == digest, "the bytes at the fetcher's address changed"
    if end == "closes":
        assert passed, "a process that closed in good order aborted the set"
    else:
        _record_death(stage, "a secondary that only mapped", passed)
    _complete_both(scripted, tags, held, passed)


@pytest.mark.parametrize("call", ["MapBufferHandle", "GetBufferHandle"])
@judges("CMP-20")
def test_deaths_in_the_midst_of_a_call_block_nobody(stage: Stage, call: str) -> None:
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 1, 0)))
    tags, held = _hold_two(scripted)
    handles = [handle_of(command) for command in held]
    passed = True
    for turn in range(10):
        _die_calling(scripted, stage.participant("mapper"), call, handles[turn % 2], turn)
        passed = scripted.passes(2, BARRIER // 10)
        if not passed:
            break
        for command, handle in zip(held, handles, strict=True):
            others = [one for one in scripted.participants if one is not command.device.participant]
            require_same_contents(512, fetched_view(command), *(mapped_view(one, handle) for one in others))
            handle_of(command)
    _record_death(stage, f"a secondary in {call}", passed)
    _complete_both(scripted, tags, held, passed)


def _die_calling(scripted: Scripted, mapper: Participant, call: str, handle: int, answers: int) -> None:
    """Make many calls at once, and kill the process when so many of them have been answered."""
    scripted.join(mapper).expect(NOERROR)
    if call == "MapBufferHandle":
        [mapper.send_map_buffer_handle(handle) for _ in range(64)][answers].result()
    else:
        address = mapped_view(mapper, handle).address
        [mapper.send_get_buffer_handle(address) for _ in range(64)][answers].result()
    mapper.kill()


def _hold_two(scripted: Scripted) -> tuple[list[int], list[Fetched]]:
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    return tags, [scripted.devices[device].next_command() for device in (0, 1)]


def _complete_both(scripted: Scripted, tags: list[int], held: list[Fetched], passed: bool) -> None:
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


@judges("CLS-16")
def test_a_secondary_that_closes_with_its_device_open_ends_everything(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 0), secondaries=2))
    operation.next_data_command()
    _close_holding(operation.secondaries[0])
    operation.devices[1].await_abort()
    operation.secondaries[1].await_abort()
    operation.require_failure()


@judges("CLS-17")
def test_a_primary_that_closes_before_its_secondaries_ends_everything(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 2)))
    operation.next_data_command()
    answer = operation.primary.close()
    answer.permit("Q36", "Close of the primary while secondaries have devices open", VD_E_OPEN, NOERROR)
    for device in operation.devices:
        device.await_abort()
    operation.require_failure()


@judges("CMP-05")
def test_who_closed_and_joined_again_cannot_complete(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(owners=(1,), secondaries=2))
    command = operation.next_data_command()
    fetcher = operation.secondaries[0]
    _close_holding(fetcher)
    devices = [operation.device]
    joined = operation.join(fetcher)
    joined.record("Q35", "joining again after a Close with a command held")
    if joined.code == NOERROR:
        opened = fetcher.open_device(operation.set_name)
        devices += [opened.expect(NOERROR)] if opened.succeeded else []
    for device in devices:
        _complete_stale(stage, device, command, "after joining again")
    operation.primary.signal_abort().expect(NOERROR)
    operation.require_failure()


@HOLDERS
@judges("CMP-20")
def test_a_command_held_at_a_close_is_aborted_at_most(stage: Stage, holder: int) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(holder, 1 - holder), secondaries=1))
    tags = [scripted.send(scripted.allocate()) for _ in range(2)]
    command = scripted.device.next_command()
    scripted.aborted = True
    _close_holding(scripted.participants[holder])
    _complete_stale(stage, scripted.device, command, "after a Close")
    scripted.participants[1 - holder].signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)


@in_turn("holder", [0, 1], OWNER_NAMES)
@judges("CMP-03")
def test_a_command_of_an_earlier_set_is_none_of_a_new_one(stage: Stage, kind: Kind, holder: int) -> None:
    earlier = stage.operation(kind, Geometry(owners=(holder,), secondaries=1))
    command = earlier.device.next_data_command()
    for participant in reversed(earlier.participants):
        if participant is command.device.participant:
            _close_holding(participant)
        else:
            participant.close().require(VD_E_OPEN, NOERROR)
    earlier.require_failure()
    operation = stage.again(earlier)
    answer = _complete_stale(stage, operation.device, command, "in the next set")
    if answer is not None:
        answer.require(VD_E_INVALID)
        operation.succeed()


def _close_holding(participant: Participant) -> None:
    participant.close().permit("Q3", f"Close of {participant.name} with a command held in the set", VD_E_OPEN, NOERROR)


def _complete_stale(stage: Stage, device: Device, command: Fetched, when: str) -> Answer | None:
    """Complete a command from before a Close, which is never accepted; None where the process did not survive it."""
    answer = stage.outside_contract(
        "Q61",
        f"CompleteCommand {when} of a command from before",
        lambda: device.complete(command.address, ERROR_SUCCESS, command.size),
    )
    if answer is not None:
        answer.require_failure()
    return answer
