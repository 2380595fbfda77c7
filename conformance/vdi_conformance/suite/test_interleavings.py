"""Calls that meet, many times: what must hold in whatever order they come."""

from collections.abc import Iterator
from functools import partial

from vdi_conformance.suite.device import Device
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.meeting import A_WHILE, ROUNDS, SETS, meet
from vdi_conformance.suite.operation import Operation
from vdi_conformance.suite.outcomes import Result
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.sharing import handle_of
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_WRITE_MEDIA
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    name_of,
)
from vdi_conformance.vdi.structures import VDConfig

RIVALRIES = 24
"""So many devices are opened by two at the same moment."""


def _created(stage: Stage) -> Iterator[tuple[int, Participant]]:
    """Create one set after the other in one process, and see each closed."""
    primary = stage.participant("primary")
    for turn in range(ROUNDS):
        primary.create_ex(None, stage.name(), VDConfig(device_count=1)).expect(NOERROR)
        yield turn, primary
        primary.close().expect(NOERROR)


def _configured(stage: Stage, geometry: Geometry) -> Iterator[tuple[int, Operation, Participant]]:
    """Run one statement after the other, each of which fails by an abort, in turn of the primary and of a secondary."""
    for turn, operation in enumerate(stage.backups(geometry, SETS)):
        operation.configure()
        operation.join_all()
        yield turn, operation, operation.participants[turn // 2 % 2]
        for participant in operation.participants:
            participant.await_abort()
        operation.require_failure()


def _scripted(stage: Stage) -> Iterator[tuple[int, Scripted, Participant]]:
    """Start one set after the other; each is aborted, in turn by the primary, which has the device, and a secondary."""
    for turn, scripted in enumerate(stage.scripts(Geometry(secondaries=1, buffer_count=1), SETS)):
        scripted.begin()
        scripted.aborted = True
        yield turn, scripted, scripted.participants[turn // 2 % 2]
        for participant in scripted.participants:
            participant.await_abort()


# An abort and those who begin to wait


@judges("ABT-04", "ABT-09")
def test_an_abort_meets_waits_for_the_configuration(stage: Stage) -> None:
    limit = stage.scaled(A_WHILE)
    for turn, primary in _created(stage):
        waiters = [partial(primary.send_get_configuration, limit, thread=f"waiter {number}") for number in range(3)]
        aborted, *waited = meet(turn, [primary], primary.send_signal_abort, *waiters)
        aborted.expect(NOERROR)
        for result in waited:
            result.require(VD_E_ABORT)
        primary.get_configuration(0).require(VD_E_ABORT)


@judges("ABT-04", "ABT-09")
def test_an_abort_meets_waits_for_commands(stage: Stage) -> None:
    limit = stage.scaled(A_WHILE)
    for turn, operation, aborter in _configured(stage, Geometry(devices=3, secondaries=1, transfers=1)):
        operation.open_devices()
        fetchers = [partial(device.send_get_command, limit) for device in operation.devices]
        aborted, *fetched = meet(turn, operation.participants, aborter.send_signal_abort, *fetchers)
        aborted.expect(NOERROR)
        for device, result in zip(operation.devices, fetched, strict=True):
            result.require(NOERROR, VD_E_ABORT)
            device.await_abort()


@judges("CFG-07", "ABT-17")
def test_an_abort_of_the_server_meets_a_wait_for_the_configuration(stage: Stage) -> None:
    limit = stage.scaled(A_WHILE)
    for turn, scripted in enumerate(stage.scripts(Geometry(), SETS)):
        primary, server = scripted.primary, scripted.server
        server.open(None, scripted.set_name).expect(NOERROR)
        server.begin_configuration(VDF_WRITE_MEDIA, 512, 512, 65536, limit).expect(NOERROR)
        scripted.aborted = True
        aborted, waited = meet(
            turn, [primary, server], server.send_signal_abort, partial(primary.send_get_configuration, limit)
        )
        aborted.expect(NOERROR)
        waited.require(VD_E_ABORT)


# An abort and other calls


@judges("ABT-01", "ABT-11")
def test_aborts_of_several_threads_meet(stage: Stage) -> None:
    for turn, primary in _created(stage):
        aborters = [partial(primary.send_signal_abort, f"aborter {number}") for number in range(4)]
        for aborted in meet(turn, [primary], *aborters):
            aborted.expect(NOERROR)
        primary.get_configuration(0).require(VD_E_ABORT)


@judges("ABT-03")
def test_an_abort_meets_an_open(stage: Stage) -> None:
    for turn, operation, aborter in _configured(stage, Geometry(secondaries=1, transfers=1)):
        primary, name = operation.primary, operation.set_name
        aborted, opened = meet(
            turn, operation.participants, aborter.send_signal_abort, partial(primary.send_open_device, name)
        )
        aborted.expect(NOERROR)
        opened.require(NOERROR, VD_E_ABORT)
        if opened.succeeded:
            opened.value.await_abort()
        primary.await_abort()
        primary.open_device(name).require(VD_E_ABORT)


@judges("THR-07")
def test_an_abort_meets_handles_and_mappings(stage: Stage) -> None:
    for turn, operation, aborter in _configured(stage, Geometry(secondaries=1, transfers=1)):
        operation.open_devices()
        primary, secondary = operation.participants
        command = operation.next_data_command()
        handle = handle_of(command)
        aborted, *shared = meet(
            turn,
            operation.participants,
            aborter.send_signal_abort,
            partial(primary.send_get_buffer_handle, command.buffer, thread="asker"),
            partial(primary.send_map_buffer_handle, handle, thread="mapper"),
            partial(secondary.send_map_buffer_handle, handle, thread="mapper"),
        )
        aborted.expect(NOERROR)
        for result in shared:
            result.require(NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
        operation.device.await_abort()


# What the server sees of it


@judges("ABT-05")
def test_an_abort_meets_a_fetch(stage: Stage) -> None:
    for turn, scripted, aborter in _scripted(stage):
        tags = [scripted.send(code=VDC_FLUSH) for _ in range(2)]
        aborted, fetched = meet(
            turn, scripted.participants, aborter.send_signal_abort, scripted.device.send_get_command
        )
        aborted.expect(NOERROR)
        fetched.require(NOERROR, VD_E_ABORT)
        scripted.all_aborted(tags)
        scripted.device.await_abort()


@judges("CMP-20")
def test_an_abort_meets_a_completion(stage: Stage) -> None:
    for turn, scripted, aborter in _scripted(stage):
        tag = scripted.send(scripted.allocate())
        command = scripted.device.next_command()
        aborted, completed = meet(
            turn,
            scripted.participants,
            aborter.send_signal_abort,
            partial(command.device.send_complete, command, ERROR_SUCCESS, 512),
        )
        aborted.expect(NOERROR)
        completed.require(NOERROR, VD_E_ABORT)
        seen = scripted.all_ended([tag], ERROR_SUCCESS, ERROR_OPERATION_ABORTED)
        if completed.code == VD_E_ABORT and seen != {ERROR_OPERATION_ABORTED}:
            raise ConformanceFailure("CompleteCommand gave VD_E_ABORT, and the server saw the completion all the same")


@judges("ABT-06")
def test_an_abort_meets_a_command_on_its_way(stage: Stage) -> None:
    for turn, scripted, aborter in _scripted(stage):
        processes = [*scripted.participants, scripted.server]
        aborted, sent = meet(
            turn, processes, aborter.send_signal_abort, partial(scripted.start_to_send, code=VDC_FLUSH)
        )
        aborted.expect(NOERROR)
        sent.require(NOERROR, VD_E_ABORT)
        scripted.all_aborted([sent.value])
        scripted.try_to_send(code=VDC_FLUSH).require(VD_E_ABORT)


@judges("ABT-05", "ABT-17")
def test_aborts_of_all_processes_meet(stage: Stage) -> None:
    for turn, scripted, _ in _scripted(stage):
        tags = [scripted.send(code=VDC_FLUSH) for _ in range(2)]
        scripted.device.next_command()
        aborters = [one.send_signal_abort for one in scripted.participants]
        processes = [*scripted.participants, scripted.server]
        for aborted in meet(turn, processes, scripted.server.send_signal_abort, *aborters):
            aborted.expect(NOERROR)
        scripted.all_aborted(tags)


# A command and who waits for it


@judges("CMD-24")
def test_a_command_meets_a_wait_for_it(scripted: Scripted) -> None:
    device, limit = scripted.device, scripted.primary.scaled(A_WHILE)
    for turn in range(ROUNDS):
        sent, fetched = meet(
            turn,
            [scripted.primary, scripted.server],
            partial(scripted.start_to_send, code=VDC_FLUSH),
            partial(device.send_get_command, limit),
        )
        tag = sent.expect(NOERROR)
        device.complete(fetched.expect(NOERROR)).expect(NOERROR)
        scripted.completed(tag, ERROR_SUCCESS, 0)


# Rivals


@judges("NAM-08")
def test_one_of_two_processes_creates_a_set_of_a_name(stage: Stage) -> None:
    rivals = [stage.participant("primary"), stage.participant("rival")]
    for turn in range(ROUNDS):
        name, config = stage.name(), VDConfig(device_count=1)
        creating = [partial(rival.send_create_ex, None, name, config) for rival in rivals]
        answers = meet(turn, rivals, *creating)
        winners = [rival for rival, answer in zip(rivals, answers, strict=True) if answer.code == NOERROR]
        if len(winners) != 1:
            names = ", ".join(answer.name for answer in answers)
            raise ConformanceFailure(f"two that created a set of one name at the same moment got {names}")
        winners[0].get_configuration(0).require(VD_E_TIMEOUT)
        winners[0].close().expect(NOERROR)


@judges("OPD-05")
def test_one_of_two_threads_opens_a_device(stage: Stage) -> None:
    operation = stage.configured("backup", Geometry(devices=RIVALRIES, transfers=1, buffer_count=RIVALRIES))
    primary = operation.primary
    for turn, name in enumerate(operation.device_names):
        rivals = [partial(primary.send_open_device, name, thread=f"rival {number}") for number in range(2)]
        operation.devices.append(_one_winner(operation, meet(turn, [primary], *rivals)))
    operation.succeed()


@judges("OPD-17", "SEC-21")
def test_one_of_two_processes_opens_a_device(stage: Stage) -> None:
    geometry = Geometry(devices=RIVALRIES, secondaries=1, transfers=1, buffer_count=RIVALRIES)
    operation = stage.configured("backup", geometry)
    operation.join_all()
    for turn, name in enumerate(operation.device_names):
        rivals = [partial(rival.send_open_device, name) for rival in operation.participants]
        operation.devices.append(_one_winner(operation, meet(turn, operation.participants, *rivals)))
    operation.succeed()


def _one_winner(operation: Operation, results: list[Result[Device]]) -> Device:
    """Fail the check unless one of the rivals got the device; the other is told that it, or that every one, is open."""
    is_last = len(operation.devices) == RIVALRIES - 1
    winners = [result for result in results if result.succeeded]
    if len(winners) != 1:
        names = ", ".join(name_of(result.code) for result in results)
        raise ConformanceFailure(f"two that opened one device at the same moment got {names}")
    for result in results:
        result.require(NOERROR, VD_E_PROTOCOL, *[VD_E_OPEN] * is_last)
    return winners[0].expect(NOERROR)
