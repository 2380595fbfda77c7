"""Threads of one process: each may call the set, none waits for another, and many begin at the same moment."""

from typing import Any

from vdi_conformance.host.messages.client import CommandReply
from vdi_conformance.suite.device import Device, Fetched
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import Later, Result
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import handle_of
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, RESTORE, in_turn
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


def _on_many_threads(stage: Stage) -> Operation:
    """Start a BACKUP over two devices; each call of the set comes from a thread of its own."""
    operation = stage.prepared(Geometry(devices=2, owners=(0, 0)))
    primary = operation.primary
    primary.send_create_ex(None, operation.set_name, operation.geometry.config, "creator").result().expect(NOERROR)
    operation.execute()
    primary.send_get_configuration(thread="configurer").result().expect(NOERROR)
    for index, name in enumerate(operation.device_names):
        opened = primary.send_open_device(name, thread=f"opener {index}").result()
        operation.devices.append(opened.expect(NOERROR))
    return operation


@judges("THR-01")
def test_each_call_of_the_set_comes_from_a_thread_of_its_own(stage: Stage) -> None:
    operation = _on_many_threads(stage)
    primary, command = operation.primary, operation.next_data_command()
    handle = primary.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    primary.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    primary.send_signal_abort("aborter").result().expect(NOERROR)
    for device in operation.devices:
        device.await_abort()
    closed = primary.send_close("closer").result()
    closed.permit("Q4", "Close after an abort with devices open", NOERROR, VD_E_OPEN)
    operation.require_failure()


@judges("THR-04")
def test_pointers_go_from_thread_to_thread(stage: Stage) -> None:
    operation = _on_many_threads(stage)
    for number, command in enumerate(operation.commands()):
        size = command.size if command.buffer else 0
        command.device.complete(command, 0, size, thread=f"completer {number % 2}").expect(NOERROR)
    operation.primary.send_close("closer").result().expect(NOERROR)
    operation.require_success(operation.outcome())


@RESTORE
@judges("THR-01")
def test_each_call_of_a_secondary_comes_from_a_thread_of_its_own(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(owners=(1,)))
    secondary, name = operation.secondaries[0], operation.set_name
    secondary.send_open_in_secondary_ex(None, name, "joiner").result().expect(NOERROR)
    operation.devices.append(secondary.send_open_device(name, thread="opener").result().expect(NOERROR))
    secondary.send_get_configuration(thread="configurer").result().expect(NOERROR)
    command = operation.next_data_command()
    handle = secondary.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    secondary.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    secondary.send_signal_abort("aborter").result().expect(NOERROR)
    operation.device.await_abort()
    closed = secondary.send_close("closer").result()
    closed.permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    operation.require_failure()


# Who waits stops nobody


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("THR-02")
def test_a_device_goes_on_while_another_one_waits(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(owner,), transfers=3 * OTHERS, buffer_count=2))
    first, second = operation.devices
    operation.answer(operation.hold_all()[1]).expect(NOERROR)
    for _ in range(3):
        waiting = first.send_get_command(stage.scaled(A_WHILE))
        operation.pass_commands(second, OTHERS)
        if _went_on(waiting, "commands of another device") is not None:
            break


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("THR-03")
def test_a_waiting_device_stops_no_call_of_the_set(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1, buffer_count=1))
    device, participant = operation.device, operation.participants[owner]
    command = device.next_data_command()
    waiting = device.send_get_command(stage.scaled(A_WHILE))
    participant.get_configuration().expect(NOERROR)
    handle = participant.send_get_buffer_handle(command.buffer, thread="asker").result().expect(NOERROR)
    participant.send_map_buffer_handle(handle, thread="mapper").result().expect(NOERROR)
    going_on = _went_on(waiting, "GetBufferHandle or MapBufferHandle")
    participant.signal_abort().expect(NOERROR)
    device.await_abort(going_on)


