"""GetConfiguration: how long it waits, what wakes it, and what it says in each state of the set."""

import time
from dataclasses import replace
from typing import Final

import pytest

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.harness.client import Client
from vdi_conformance.harness.concurrency import A_WHILE
from vdi_conformance.harness.device import BOUND_TO_COME
from vdi_conformance.harness.judging import ConformanceFailure, judging, not_tested, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import RICH, Scenario, SetInUse
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.messages.server import ExecuteStatement
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


def _created(testbed: Testbed, beside: Client | None = None, features: int = 0) -> Client:
    """Create a set to which no server comes, in a fresh process or in that of another one."""
    primary = testbed.beside(beside) if beside else testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig(features=features)).expect(NOERROR, by="CRE-01")
    return primary


def _time_out(testbed: Testbed, client: Client, milliseconds: int) -> None:
    """Fail the check unless a call on a set without a server ends when its time is over, within generous bounds."""
    limit = testbed.scaled(milliseconds)
    began = time.monotonic()
    client.get_configuration(limit).expect(VD_E_TIMEOUT)
    took = (time.monotonic() - began) * 1000
    if not limit - TICK <= took <= limit + testbed.scaled(BOUND_TO_COME):
        raise ConformanceFailure(f"GetConfiguration({limit}) said after {took:.0f} ms that its time was over")


def _described(client: Client, timeout: int = 0) -> VDConfig:
    """Ask for the configuration without bufferAreaSize, of which no document says what it is (CFG-22)."""
    return client.get_configuration(timeout).expect(NOERROR)._replace(buffer_area_size=0)


def _told_first(running: SetInUse) -> VDConfig:
    """Give what the primary was told by the call that waited for the configuration."""
    assert running.configuration is not None, "the set is not configured"
    return running.configuration._replace(buffer_area_size=0)


def _require_same(found: VDConfig, wanted: VDConfig, where: str) -> None:
    if differing := [name for name in VDConfig._fields if getattr(found, name) != getattr(wanted, name)]:
        now, before = (", ".join(f"{name} {getattr(one, name):#x}" for name in differing) for one in (found, wanted))
        raise ConformanceFailure(f"GetConfiguration gave {now} {where}, and {before} before")


# The wait, and its time


@vdi_requirement("CFG-01")
def test_the_call_waits_until_the_server_has_configured_the_set(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration waits until the server has configured the set, and then answers NOERROR with its values."""
    statement = testbed.created(kind, Scenario(block_size=4096))
    waiting = statement.primary.send_get_configuration(thread="waiter")
    _time_out(testbed, _created(testbed, beside=statement.primary), SOON)
    assert not waiting.done, "GetConfiguration returned before the statement was started"
    began = time.monotonic()
    statement.execute()
    config = waiting.result().expect(NOERROR)
    assert (time.monotonic() - began) * 1000 < testbed.scaled(BOUND_TO_COME), "it slept until its time was over"
    assert (config.device_count, config.block_size) == (1, 4096), f"it gave the configuration {config}"
    statement.open_devices()
    statement.succeed()


@pytest.mark.vdi_timing
@vdi_requirement("CFG-02")
def test_a_call_ends_when_its_time_is_over(testbed: Testbed) -> None:
    """GetConfiguration answers VD_E_TIMEOUT when its interval passes before the server has configured the set."""
    primary = _created(testbed)
    for milliseconds in (SOON, 300):
        _time_out(testbed, primary, milliseconds)


@pytest.mark.vdi_timing
@vdi_requirement("CFG-03")
def test_an_infinite_wait_outlives_finite_ones(testbed: Testbed) -> None:
    """GetConfiguration with INFINITE outlives finite waits on another set, and ends by SignalAbort."""
    primary = _created(testbed)
    waiting = primary.send_get_configuration(INFINITE, thread="waiter")
    bystander = _created(testbed, beside=primary)
    for milliseconds in (SOON, 2 * SOON, 4 * SOON):
        _time_out(testbed, bystander, milliseconds)
    assert not waiting.done, "a GetConfiguration that should wait without limit came to its end"
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@BACKUP
@vdi_requirement("CFG-04")
def test_a_zero_time_out_polls(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration with a time-out of 0 answers VD_E_TIMEOUT before the set is configured and NOERROR after."""
    statement = testbed.created(kind)
    statement.primary.get_configuration(0).expect(VD_E_TIMEOUT)
    statement.configure()
    statement.primary.get_configuration(0).expect(NOERROR)


@RESTORE
@vdi_requirement("CFG-05")
def test_a_time_out_changes_nothing(testbed: Testbed, kind: Kind) -> None:
    """A time-out of GetConfiguration changes nothing: the call is repeated until it answers NOERROR."""
    statement = testbed.created(kind)
    for _ in range(4):
        statement.primary.get_configuration(testbed.scaled(SOON)).expect(VD_E_TIMEOUT)
    statement.execute()
    _poll(testbed, statement.primary)
    statement.open_devices()
    statement.succeed()


def _poll(testbed: Testbed, client: Client) -> None:
    """Ask again and again with a short time-out, as clients do that look after other things meanwhile."""
    end = time.monotonic() + testbed.scaled(BOUND_TO_COME) / 1000
    while (answer := client.get_configuration(testbed.scaled(5 * SOON))).code == VD_E_TIMEOUT:
        if time.monotonic() > end:
            break
    answer.expect(NOERROR)


@BACKUP
@vdi_requirement("CFG-30")
def test_several_threads_wait_for_the_configuration(testbed: Testbed, kind: Kind) -> None:
    """Threads that wait in GetConfiguration all get NOERROR and the same values when the set is configured."""
    statement = testbed.created(kind)
    limit = testbed.scaled(A_WHILE)
    waiting = [statement.primary.send_get_configuration(limit, thread=f"waiter {number}") for number in range(4)]
    _time_out(testbed, _created(testbed, beside=statement.primary), SOON)
    statement.execute()
    wanted = _described(statement.primary, limit)
    for later in waiting:
        _require_same(later.result().expect(NOERROR)._replace(buffer_area_size=0), wanted, "to another thread")


# What else ends the wait


@vdi_requirement("CFG-06")
def test_an_abort_of_another_thread_ends_the_wait(testbed: Testbed) -> None:
    """A waiting GetConfiguration answers VD_E_ABORT when another thread calls SignalAbort."""
    primary = _created(testbed)
    waiting = primary.send_get_configuration()
    primary.outside_addresses()
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@pytest.mark.parametrize("state", ["opened", "configuring"])
@vdi_requirement("CFG-07")
def test_an_abort_of_the_server_ends_the_wait(testbed: Testbed, state: str) -> None:
    """A waiting GetConfiguration answers VD_E_ABORT when the server aborts the set during configuration."""
    scripted = testbed.scripted_created()
    waiting = scripted.primary.send_get_configuration()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR)
    scripted.signal_abort()
    waiting.result().expect(VD_E_ABORT)


