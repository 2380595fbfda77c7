"""SignalAbort: when it may be called, whom it reaches, what it ends, and that it lasts until Close."""

import pytest

from vdi_conformance.suite.device import BOUND_TO_COME, Device, begin_to_wait
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import ALONE_OR_NOT, BACKUP, OWNER_NAMES, OWNERS, in_turn
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_SNAPSHOT
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

CONFIG = VDConfig(device_count=1)
SPREAD = Geometry(devices=3, owners=(0, 0, 1), secondaries=2, buffer_count=6)
"""Two devices of the primary, one of a secondary, and a secondary without a device."""


def _created(stage: Stage) -> tuple[Participant, str]:
    primary, name = stage.participant("primary"), stage.name()
    primary.create_ex(None, name, CONFIG).expect(NOERROR)
    return primary, name


def _close_aborted(participant: Participant) -> None:
    """Close after an abort, without any VD_E_CLOSE before."""
    participant.close().permit("Q4", "Close after an abort with devices open", NOERROR, VD_E_OPEN)
    participant.close().expect(VD_E_PROTOCOL)


# When it may be called

CALLS_MEANWHILE = 100
"""So many calls elsewhere show that a call which was sent has begun to wait."""


@judges("ABT-01", "ABT-11")
def test_a_set_without_a_server_can_be_aborted_and_again(stage: Stage) -> None:
    primary, _ = _created(stage)
    for _ in range(3):
        primary.signal_abort().expect(NOERROR)


@in_turn("moment", ["configured", "open", "told of its end"])
@judges("ABT-01")
def test_a_set_can_be_aborted_at_any_time(stage: Stage, kind: Kind, moment: str) -> None:
    operation = stage.configured(kind)
    if moment != "configured":
        operation.open_devices()
    if moment == "told of its end":
        operation.run_out()
    for _ in range(2):
        operation.primary.signal_abort().expect(NOERROR)


@pytest.mark.parametrize("earlier", ["nothing", "a set that it closed", "a set that it aborted and closed"])
@judges("ABT-02")
def test_an_object_without_a_set_cannot_be_aborted(stage: Stage, earlier: str) -> None:
    primary = stage.participant("primary")
    if earlier != "nothing":
        primary.create_ex(None, stage.name(), CONFIG).expect(NOERROR)
        if earlier == "a set that it aborted and closed":
            primary.signal_abort().expect(NOERROR)
        primary.close().expect(NOERROR)
    for _ in range(2):
        primary.signal_abort().expect(VD_E_PROTOCOL)


@BACKUP
@judges("ABT-02")
def test_who_has_left_cannot_abort(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(secondaries=1))
    leaver = operation.secondaries[0]
    leaver.close().expect(NOERROR)
    operation.dismiss(leaver)
    leaver.signal_abort().expect(VD_E_PROTOCOL)
    operation.succeed()


@in_turn("holder", [0, 1], OWNER_NAMES)
@judges("ABT-14")
def test_who_holds_a_command_may_abort_and_close(stage: Stage, kind: Kind, holder: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(holder,)))
    participant = operation.next_data_command().device.participant
    participant.signal_abort().expect(NOERROR)
    participant.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    operation.require_failure()


@judges("SNP-09")
def test_who_holds_the_snapshot_command_may_abort_and_close(stage: Stage) -> None:
    operation = stage.backup(Geometry(snapshot=True))
    while (command := operation.device.next_command()).code != VDC_SNAPSHOT:
        operation.answer_any(command).expect(NOERROR)
    operation.primary.signal_abort().expect(NOERROR)
    answer = operation.primary.close()
    answer.permit("Q4", "Close after an abort with a Snapshot command held", NOERROR, VD_E_OPEN)
    operation.require_failure()


@judges("ABT-19")
def test_an_abort_after_the_end_fails_no_statement(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=ALONE_OR_NOT[kind]))
    for command in operation.commands():
        operation.answer_any(command).expect(NOERROR)
    for participant in operation.participants:
        participant.signal_abort().expect(NOERROR)
    operation.require_success(operation.outcome())
    for participant in reversed(operation.participants):
        answer = participant.close()
        answer.permit("Q49", "Close after an abort in Normally Terminated", NOERROR)


# Whom it reaches


@judges("ABT-03")
def test_an_abort_reaches_every_device_and_process(stage: Stage, kind: Kind) -> None:
    _abort_and_see_it_everywhere(stage, kind, SPREAD, aborter=0)


@BACKUP
@judges("ABT-03")
def test_an_abort_reaches_every_device_of_one_process(stage: Stage, kind: Kind) -> None:
    _abort_and_see_it_everywhere(stage, kind, Geometry(devices=3), aborter=0)


@in_turn("aborter", [1, 2], ["with a device", "without one"])
@judges("ABT-18")
def test_an_abort_of_a_secondary_reaches_every_device_and_process(stage: Stage, kind: Kind, aborter: int) -> None:
    _abort_and_see_it_everywhere(stage, kind, SPREAD, aborter)


