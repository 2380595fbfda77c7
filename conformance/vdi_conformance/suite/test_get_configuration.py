"""GetConfiguration: how long it waits, what wakes it, and what it says in each state of the set."""

import time
from dataclasses import replace
from typing import Final

import pytest

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.host.messages.server import ExecuteStatement
from vdi_conformance.suite.device import BOUND_TO_COME
from vdi_conformance.suite.judging import ConformanceFailure, judges, not_tested
from vdi_conformance.suite.meeting import A_WHILE
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import RICH, Geometry, Running
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import BACKUP, RESTORE, in_turn
from vdi_conformance.vdi.commands import VDF_COMPLETE_ENABLED, VDF_REQUEST_COMPLETE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_MEMORY, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, MAX_TRANSFER_SIZE, VDConfig

TICK: Final = 20
"""A wait may end a tick of the system's clock early: so many milliseconds."""
SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
RICHER: Final = replace(RICH, features=RICH.features | VDF_REQUEST_COMPLETE)
A_TERABYTE: Final = 1 << 40
LEFT: Final = ("untouched", "zeros", "something else")
UNTOUCHED: Final = OUT_UNTOUCHED & 0xFFFFFFFF


def _created(stage: Stage, beside: Participant | None = None, features: int = 0) -> Participant:
    """Create a set to which no server comes, in a fresh process or in that of another one."""
    primary = stage.beside(beside) if beside else stage.participant("primary")
    primary.create_ex(None, stage.name(), VDConfig(features=features)).expect(NOERROR)
    return primary


def _time_out(stage: Stage, participant: Participant, milliseconds: int) -> None:
    """Fail the check unless a call on a set without a server ends when its time is over, within generous bounds."""
    limit = stage.scaled(milliseconds)
    began = time.monotonic()
    participant.get_configuration(limit).require(VD_E_TIMEOUT)
    took = (time.monotonic() - began) * 1000
    if not limit - TICK <= took <= limit + stage.scaled(BOUND_TO_COME):
        raise ConformanceFailure(f"GetConfiguration({limit}) said after {took:.0f} ms that its time was over")


def _described(participant: Participant, timeout: int = 0) -> VDConfig:
    """Ask for the configuration without bufferAreaSize, of which no document says what it is (CFG-22)."""
    return participant.get_configuration(timeout).expect(NOERROR)._replace(buffer_area_size=0)


def _told_first(running: Running) -> VDConfig:
    """Give what the primary was told by the call that waited for the configuration."""
    assert running.configuration is not None, "the set is not configured"
    return running.configuration._replace(buffer_area_size=0)


def _require_same(found: VDConfig, wanted: VDConfig, where: str) -> None:
    if differing := [name for name in VDConfig._fields if getattr(found, name) != getattr(wanted, name)]:
        now, before = (", ".join(f"{name} {getattr(one, name):#x}" for name in differing) for one in (found, wanted))
        raise ConformanceFailure(f"GetConfiguration gave {now} {where}, and {before} before")


# The wait, and its time


@judges("CFG-01")
def test_the_call_waits_until_the_server_has_configured_the_set(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind, Geometry(block_size=4096))
    waiting = operation.primary.send_get_configuration(thread="waiter")
    _time_out(stage, _created(stage, beside=operation.primary), SOON)
    assert not waiting.done, "GetConfiguration returned before the statement was started"
    began = time.monotonic()
    operation.execute()
    config = waiting.result().expect(NOERROR)
    assert (time.monotonic() - began) * 1000 < stage.scaled(BOUND_TO_COME), "it slept until its time was over"
    assert (config.device_count, config.block_size) == (1, 4096), f"it gave the configuration {config}"
    operation.open_devices()
    operation.succeed()


@pytest.mark.time_limits
@judges("CFG-02")
def test_a_call_ends_when_its_time_is_over(stage: Stage) -> None:
    primary = _created(stage)
    for milliseconds in (SOON, 300):
        _time_out(stage, primary, milliseconds)


@pytest.mark.time_limits
@judges("CFG-03")
def test_an_infinite_wait_outlives_finite_ones(stage: Stage) -> None:
    primary = _created(stage)
    waiting = primary.send_get_configuration(INFINITE, thread="waiter")
    bystander = _created(stage, beside=primary)
    for milliseconds in (SOON, 2 * SOON, 4 * SOON):
        _time_out(stage, bystander, milliseconds)
    assert not waiting.done, "a GetConfiguration that should wait without limit came to its end"
    primary.signal_abort().expect(NOERROR)
    waiting.result().require(VD_E_ABORT)


