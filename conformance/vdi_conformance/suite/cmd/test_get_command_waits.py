"""GetCommand waits: for how long, what wakes it, and what an abort makes of it."""

import time

import pytest

from vdi_conformance.harness.device import BOUND_TO_COME, Device, Fetched
from vdi_conformance.harness.expectations import SLOW, PendingAnswer, Result
from vdi_conformance.harness.judging import ConformanceFailure, not_tested, vdi_requirement
from vdi_conformance.harness.parametrizations import alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import STALL, Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.messages.client import CommandReply
from vdi_conformance.vdi.commands import DATA_COMMANDS, VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE

BARRIER = 20
"""So many commands show that something does not happen."""

WAKES = 150
"""So many waits in a row are woken."""

TICK = 20
"""A wait may end a tick of the system's clock early: so many milliseconds."""

WAKING = 5_000
"""A wait that is woken ends long before so many milliseconds, before scaling, are over."""

MOST_OUTSTANDING = 1000
"""No server has so many commands outstanding on one device."""

CLOSED_BEFORE = "GetCommand after an abort by the {}, the device closed before"
Waiting = PendingAnswer[CommandReply, Result[Fetched]]


# Time-outs


@pytest.mark.vdi_timing
@alternating_direction("limit", [0, 150], ["no time", "150 ms"])
@vdi_requirement("CMD-02")
def test_a_wait_for_nothing_ends_by_its_time_limit(testbed: Testbed, kind: Kind, limit: int) -> None:
    """GetCommand with nothing queued waits for its whole time-out and then answers VD_E_TIMEOUT."""
    statement = testbed.statement(kind)
    held, milliseconds = [statement.device.next_command()], testbed.scaled(limit)
    while len(held) < MOST_OUTSTANDING:
        began = time.monotonic()
        result = statement.device.get_command(milliseconds)
        passed = (time.monotonic() - began) * 1000
        result.expect(NOERROR, VD_E_TIMEOUT)
        if not result.succeeded:
            break
        held.append(result.expect(NOERROR))
    else:
        raise ConformanceFailure("commands came without end although none was completed")
    if passed < milliseconds - TICK:
        raise ConformanceFailure(f"a wait of {milliseconds} ms for nothing was over after {passed:.0f} ms")
    for command in held:
        statement.answer_any(command).expect(NOERROR)
    statement.succeed()


@pytest.mark.vdi_timing
@vdi_requirement("CMD-02")
def test_each_of_several_waits_ends_by_its_own_time_limit(testbed: Testbed) -> None:
    """GetCommand calls that wait on three devices answer VD_E_TIMEOUT, the last when the longest time-out is over."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 0, 1)))
    limits = [testbed.scaled(limit) for limit in (150, 50, 100)]
    began = time.monotonic()
    waiting = [device.send_get_command(limit) for device, limit in zip(scripted.devices, limits, strict=True)]
    for wait in waiting:
        wait.result().expect(VD_E_TIMEOUT)
    passed = (time.monotonic() - began) * 1000
    if passed < max(limits) - TICK:
        raise ConformanceFailure(f"waits of {limits} ms for nothing were over after {passed:.0f} ms")


@pytest.mark.vdi_timing
@pytest.mark.parametrize("first", ["short", "long"])
@vdi_requirement("CMD-02")
def test_a_longer_wait_elsewhere_prolongs_none(testbed: Testbed, first: str) -> None:
    """GetCommand answers VD_E_TIMEOUT when its own time-out passes, though another process waits for longer."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    limits = {"short": testbed.scaled(50), "long": testbed.scaled(BOUND_TO_COME)}
    waiting = {}
    began = time.monotonic()
    for name, device in zip(sorted(limits, reverse=first == "short"), scripted.devices, strict=True):
        waiting[name] = device.send_get_command(limits[name])
    waiting["short"].result().expect(VD_E_TIMEOUT)
    passed = (time.monotonic() - began) * 1000
    if passed > testbed.scaled(WAKING):
        raise ConformanceFailure(f"a wait of {limits['short']} ms was over after {passed:.0f} ms{SLOW}")
    scripted.signal_abort()
    waiting["long"].result().expect(VD_E_ABORT)