def _went_on(waiting: Later[CommandReply, Result[Fetched]], what: str) -> Later[CommandReply, Result[Fetched]] | None:
    """Fail the check where others had to wait for a GetCommand; give it where it still waits."""
    if not waiting.done:
        return waiting
    result = waiting.result()
    if result.code == VD_E_TIMEOUT:
        raise ConformanceFailure(f"{what} had to wait until the time of a GetCommand on another thread was over")
    result.require(NOERROR)
    return None


@judges("THR-03")
def test_who_waits_for_the_configuration_stops_no_call_of_the_set(stage: Stage) -> None:
    primary = stage.participant("primary")
    primary.create_ex(None, stage.name(), VDConfig(device_count=1)).expect(NOERROR)
    waiting = primary.send_get_configuration(stage.scaled(A_WHILE), thread="waiter")
    primary.get_configuration(0).expect(VD_E_TIMEOUT)
    primary.get_buffer_handle(primary.landmarks().stack).require_failure()
    primary.map_buffer_handle(0).require_failure()
    assert not waiting.done, "the calls of the set had to wait for GetConfiguration on another thread"
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("THR-05")
def test_a_close_ends_the_wait_of_another_thread(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1))
    operation.next_data_command()
    participant = operation.participants[owner]
    waiting = operation.device.send_get_command(stage.scaled(A_WHILE))
    participant.get_configuration().expect(NOERROR)
    subject = f"Close of the {OWNER_NAMES[owner]} while a thread waits in GetCommand"
    closed = stage.outside_contract("Q45", subject, participant.close)
    if closed is not None:
        closed.require(NOERROR, VD_E_OPEN)
        ended = stage.outside_contract("Q45", f"GetCommand after a {subject}", lambda: _end_of(waiting), chance=True)
        if ended is not None and ended.code == VD_E_TIMEOUT:
            raise ConformanceFailure("GetCommand went on waiting on a set that another thread had closed")
    operation.require_failure()


def _end_of(waiting: Later[CommandReply, Result[Fetched]]) -> Result[Fetched]:
    """Fail the check unless a GetCommand comes to an end, and tell which."""
    result = waiting.result()
    while result.succeeded:
        assert result.value is not None
        result = result.value.device.get_command()
    result.require_failure()
    return result


# Many at once


@judges("THR-06")
def test_32_threads_open_their_devices_and_ask_for_the_configuration(stage: Stage) -> None:
    operation = stage.configured("backup", Geometry(devices=32, transfers=1, buffer_count=32))
    operation.devices = _open_at_once(operation)
    operation.succeed()


@judges("OPD-12", "THR-02")
def test_64_threads_open_64_devices_and_run_them(stage: Stage) -> None:
    operation = stage.configured("backup", Geometry(devices=64, transfers=1, buffer_count=64))
    operation.devices = _open_at_once(operation)
    operation.succeed()


def _open_at_once(operation: Operation) -> list[Device]:
    """Open every device on a thread of its own, all at the same moment; each then asks for the configuration."""
    primary, names = operation.primary, operation.device_names
    with primary.host.at_once():
        opening = [primary.send_open_device(name, thread=name) for name in names]
    asking = [primary.send_get_configuration(INFINITE, thread=name) for name in names]
    devices = [later.result().expect(NOERROR) for later in opening]
    for later in asking:
        later.result().expect(NOERROR)
    return devices


# Shared buffers, while an abort comes


@in_turn("aborter", [0, 1], ["a thread", "another process"])
@judges("THR-07")
def test_handles_are_asked_for_and_mapped_while_an_abort_comes(stage: Stage, kind: Kind, aborter: int) -> None:
    operation = stage.operation(kind, Geometry(secondaries=2))
    command = operation.next_data_command()
    handle = handle_of(command)
    primary, aborting, other = operation.participants
    calls: list[Later[Any, Result[int]]] = []
    for _ in range(LOOPS):
        calls.append(primary.send_get_buffer_handle(command.buffer, thread="asker"))
        calls += [one.send_map_buffer_handle(handle, thread="mapper") for one in (primary, other)]
    calls.pop(LOOPS).result().require(NOERROR)
    (primary, aborting)[aborter].signal_abort().expect(NOERROR)
    for later in calls:
        later.result().require(NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    operation.device.await_abort()
    for participant in (other, primary):
        participant.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