@vdi_requirement("CFG-32")
def test_a_server_without_memory_leaves_the_client_waiting(testbed: Testbed) -> None:
    """Where the server's EndConfiguration fails for lack of memory, GetConfiguration waits on until an abort."""
    scripted = testbed.scripted_created()
    waiting = scripted.primary.send_get_configuration(thread="waiter")
    scripted.begin_configuration()
    scripted.server.request_buffers(MAX_TRANSFER_SIZE, 0, A_TERABYTE // MAX_TRANSFER_SIZE).expect(NOERROR, VD_E_MEMORY)
    answer = scripted.server.end_configuration()
    answer.expect(NOERROR, VD_E_MEMORY)
    if answer.code == NOERROR:
        waiting.result().expect(NOERROR)
        return
    _time_out(testbed, _created(testbed, beside=scripted.primary), SOON)
    assert not waiting.done, "GetConfiguration returned though the configuration has not ended"
    scripted.signal_abort()
    waiting.result().expect(VD_E_ABORT)


# A statement that fails before the set is configured


@BACKUP
@vdi_requirement("CFG-29")
def test_who_learns_of_a_statement_with_a_wrong_option_is_observed(testbed: Testbed, kind: Kind) -> None:
    """After a statement failed for its BLOCKSIZE GetConfiguration answers VD_E_TIMEOUT or VD_E_ABORT."""
    statement = testbed.created(kind)
    waiting = statement.primary.send_get_configuration(thread="waiter")
    _fail(statement, block_size=513)
    answer = statement.primary.get_configuration(testbed.scaled(SOON))
    answer.permit("Q55", "GetConfiguration when a statement failed for its BLOCKSIZE", VD_E_TIMEOUT, VD_E_ABORT)
    statement.primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@RESTORE
@vdi_requirement("TSQ-22")
def test_a_statement_that_finds_no_set_harms_none(testbed: Testbed, kind: Kind) -> None:
    """A statement that fails before it opens the set leaves GetConfiguration waiting and the set to the next one."""
    statement = testbed.created(kind)
    waiting = statement.primary.send_get_configuration(thread="waiter")
    _fail(statement, testbed.name())
    statement.primary.get_configuration(testbed.scaled(SOON)).expect(VD_E_TIMEOUT)
    assert not waiting.done, "the failure of a statement on another set ended GetConfiguration"
    statement.configure()
    waiting.result().expect(NOERROR)
    statement.open_devices()
    statement.succeed()


def _fail(statement: StatementRun, device: str | None = None, block_size: int = 512) -> None:
    """Let the server run a statement that cannot succeed, to its end."""
    request = ExecuteStatement(
        operation=statement.kind,
        instance=None,
        devices=[device or statement.set_name],
        seed=0,
        size=statement.scenario.database_size,
        block_size=block_size,
        max_transfer_size=statement.scenario.max_transfer_size,
        buffer_count=statement.scenario.buffer_count,
        thread="failing statement",
    )
    if statement.server.call(request, patience=BOUND_TO_COME / 1000 * 2).succeeded:
        not_tested("the server took a statement that it should have refused")


# Once the set is configured


@vdi_requirement("CFG-09", "CFG-24")
def test_a_configured_set_says_the_same_in_every_state(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration answers NOERROR with fixed values in Initializing, Active and Normally Terminated."""
    statement = testbed.configured(kind, RICHER)
    wanted = _told_first(statement)
    _require_still_told(statement.primary, INFINITE, wanted, "in Initializing")
    statement.open_device(0)
    _require_still_told(statement.primary, INFINITE, wanted, "with one of two devices open")
    statement.open_device(1)
    command = statement.next_data_command()
    _require_still_told(statement.primary, 0, wanted, "in Active")
    statement.answer(command).expect(NOERROR, by="CMP-01")
    end = statement.run_out()
    for timeout in (0, INFINITE):
        _require_still_told(statement.primary, timeout, wanted, "in Normally Terminated")
    statement.close()
    statement.require_success(end)


@vdi_requirement("CFG-09", "CFG-24")
def test_a_secondary_is_told_the_same_in_every_state(testbed: Testbed) -> None:
    """GetConfiguration answers NOERROR with the same values to a secondary in every state that it has."""
    statement = testbed.configured("backup", replace(RICHER, owners=(0, 1)))
    wanted = _told_first(statement)
    statement.join_all()
    (secondary,) = statement.secondaries
    for state in ("Initializing", "Active", "Normally Terminated"):
        for timeout in (0, INFINITE):
            _require_still_told(secondary, timeout, wanted, f"to a secondary in {state}")
        if state == "Initializing":
            statement.open_devices()
        elif state == "Active":
            statement.run_out()
    statement.close()
    statement.require_success(statement.outcome())


def _require_still_told(client: Client, timeout: int, wanted: VDConfig, where: str) -> None:
    with judging("CFG-09"):
        found = _described(client, timeout)
    with judging("CFG-24"):
        _require_same(found, wanted, where)


@vdi_requirement("CFG-24")
def test_buffers_that_came_later_change_no_value(testbed: Testbed) -> None:
    """The values of GetConfiguration stay fixed when the server asks for more buffers after its configuration."""
    scripted = testbed.scripted(Scenario(secondaries=1))
    wanted = _told_first(scripted)
    for _ in range(2):
        scripted.request_buffers(2 * scripted.scenario.buffer_count)
        for client in scripted.clients:
            _require_same(_described(client), wanted, f"to {client.name}, with more buffers")


@alternating_direction("secondaries", [0, 1, 1], ["in one process", "in two processes", "in two processes"])
@vdi_requirement("CFG-10")
def test_every_call_says_the_same(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    """Repeated GetConfiguration calls give identical values in every state, in the primary and in a secondary."""
    statement = testbed.configured(kind, replace(RICHER, secondaries=secondaries))
    wanted = _told_first(statement)
    statement.join_all()
    for state in ("Initializing", "Active", "Normally Terminated"):
        for client in statement.clients * 2:
            _require_same(_described(client), wanted, f"to {client.name} in {state}")
        if state == "Initializing":
            statement.open_devices()
        elif state == "Active":
            statement.run_out()


# Out-variables


@pytest.mark.parametrize("end", ["time-out", "time-out of 0", "abort", "abort in use"])
@vdi_requirement("CFG-25")
def test_a_failure_promises_no_vdc_complete(testbed: Testbed, end: str) -> None:
    """A GetConfiguration that fails leaves no VDF_CompleteEnabled in the structure."""
    if end == "abort in use":
        primary = testbed.backup(Scenario(features=VDF_REQUEST_COMPLETE)).primary
        primary.get_configuration().expect(NOERROR)
    else:
        primary = _created(testbed, features=VDF_REQUEST_COMPLETE)
    if end.startswith("abort"):
        primary.signal_abort().expect(NOERROR)
    result = primary.get_configuration(0 if end == "time-out of 0" else testbed.scaled(SOON))
    result.expect(VD_E_ABORT if end.startswith("abort") else VD_E_TIMEOUT)
    if (found := result.value) is None:
        not_tested("the adapter does not say what GetConfiguration left in the structure")
    testbed.observe("Q23", f"GetConfiguration's structure after {result.name}", _left(found), LEFT)
    if found.features != UNTOUCHED and found.features & VDF_COMPLETE_ENABLED:
        raise ConformanceFailure(f"GetConfiguration failed and left VDF_CompleteEnabled in {found}")


def _left(found: VDConfig) -> str:
    untouched, zeros, other = LEFT
    values = set(found)
    return untouched if values == {UNTOUCHED} else zeros if values == {0} else other


@RESTORE
@vdi_requirement("CFG-26")
def test_a_null_structure_is_refused(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration with NULL for the structure fails, before and after configuration, and the set works on."""
    testbed.need("null_out_pointers", "it needs null out pointers")
    statement = testbed.created(kind)
    statement.primary.get_configuration(0, null_out=True).expect_failure()
    statement.configure()
    for timeout in (0, SOON, INFINITE):
        statement.primary.get_configuration(timeout, null_out=True).expect_failure()
    statement.open_devices()
    statement.succeed()