@BACKUP
@judges("CFG-04")
def test_a_zero_time_out_polls(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    operation.primary.get_configuration(0).require(VD_E_TIMEOUT)
    operation.configure()
    operation.primary.get_configuration(0).expect(NOERROR)


@RESTORE
@judges("CFG-05")
def test_a_time_out_changes_nothing(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    for _ in range(4):
        operation.primary.get_configuration(stage.scaled(SOON)).require(VD_E_TIMEOUT)
    operation.execute()
    _poll(stage, operation.primary)
    operation.open_devices()
    operation.succeed()


def _poll(stage: Stage, participant: Participant) -> None:
    """Ask again and again with a short time-out, as clients do that look after other things meanwhile."""
    end = time.monotonic() + stage.scaled(BOUND_TO_COME) / 1000
    while (answer := participant.get_configuration(stage.scaled(5 * SOON))).code == VD_E_TIMEOUT:
        if time.monotonic() > end:
            break
    answer.require(NOERROR)


@BACKUP
@judges("CFG-30")
def test_several_threads_wait_for_the_configuration(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    limit = stage.scaled(A_WHILE)
    waiting = [operation.primary.send_get_configuration(limit, thread=f"waiter {number}") for number in range(4)]
    _time_out(stage, _created(stage, beside=operation.primary), SOON)
    operation.execute()
    wanted = _described(operation.primary, limit)
    for later in waiting:
        _require_same(later.result().expect(NOERROR)._replace(buffer_area_size=0), wanted, "to another thread")


# What else ends the wait


@judges("CFG-06")
def test_an_abort_of_another_thread_ends_the_wait(stage: Stage) -> None:
    primary = _created(stage)
    waiting = primary.send_get_configuration()
    primary.landmarks()
    primary.signal_abort().expect(NOERROR)
    waiting.result().require(VD_E_ABORT)


@pytest.mark.parametrize("state", ["opened", "configuring"])
@judges("CFG-07")
def test_an_abort_of_the_server_ends_the_wait(stage: Stage, state: str) -> None:
    scripted = stage.scripted_created()
    waiting = scripted.primary.send_get_configuration()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR)
    scripted.signal_abort()
    waiting.result().require(VD_E_ABORT)


@judges("CFG-32")
def test_a_server_without_memory_leaves_the_client_waiting(stage: Stage) -> None:
    scripted = stage.scripted_created()
    waiting = scripted.primary.send_get_configuration(thread="waiter")
    scripted.begin_configuration()
    scripted.server.request_buffers(MAX_TRANSFER_SIZE, 0, A_TERABYTE // MAX_TRANSFER_SIZE).require(NOERROR, VD_E_MEMORY)
    answer = scripted.server.end_configuration()
    answer.require(NOERROR, VD_E_MEMORY)
    if answer.code == NOERROR:
        waiting.result().expect(NOERROR)
        return
    _time_out(stage, _created(stage, beside=scripted.primary), SOON)
    assert not waiting.done, "GetConfiguration returned though the configuration has not ended"
    scripted.signal_abort()
    waiting.result().require(VD_E_ABORT)


# A statement that fails before the set is configured


@BACKUP
@judges("CFG-29")
def test_who_learns_of_a_statement_with_a_wrong_option_is_observed(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    waiting = operation.primary.send_get_configuration(thread="waiter")
    _fail(operation, block_size=513)
    answer = operation.primary.get_configuration(stage.scaled(SOON))
    answer.permit("Q55", "GetConfiguration when a statement failed for its BLOCKSIZE", VD_E_TIMEOUT, VD_E_ABORT)
    operation.primary.signal_abort().expect(NOERROR)
    waiting.result().require(VD_E_ABORT)


@RESTORE
@judges("TSQ-22")
def test_a_statement_that_finds_no_set_harms_none(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    waiting = operation.primary.send_get_configuration(thread="waiter")
    _fail(operation, stage.name())
    operation.primary.get_configuration(stage.scaled(SOON)).require(VD_E_TIMEOUT)
    assert not waiting.done, "the failure of a statement on another set ended GetConfiguration"
    operation.configure()
    waiting.result().expect(NOERROR)
    operation.open_devices()
    operation.succeed()


def _fail(operation: Operation, device: str | None = None, block_size: int = 512) -> None:
    """Let the server run a statement that cannot succeed, to its end."""
    statement = ExecuteStatement(
        operation=operation.kind,
        instance=None,
        devices=[device or operation.set_name],
        seed=0,
        size=operation.geometry.database_size,
        block_size=block_size,
        max_transfer_size=operation.geometry.max_transfer_size,
        buffer_count=operation.geometry.buffer_count,
        thread="failing statement",
    )
    if operation.server.call(statement, patience=BOUND_TO_COME / 1000 * 2).succeeded:
        not_tested("the server took a statement that it should have refused")


# Once the set is configured


@judges("CFG-09", "CFG-24")
def test_a_configured_set_says_the_same_in_every_state(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, RICHER)
    wanted = _told_first(operation)
    _require_same(_described(operation.primary, INFINITE), wanted, "in Initializing")
    operation.open_device(0)
    _require_same(_described(operation.primary, INFINITE), wanted, "with one of two devices open")
    operation.open_device(1)
    command = operation.next_data_command()
    _require_same(_described(operation.primary), wanted, "in Active")
    operation.answer(command).expect(NOERROR)
    end = operation.run_out()
    for timeout in (0, INFINITE):
        _require_same(_described(operation.primary, timeout), wanted, "in Normally Terminated")
    operation.close()
    operation.require_success(end)


@judges("CFG-24")
def test_buffers_that_came_later_change_no_value(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(secondaries=1))
    wanted = _told_first(scripted)
    for _ in range(2):
        scripted.request_buffers(2 * scripted.geometry.buffer_count)
        for participant in scripted.participants:
            _require_same(_described(participant), wanted, f"to {participant.name}, with more buffers")


@in_turn("secondaries", [0, 1], ["in one process", "in two processes"])
@judges("CFG-10")
def test_every_call_says_the_same(stage: Stage, kind: Kind, secondaries: int) -> None:
    operation = stage.configured(kind, replace(RICHER, secondaries=secondaries))
    wanted = _told_first(operation)
    operation.join_all()
    for state in ("Initializing", "Active", "Normally Terminated"):
        for participant in operation.participants * 2:
            _require_same(_described(participant), wanted, f"to {participant.name} in {state}")
        if state == "Initializing":
            operation.open_devices()
        elif state == "Active":
            operation.run_out()


# Out-variables


@pytest.mark.parametrize("end", ["time-out", "time-out of 0", "abort", "abort in use"])
@judges("CFG-25")
def test_a_failure_promises_no_vdc_complete(stage: Stage, end: str) -> None:
    if end == "abort in use":
        primary = stage.backup(Geometry(features=VDF_REQUEST_COMPLETE)).primary
        primary.get_configuration().expect(NOERROR)
    else:
        primary = _created(stage, features=VDF_REQUEST_COMPLETE)
    if end.startswith("abort"):
        primary.signal_abort().expect(NOERROR)
    result = primary.get_configuration(0 if end == "time-out of 0" else stage.scaled(SOON))
    result.require(VD_E_ABORT if end.startswith("abort") else VD_E_TIMEOUT)
    if (found := result.value) is None:
        not_tested("the adapter does not say what GetConfiguration left in the structure")
    stage.observe("Q23", f"GetConfiguration's structure after {result.name}", _left(found), LEFT)
    if found.features != UNTOUCHED and found.features & VDF_COMPLETE_ENABLED:
        raise ConformanceFailure(f"GetConfiguration failed and left VDF_CompleteEnabled in {found}")


def _left(found: VDConfig) -> str:
    untouched, zeros, other = LEFT
    values = set(found)
    return untouched if values == {UNTOUCHED} else zeros if values == {0} else other


@RESTORE
@judges("CFG-26")
def test_a_null_structure_is_refused(stage: Stage, kind: Kind) -> None:
    stage.need("null_out_pointers", "it needs null out pointers")
    operation = stage.created(kind)
    operation.primary.get_configuration(0, null_out=True).require_failure()
    operation.configure()
    for timeout in (0, SOON, INFINITE):
        operation.primary.get_configuration(timeout, null_out=True).require_failure()
    operation.open_devices()
    operation.succeed()