def _abort_and_see_it_everywhere(stage: Stage, kind: Kind, geometry: Geometry, aborter: int) -> None:
    operation = stage.operation(kind, geometry)
    command = operation.next_data_command()
    operation.participants[aborter].signal_abort().expect(NOERROR)
    _require_abort_everywhere(operation.devices, operation.participants)
    command.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    operation.require_failure()


def _require_abort_everywhere(devices: list[Device], participants: list[Participant]) -> None:
    for device in devices:
        device.await_abort()
    for participant in participants:
        participant.await_abort()


@in_turn("aborter", [0, 2], ["primary", "secondary without a device"])
@judges("ABT-04", "ABT-09")
def test_an_abort_wakes_every_thread_that_waits_for_a_command(stage: Stage, kind: Kind, aborter: int) -> None:
    owners = (0, 0, 0, 0, 1, 1, 1, 1)
    geometry = Geometry(devices=len(owners), owners=owners, secondaries=2, buffer_count=2 * len(owners))
    operation = stage.operation(kind, geometry)
    waiting = dict(zip(operation.devices, begin_to_wait(*operation.devices), strict=True))
    busy = [device for device, later in waiting.items() if later.done]
    for device in busy:
        waiting[device].result().require(NOERROR)
    waiting |= zip(busy, begin_to_wait(*busy), strict=True)
    operation.participants[aborter].signal_abort().expect(NOERROR)
    for device, later in waiting.items():
        device.await_abort(later)
    operation.require_failure()


@judges("ABT-04", "ABT-09")
def test_an_abort_wakes_every_thread_that_waits_for_the_configuration(stage: Stage) -> None:
    primary, _ = _created(stage)
    waiting = [primary.send_get_configuration(thread=f"waiter {number}") for number in range(4)]
    primary.get_configuration(0).expect(VD_E_TIMEOUT)
    primary.signal_abort().expect(NOERROR)
    for later in waiting:
        later.result().expect(VD_E_ABORT)


# What it ends


@OWNERS
@judges("ABT-05")
def test_every_command_of_an_aborted_set_ends_as_aborted(stage: Stage, owner: int) -> None:
    scripted, tags = _with_commands(stage)
    scripted.aborted = True
    scripted.participants[owner].signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)


def _with_commands(stage: Stage) -> tuple[Scripted, list[int]]:
    """Have commands outstanding on a device of each of two processes, one fetched and one not, and on one beside."""
    scripted = stage.scripted(Geometry(devices=3, owners=(0, 1, 0), secondaries=2))
    assert all(scripted.passes(device, 1) for device in (0, 1)), "the set was aborted"
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    tags += [scripted.send(code=VDC_FLUSH, device=device) for device in range(3)]
    for device in scripted.devices[:2]:
        device.next_command()
    return scripted, tags


@OWNERS
@judges("ABT-06", "ABT-07")
def test_the_server_gets_nothing_more_through(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(owners=(owner,), secondaries=1))
    tag = scripted.send(scripted.allocate())
    scripted.aborted = True
    scripted.participants[1 - owner].signal_abort().expect(NOERROR)
    scripted.aborted_command(tag)
    refused = scripted.try_to_send(code=VDC_FLUSH)
    refused.require(VD_E_ABORT)
    seen = scripted.completion()
    if seen is None or (seen.tag, seen.code) != (refused.value, ERROR_OPERATION_ABORTED):
        raise ConformanceFailure("a command that was refused after an abort did not end with ERROR_OPERATION_ABORTED")
    scripted.server.allocate_buffer(512, 512).require_failure()
    scripted.server.request_buffers(65536, 512, 1).require_failure()
    scripted.device.await_abort()


@judges("ABT-11")
def test_the_server_sees_one_abort_of_many(stage: Stage) -> None:
    scripted, tags = _with_commands(stage)
    scripted.aborted = True
    for participant in [*scripted.participants, *scripted.participants]:
        participant.signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)
    for device in scripted.devices:
        device.await_abort()