@vdi_requirement("CMD-04")
def test_polling_loses_nothing(restore: StatementRun) -> None:
    """After time-outs GetCommand can be repeated: a RESTORE that is polled with a few milliseconds succeeds."""
    limit, timeout = restore.primary.scaled(BOUND_TO_COME) / 1000, 0
    end = time.monotonic() + limit
    while (result := restore.device.get_command(timeout)).code != VD_E_CLOSE:
        result.expect(NOERROR, *([VD_E_TIMEOUT] if time.monotonic() < end else []))
        timeout = (timeout + 1) % 3
        if result.succeeded:
            restore.answer_any(result.expect(NOERROR)).expect(NOERROR)
            end = time.monotonic() + limit
    restore.close()
    restore.require_success(restore.outcome())


@vdi_requirement("CMD-04")
def test_a_command_that_comes_as_the_time_ends_is_not_lost(scripted: ScriptedSet) -> None:
    """A command that the server sends as GetCommand times out comes from that call or from the next one."""
    for turn in range(BARRIER):
        waiting = scripted.device.send_get_command(turn % 3)
        tag = scripted.send(code=VDC_FLUSH)
        result = waiting.result()
        result.expect(NOERROR, VD_E_TIMEOUT)
        command = result.expect(NOERROR) if result.succeeded else scripted.device.next_command()
        scripted.device.complete(command).expect(NOERROR)
        scripted.completed(tag, 0, 0)


@pytest.mark.parametrize("end", ["a command", "a close", "an abort"])
@vdi_requirement("CMD-03")
def test_an_infinite_wait_goes_on_until_something_comes(testbed: Testbed, end: str) -> None:
    """GetCommand with INFINITE waits until a command, a close or an abort comes for its device."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(1, 0)))
    waiting = _begin_to_wait(scripted.device)
    assert scripted.passes(1, BARRIER), "the set was aborted"
    if waiting.done:
        raise ConformanceFailure(f"an INFINITE wait for nothing ended with {waiting.result().name}")
    if end == "a command":
        scripted.send(code=VDC_FLUSH)
        scripted.device.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    elif end == "a close":
        scripted.close_device(0)
        waiting.result().expect(VD_E_CLOSE)
    else:
        scripted.aborted = True
        scripted.secondaries[0].signal_abort().expect(NOERROR)
        waiting.result().expect(VD_E_ABORT)


@vdi_requirement("CMD-03")
def test_a_statement_is_served_by_infinite_waits(backup: StatementRun) -> None:
    """GetCommand calls with INFINITE serve a BACKUP to its end, where the last one answers VD_E_CLOSE."""
    while (result := backup.device.get_command(INFINITE)).code != VD_E_CLOSE:
        backup.answer_any(result.expect(NOERROR)).expect(NOERROR)
    backup.close()
    backup.require_success(backup.outcome())


# What wakes it


@vdi_requirement("CMD-24")
def test_a_command_wakes_who_waits_for_it(testbed: Testbed) -> None:
    """A command that the server sends while GetCommand waits ends the wait, before its time-out passes."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    limit = testbed.scaled(WAKING)
    for turn in range(WAKES):
        device = scripted.devices[turn % 2]
        waiting = _begin_to_wait(device, limit)
        began = time.monotonic()
        tag = scripted.send(code=VDC_FLUSH, device=turn % 2)
        device.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
        scripted.completed(tag, 0, 0)
        if time.monotonic() - began > limit / 1000:
            raise ConformanceFailure(f"a wait of {limit} ms was over no sooner for the command that came{SLOW}")


@vdi_requirement("CMD-25")
def test_a_device_that_the_server_opens_later_is_waited_for(testbed: Testbed) -> None:
    """GetCommand on a device that the server has not opened yet waits for it, and gives the command that then comes."""
    scripted = testbed.scripted_created(Scenario(devices=2, owners=(0, 0)))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR, by="CFG-01")
    early = scripted.primary.open_device(scripted.device_names[0]).expect(NOERROR, by="OPD-01")
    scripted.devices.append(early)
    waiting = _begin_to_wait(early)
    scripted.open_device(1)
    assert scripted.passes(1, BARRIER), "the set was aborted"
    scripted.server.open_device(early.name).expect(NOERROR)
    scripted.send(code=VDC_FLUSH)
    early.complete(waiting.result().expect(NOERROR)).expect(NOERROR)


