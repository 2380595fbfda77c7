"""Threads of one process: each may call the set, none waits for another, and many begin at the same moment."""

from typing import Any

from vdi_conformance.harness.device import Device, Fetched
from vdi_conformance.harness.expectations import PendingAnswer, Result
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import handle_of, mapped_view
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.messages.client import CommandReply
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import INFINITE, VDConfig

A_WHILE = 2_000
"""So many milliseconds, before scaling, a call waits that others must not have to wait for."""
OTHERS = 10
"""So many commands pass on one device while another one waits."""

LOOPS = 60
"""So often a thread asks for a handle, or maps one."""


def _on_many_threads(testbed: Testbed) -> StatementRun:
    """Start a BACKUP over two devices; each call of the set comes from a thread of its own."""
    statement = testbed.prepared(Scenario(devices=2, owners=(0, 0)))
    primary = statement.primary
    primary.send_create_ex(None, statement.set_name, statement.scenario.config, "creator").result().expect(NOERROR)
    statement.execute()
    primary.send_get_configuration(thread="configurer").result().expect(NOERROR)
    for index, name in enumerate(statement.device_names):
        opened = primary.send_open_device(name, thread=f"opener {index}").result()
        statement.devices.append(opened.expect(NOERROR))
    return statement


@vdi_requirement("THR-01")
def test_each_call_of_the_set_comes_from_a_thread_of_its_own(testbed: Testbed) -> None:
    """Every method of the set may be called from any thread of the primary's process."""
    statement = _on_many_threads(testbed)
    primary, command = statement.primary, statement.next_data_command()
    handle = primary.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    primary.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    primary.send_signal_abort("aborter").result().expect(NOERROR)
    for device in statement.devices:
        device.await_abort()
    closed = primary.send_close("closer").result()
    closed.permit("Q4", "Close after an abort with devices open", NOERROR, VD_E_OPEN)
    statement.require_failure()


@vdi_requirement("THR-04")
def test_pointers_go_from_thread_to_thread(testbed: Testbed) -> None:
    """Interface pointers work in other threads than the one that they were handed out to, without marshalling."""
    statement = _on_many_threads(testbed)
    for number, command in enumerate(statement.commands()):
        size = command.size if command.buffer else 0
        command.device.complete(command, 0, size, thread=f"completer {number % 2}").expect(NOERROR)
    statement.primary.send_close("closer").result().expect(NOERROR)
    statement.require_success(statement.outcome())


@RESTORE
@vdi_requirement("THR-01")
def test_each_call_of_a_secondary_comes_from_a_thread_of_its_own(testbed: Testbed, kind: Kind) -> None:
    """Every method of the set may be called from any thread of a secondary's process."""
    statement = testbed.configured(kind, Scenario(owners=(1,)))
    secondary, name = statement.secondaries[0], statement.set_name
    secondary.send_open_in_secondary_ex(None, name, "joiner").result().expect(NOERROR)
    statement.devices.append(secondary.send_open_device(name, thread="opener").result().expect(NOERROR))
    secondary.send_get_configuration(thread="configurer").result().expect(NOERROR)
    command = statement.next_data_command()
    handle = secondary.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    secondary.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    secondary.send_signal_abort("aborter").result().expect(NOERROR)
    statement.device.await_abort()
    closed = secondary.send_close("closer").result()
    closed.permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    statement.require_failure()


# Who waits stops nobody


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("THR-02")
def test_a_device_goes_on_while_another_one_waits(testbed: Testbed, kind: Kind, owner: int) -> None:
    """A device fetches and completes commands while another one holds its own and waits in GetCommand."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(owner,), transfers=3 * OTHERS, buffer_count=2))
    first, second = statement.devices
    statement.answer(statement.hold_all()[1]).expect(NOERROR)
    for _ in range(3):
        waiting = first.send_get_command(testbed.scaled(A_WHILE))
        statement.pass_commands(second, OTHERS)
        if _went_on(waiting, "commands of another device") is not None:
            break


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("THR-03")
def test_a_waiting_device_stops_no_call_of_the_set(testbed: Testbed, kind: Kind, owner: int) -> None:
    """A GetCommand that waits stops neither GetBufferHandle, MapBufferHandle nor SignalAbort."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1, buffer_count=1))
    device, client = statement.device, statement.clients[owner]
    command = device.next_data_command()
    mapped_view(client, handle_of(command))
    waiting = device.send_get_command(testbed.scaled(A_WHILE))
    client.let_others_wait()
    handle = client.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    client.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    going_on = _went_on(waiting, "GetBufferHandle or MapBufferHandle")
    client.signal_abort().expect(NOERROR)
    device.await_abort(going_on)