@BACKUP
@judges("ABT-15")
def test_a_statement_fails_on_a_set_that_was_aborted_before(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    operation.primary.signal_abort().expect(NOERROR)
    operation.execute()
    operation.require_failure()


@OWNERS
@judges("ABT-16")
def test_an_idle_server_learns_of_an_abort(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(secondaries=1))
    waiting = scripted.server.send_next_completion(stage.scaled(BOUND_TO_COME))
    for _ in range(CALLS_MEANWHILE):
        scripted.primary.get_configuration().expect(NOERROR)
    scripted.aborted = True
    scripted.participants[owner].signal_abort().expect(NOERROR)
    if stage.bench.supervisor.wait_any([waiting.pending], stage.scaled(BOUND_TO_COME) / 2000) is None:
        raise ConformanceFailure("a server that waits for completions does not learn of an abort", ("an end",), "none")
    assert waiting.result() is None, "a command was completed that nobody had sent"


# That it lasts


@judges("ABT-10")
def test_an_abort_before_any_server_is_not_undone(stage: Stage) -> None:
    primary, name = _created(stage)
    primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        _require_still_aborted(primary, name)
        primary.create_ex(None, stage.name(), CONFIG).expect(VD_E_PROTOCOL)
        primary.create(stage.name(), CONFIG).expect(VD_E_PROTOCOL)
        beside = stage.beside(primary)
        beside.create_ex(None, stage.name(), CONFIG).expect(NOERROR)
        beside.close().expect(NOERROR)


def _require_still_aborted(participant: Participant, device: str) -> None:
    participant.get_configuration(0).expect(VD_E_ABORT)
    participant.open_device(device).expect(VD_E_ABORT)


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("ABT-10")
def test_an_abort_is_not_undone(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1))
    command = operation.next_data_command()
    operation.participants[1 - owner].signal_abort().expect(NOERROR)
    operation.device.await_abort()
    for _ in range(2):
        _require_still_aborted(operation.participants[owner], operation.set_name)
        operation.device.get_command().require(VD_E_ABORT)
        operation.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
        operation.primary.create_ex(None, stage.name(), CONFIG).expect(VD_E_PROTOCOL)
        stage.twin(operation, kind).succeed()


@BACKUP
@judges("ABT-10")
def test_an_abort_after_the_end_lasts_too(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind)
    operation.run_out()
    operation.primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        _require_still_aborted(operation.primary, operation.set_name)
        answer = operation.device.get_command()
        subject = "GetCommand after an abort on a device that had given VD_E_CLOSE"
        answer.permit("Q48", subject, VD_E_ABORT, VD_E_CLOSE)


@in_turn("aborter", [0, 1], OWNER_NAMES)
@judges("ABT-12")
def test_nobody_waits_for_the_end_of_an_aborted_device(stage: Stage, kind: Kind, aborter: int) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(0, aborter)))
    operation.participants[aborter].signal_abort().expect(NOERROR)
    for device in operation.devices:
        device.await_abort()
    for participant in reversed(operation.participants):
        _close_aborted(participant)
    operation.require_failure()


@judges("ABT-13")
def test_an_abort_leaves_the_set_to_its_close(stage: Stage) -> None:
    primary, name = _created(stage)
    primary.signal_abort().expect(NOERROR)
    primary.create_ex(None, name, CONFIG).expect(VD_E_PROTOCOL)
    primary.close().expect(NOERROR)
    primary.create_ex(None, name, CONFIG).expect(NOERROR)
    primary.get_configuration(0).expect(VD_E_TIMEOUT)


@BACKUP
@judges("ABT-13")
def test_a_new_statement_succeeds_after_an_abort_and_close(stage: Stage, kind: Kind) -> None:
    operation: Operation = stage.operation(kind, Geometry(devices=2, owners=(0, 1)))
    operation.next_data_command()
    operation.primary.signal_abort().expect(NOERROR)
    for device in operation.devices:
        device.await_abort()
    operation.primary.create_ex(None, stage.name(), CONFIG).expect(VD_E_PROTOCOL)
    for participant in reversed(operation.participants):
        _close_aborted(participant)
    operation.require_failure()
    stage.again(operation).succeed()


# An abort of the server


@judges("ABT-17")
def test_an_abort_of_the_server_wakes_everybody_and_lasts(stage: Stage) -> None:
    scripted = stage.scripted(SPREAD)
    tags = [scripted.send(scripted.allocate(), device=device) for device in range(3)]
    held = [device.next_command() for device in scripted.devices]
    waiting = begin_to_wait(*scripted.devices)
    scripted.signal_abort()
    for device, later in zip(scripted.devices, waiting, strict=True):
        device.await_abort(later)
    _require_abort_everywhere([], scripted.participants)
    for command in held:
        _require_still_aborted(command.device.participant, scripted.set_name)
        command.device.get_command().require(VD_E_ABORT)
        command.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    scripted.all_aborted(tags)
    for participant in reversed(scripted.participants):
        _close_aborted(participant)


@judges("ABT-17")
def test_an_abort_of_the_server_ends_what_nobody_fetched(stage: Stage) -> None:
    scripted, tags = _with_commands(stage)
    scripted.signal_abort()
    scripted.all_aborted(tags)


@judges("ABT-17")
def test_a_device_that_was_closed_before_the_servers_abort(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(0, 1)))
    scripted.close_device(1)
    scripted.signal_abort()
    scripted.device.await_abort()
    subject = "GetCommand after an abort on a device that the server had closed"
    scripted.devices[1].get_command().permit("Q48", subject, VD_E_ABORT, VD_E_CLOSE)
    scripted.participants[1].await_abort()