# Aborts


@pytest.mark.parametrize("owners", [(0,), (0, 1, 0)], ids=["its own process", "another process"])
@vdi_requirement("CMD-08")
def test_an_abort_ends_every_wait(testbed: Testbed, owners: tuple[int, ...]) -> None:
    """A waiting GetCommand on every device, and each later one, answers VD_E_ABORT after SignalAbort."""
    statement = testbed.backup(Scenario(devices=3, owners=owners))
    statement.hold_all()
    waiting = [_begin_to_wait(device) for device in statement.devices]
    statement.clients[-1].signal_abort().expect(NOERROR)
    for device, later in zip(statement.devices, waiting, strict=True):
        device.await_abort(later)
        _require_abort(device)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"


@vdi_requirement("CMD-08")
def test_an_abort_of_the_server_ends_every_wait(testbed: Testbed) -> None:
    """A waiting GetCommand on every device, and each later one, answers VD_E_ABORT after an abort by the server."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 1)))
    scripted.send(code=VDC_FLUSH)
    scripted.device.next_command()
    waiting = [_begin_to_wait(device) for device in scripted.devices[:2]]
    scripted.signal_abort()
    for device, later in zip(scripted.devices, [*waiting, None], strict=True):
        device.await_abort(later)
        _require_abort(device)


@pytest.mark.parametrize("by", ["its own process", "the server"])
@vdi_requirement("CMD-09")
def test_nothing_queued_is_handed_out_after_an_abort(scripted: ScriptedSet, by: str) -> None:
    """After an abort GetCommand answers VD_E_ABORT and hands out no command that was queued before."""
    tags = [scripted.send(code=VDC_FLUSH) for _ in range(2)]
    scripted.aborted = True
    if by == "its own process":
        scripted.primary.signal_abort().expect(NOERROR)
    else:
        scripted.signal_abort()
        # What others do may be noticed late.
        scripted.device.await_abort()
    _require_abort(scripted.device)
    scripted.all_aborted(tags)


def _require_abort(device: Device) -> None:
    for timeout in (INFINITE, 0):
        device.get_command(timeout).expect(VD_E_ABORT)


@vdi_requirement("CMD-23")
def test_an_abort_after_the_end_of_a_statement(backup: StatementRun) -> None:
    """After the end of a BACKUP and then SignalAbort, GetCommand answers VD_E_CLOSE or VD_E_ABORT."""
    while (result := backup.device.get_command()).succeeded:
        command = result.expect(NOERROR)
        backup.answer_any(command).expect(NOERROR)
        # To fetch once more would tell of the end.
        if command.code not in DATA_COMMANDS and backup.ends_within(STALL):
            break
    else:
        not_tested("no command was known to be the last one before GetCommand told of the end")
    backup.primary.signal_abort().expect(NOERROR)
    backup.device.get_command().permit("Q48", CLOSED_BEFORE.format("client"), VD_E_CLOSE, VD_E_ABORT)


@vdi_requirement("CMD-23")
def test_an_abort_of_the_server_after_it_closed_a_device(testbed: Testbed) -> None:
    """GetCommand answers VD_E_CLOSE or VD_E_ABORT on a device that the server closed before it aborted the set."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    scripted.close_device(0)
    scripted.signal_abort()
    scripted.devices[1].await_abort()
    scripted.devices[0].get_command().permit("Q48", CLOSED_BEFORE.format("server"), VD_E_CLOSE, VD_E_ABORT)


def _begin_to_wait(device: Device, timeout: int = INFINITE) -> Waiting:
    """Start a GetCommand, and let it come to its wait."""
    waiting = device.send_get_command(timeout)
    device.client.let_others_wait()
    return waiting