def _went_on(
    waiting: PendingAnswer[CommandReply, Result[Fetched]], what: str
) -> PendingAnswer[CommandReply, Result[Fetched]] | None:
    """Fail the check where others had to wait for a GetCommand; give it where it still waits."""
    if not waiting.done:
        return waiting
    result = waiting.result()
    if result.code == VD_E_TIMEOUT:
        raise ConformanceFailure(f"{what} had to wait until the time of a GetCommand on another thread was over")
    result.expect(NOERROR)
    return None


@vdi_requirement("THR-03")
def test_who_waits_for_the_configuration_stops_no_call_of_the_set(testbed: Testbed) -> None:
    """A GetConfiguration that waits stops neither GetBufferHandle, MapBufferHandle nor SignalAbort."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig(device_count=1)).expect(NOERROR)
    waiting = primary.send_get_configuration(testbed.scaled(A_WHILE), thread="waiter")
    primary.get_configuration(0).expect(VD_E_TIMEOUT)
    primary.get_buffer_handle(primary.outside_addresses().stack).expect_failure()
    primary.map_buffer_handle(0).expect_failure()
    assert not waiting.done, "the calls of the set had to wait for GetConfiguration on another thread"
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("THR-05")
def test_a_close_ends_the_wait_of_another_thread(testbed: Testbed, kind: Kind, owner: int) -> None:
    """Close while another thread waits in GetCommand returns, and the wait ends with a failure."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    statement.next_data_command()
    client = statement.clients[owner]
    waiting = statement.device.send_get_command(testbed.scaled(A_WHILE))
    client.let_others_wait()
    subject = f"Close of the {OWNER_NAMES[owner]} while a thread waits in GetCommand"
    closed = testbed.outside_contract("Q45", subject, client.close)
    if closed is not None:
        closed.expect(NOERROR, VD_E_OPEN)
        ended = testbed.outside_contract("Q45", f"GetCommand after a {subject}", lambda: _end_of(waiting), chance=True)
        if ended is not None and ended.code == VD_E_TIMEOUT:
            raise ConformanceFailure("GetCommand went on waiting on a set that another thread had closed")
    statement.require_failure()


def _end_of(waiting: PendingAnswer[CommandReply, Result[Fetched]]) -> Result[Fetched]:
    """Fail the check unless a GetCommand comes to an end, and tell which."""
    result = waiting.result()
    while result.succeeded:
        assert result.value is not None
        result = result.value.device.get_command()
    result.expect_failure()
    return result


# Many at once


@vdi_requirement("THR-06")
def test_32_threads_open_their_devices_and_ask_for_the_configuration(testbed: Testbed) -> None:
    """OpenDevice by 32 threads at once gives 32 successes, and GetConfiguration NOERROR in each thread."""
    statement = testbed.configured("backup", Scenario(devices=32, transfers=1, buffer_count=32))
    statement.devices = _open_at_once(statement)
    statement.succeed()


@vdi_requirement("OPD-12", "THR-02")
def test_64_threads_open_64_devices_and_run_them(testbed: Testbed) -> None:
    """64 devices can be opened by 64 threads at once, and run in parallel to the end of the statement."""
    statement = testbed.configured("backup", Scenario(devices=64, transfers=1, buffer_count=64))
    with judging("OPD-12"):
        statement.devices = _open_at_once(statement)
    with judging("THR-02"):
        statement.succeed()


def _open_at_once(statement: StatementRun) -> list[Device]:
    """Open every device on a thread of its own, all at the same moment; each then asks for the configuration."""
    primary, names = statement.primary, statement.device_names
    with primary.host.concurrently():
        opening = [primary.send_open_device(name, thread=name) for name in names]
    asking = [primary.send_get_configuration(INFINITE, thread=name) for name in names]
    devices = [later.result().expect(NOERROR) for later in opening]
    for later in asking:
        later.result().expect(NOERROR)
    return devices


# Shared buffers, while an abort comes


@alternating_direction("aborter", [0, 1], ["a thread", "another process"])
@vdi_requirement("ABT-09")
@vdi_requirement("THR-07")
def test_handles_are_asked_for_and_mapped_while_an_abort_comes(testbed: Testbed, kind: Kind, aborter: int) -> None:
    """GetBufferHandle and MapBufferHandle give NOERROR or fail cleanly while another thread or process aborts."""
    statement = testbed.statement(kind, Scenario(secondaries=2))
    command = statement.next_data_command()
    handle = handle_of(command)
    primary, aborting, other = statement.clients
    calls: list[PendingAnswer[Any, Result[int]]] = []
    for _ in range(LOOPS):
        calls.append(primary.send_get_buffer_handle(command.buffer, thread="asker"))
        calls += [one.send_map_buffer_handle(handle, thread="mapper") for one in (primary, other)]
    calls.pop(LOOPS).result().expect(NOERROR)
    (primary, aborting)[aborter].signal_abort().expect(NOERROR, by="ABT-09")
    for later in calls:
        later.result().expect(NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL, by="THR-07")
    statement.device.await_abort()
    for client in (other, primary):
        client.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
