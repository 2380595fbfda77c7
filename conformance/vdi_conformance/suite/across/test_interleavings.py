"""Concurrent calls, many times: what must hold in whatever order they come."""

from collections.abc import Iterator
from functools import partial

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.concurrency import A_WHILE, ROUNDS, SETS, concurrently
from vdi_conformance.harness.device import Device
from vdi_conformance.harness.expectations import Result
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import handle_of
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_WRITE_MEDIA
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    name_of,
)
from vdi_conformance.vdi.structures import VDConfig

RIVALRIES = 24
"""So many devices are opened by two at the same moment."""


def _created(testbed: Testbed) -> Iterator[tuple[int, Client]]:
    """Create one set after the other in one process, and see each closed."""
    primary = testbed.client("primary")
    for turn in range(ROUNDS):
        primary.create_ex(None, testbed.name(), VDConfig(device_count=1)).expect(NOERROR)
        yield turn, primary
        primary.close().expect(NOERROR)


def _configured(testbed: Testbed, scenario: Scenario) -> Iterator[tuple[int, StatementRun, Client]]:
    """Run one statement after the other, each of which fails by an abort, in turn of the primary and of a secondary."""
    for turn, statement in enumerate(testbed.backups(scenario, SETS)):
        statement.configure()
        statement.join_all()
        yield turn, statement, statement.clients[turn // 2 % 2]
        for client in statement.clients:
            client.await_abort()
        statement.require_failure()


def _scripted(testbed: Testbed) -> Iterator[tuple[int, ScriptedSet, Client]]:
    """Start one set after the other; each is aborted, in turn by the primary, which has the device, and a secondary."""
    for turn, scripted in enumerate(testbed.scripts(Scenario(secondaries=1, buffer_count=1), SETS)):
        scripted.begin()
        scripted.aborted = True
        yield turn, scripted, scripted.clients[turn // 2 % 2]
        for client in scripted.clients:
            client.await_abort()


# An abort and those who begin to wait


@vdi_requirement("ABT-04", "ABT-09")
def test_an_abort_meets_waits_for_the_configuration(testbed: Testbed) -> None:
    """SignalAbort of one thread wakes each GetConfiguration that others begin at that moment with VD_E_ABORT."""
    limit = testbed.scaled(A_WHILE)
    for turn, primary in _created(testbed):
        waiters = [partial(primary.send_get_configuration, limit, thread=f"waiter {number}") for number in range(3)]
        with judging("ABT-04"):
            aborted, *waited = concurrently(turn, [primary], primary.send_signal_abort, *waiters)
        aborted.expect(NOERROR, by="ABT-09")
        for result in waited:
            result.expect(VD_E_ABORT, by="ABT-04")
        primary.get_configuration(0).expect(VD_E_ABORT, by="ABT-09")


@vdi_requirement("ABT-04", "ABT-09")
def test_an_abort_meets_waits_for_commands(testbed: Testbed) -> None:
    """SignalAbort wakes each GetCommand that is begun at that moment, on any device and from any process."""
    limit = testbed.scaled(A_WHILE)
    for turn, statement, aborter in _configured(testbed, Scenario(devices=3, secondaries=1, transfers=1)):
        statement.open_devices()
        fetchers = [partial(device.send_get_command, limit) for device in statement.devices]
        with judging("ABT-04"):
            aborted, *fetched = concurrently(turn, statement.clients, aborter.send_signal_abort, *fetchers)
        aborted.expect(NOERROR, by="ABT-09")
        with judging("ABT-04"):
            for device, result in zip(statement.devices, fetched, strict=True):
                result.expect(NOERROR, VD_E_ABORT)
                device.await_abort()


@vdi_requirement("CFG-07", "ABT-17")
def test_an_abort_of_the_server_meets_a_wait_for_the_configuration(testbed: Testbed) -> None:
    """An abort by the server wakes a GetConfiguration that is begun at that moment with VD_E_ABORT."""
    limit = testbed.scaled(A_WHILE)
    for turn, scripted in enumerate(testbed.scripts(Scenario(), SETS)):
        primary, server = scripted.primary, scripted.server
        server.open(None, scripted.set_name).expect(NOERROR)
        server.begin_configuration(VDF_WRITE_MEDIA, 512, 512, 65536, limit).expect(NOERROR)
        scripted.aborted = True
        with judging("CFG-07"):
            aborted, waited = concurrently(
                turn, [primary, server], server.send_signal_abort, partial(primary.send_get_configuration, limit)
            )
        aborted.expect(NOERROR, by="ABT-17")
        waited.expect(VD_E_ABORT, by="CFG-07")
        with judging("ABT-17"):
            primary.await_abort()


# An abort and other calls


@vdi_requirement("ABT-01", "ABT-11")
def test_aborts_of_several_threads_meet(testbed: Testbed) -> None:
    """SignalAbort answers NOERROR to each of several threads that call it at the same moment."""
    for turn, primary in _created(testbed):
        aborters = [partial(primary.send_signal_abort, f"aborter {number}") for number in range(4)]
        answers = concurrently(turn, [primary], *aborters)
        with judging("ABT-11" if any(one.code == NOERROR for one in answers) else "ABT-01"):
            for aborted in answers:
                aborted.expect(NOERROR)
        primary.get_configuration(0).expect(VD_E_ABORT, by="ABT-11")


@vdi_requirement("ABT-03")
def test_an_abort_meets_an_open(testbed: Testbed) -> None:
    """SignalAbort at the moment of an OpenDevice puts the whole set into the abort state, the new device too."""
    for turn, statement, aborter in _configured(testbed, Scenario(secondaries=1, transfers=1)):
        primary, name = statement.primary, statement.set_name
        aborted, opened = concurrently(
            turn, statement.clients, aborter.send_signal_abort, partial(primary.send_open_device, name)
        )
        aborted.expect(NOERROR)
        opened.expect(NOERROR, VD_E_ABORT)
        if opened.succeeded:
            opened.value.await_abort()
        primary.await_abort()
        primary.open_device(name).expect(VD_E_ABORT)


@vdi_requirement("ABT-09")
@vdi_requirement("THR-07")
def test_an_abort_meets_handles_and_mappings(testbed: Testbed) -> None:
    """GetBufferHandle and MapBufferHandle at the moment of an abort return NOERROR or fail cleanly; it is accepted."""
    for turn, statement, aborter in _configured(testbed, Scenario(secondaries=1, transfers=1)):
        statement.open_devices()
        primary, secondary = statement.clients
        command = statement.next_data_command()
        handle = handle_of(command)
        aborted, *shared = concurrently(
            turn,
            statement.clients,
            aborter.send_signal_abort,
            partial(primary.send_get_buffer_handle, command.buffer, thread="asker"),
            partial(primary.send_map_buffer_handle, handle, thread="mapper"),
            partial(secondary.send_map_buffer_handle, handle, thread="mapper"),
        )
        aborted.expect(NOERROR, by="ABT-09")
        for result in shared:
            result.expect(NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL, by="THR-07")
        statement.device.await_abort()


# What the server sees of it


@vdi_requirement("ABT-05")
def test_an_abort_meets_a_fetch(testbed: Testbed) -> None:
    """The server sees a command aborted that was fetched at the moment of the abort, and one that was not."""
    for turn, scripted, aborter in _scripted(testbed):
        tags = [scripted.send(code=VDC_FLUSH) for _ in range(2)]
        aborted, fetched = concurrently(
            turn, scripted.clients, aborter.send_signal_abort, scripted.device.send_get_command
        )
        aborted.expect(NOERROR)
        fetched.expect(NOERROR, VD_E_ABORT)
        scripted.all_aborted(tags)
        scripted.device.await_abort()


@vdi_requirement("CMP-20")
def test_an_abort_meets_a_completion(testbed: Testbed) -> None:
    """The server sees a completion at the moment of an abort once, and none that gave VD_E_ABORT."""
    for turn, scripted, aborter in _scripted(testbed):
        tag = scripted.send(scripted.allocate())
        command = scripted.device.next_command()
        aborted, completed = concurrently(
            turn,
            scripted.clients,
            aborter.send_signal_abort,
            partial(command.device.send_complete, command, ERROR_SUCCESS, 512),
        )
        aborted.expect(NOERROR)
        completed.expect(NOERROR, VD_E_ABORT)
        seen = scripted.all_ended([tag], ERROR_SUCCESS, ERROR_OPERATION_ABORTED)
        if completed.code == VD_E_ABORT and seen != {ERROR_OPERATION_ABORTED}:
            raise ConformanceFailure("CompleteCommand gave VD_E_ABORT, and the server saw the completion all the same")


@vdi_requirement("ABT-06")
def test_an_abort_meets_a_command_on_its_way(testbed: Testbed) -> None:
    """The server can send no command after an abort, and sees one sent at that moment aborted."""
    for turn, scripted, aborter in _scripted(testbed):
        processes = [*scripted.clients, scripted.server]
        aborted, sent = concurrently(
            turn, processes, aborter.send_signal_abort, partial(scripted.start_to_send, code=VDC_FLUSH)
        )
        aborted.expect(NOERROR)
        sent.expect(NOERROR, VD_E_ABORT)
        scripted.all_aborted([sent.value])
        scripted.try_to_send(code=VDC_FLUSH).expect(VD_E_ABORT)


@vdi_requirement("ABT-05", "ABT-17")
def test_aborts_of_all_processes_meet(testbed: Testbed) -> None:
    """When server and clients abort at the same moment, each gets NOERROR, and every command ends aborted."""
    for turn, scripted, _ in _scripted(testbed):
        tags = [scripted.send(code=VDC_FLUSH) for _ in range(2)]
        scripted.device.next_command()
        aborters = [one.send_signal_abort for one in scripted.clients]
        processes = [*scripted.clients, scripted.server]
        of_server, *of_clients = concurrently(turn, processes, scripted.server.send_signal_abort, *aborters)
        of_server.expect(NOERROR, by="ABT-17")
        for aborted in of_clients:
            aborted.expect(NOERROR, by="ABT-01")
        with judging("ABT-05"):
            scripted.all_aborted(tags)


# A command and who waits for it


@vdi_requirement("CMD-24")
def test_a_command_meets_a_wait_for_it(scripted: ScriptedSet) -> None:
    """A command that the server sends wakes a GetCommand that is begun at that moment."""
    device, limit = scripted.device, scripted.primary.scaled(A_WHILE)
    for turn in range(ROUNDS):
        sent, fetched = concurrently(
            turn,
            [scripted.primary, scripted.server],
            partial(scripted.start_to_send, code=VDC_FLUSH),
            partial(device.send_get_command, limit),
        )
        tag = sent.expect(NOERROR)
        device.complete(fetched.expect(NOERROR)).expect(NOERROR)
        scripted.completed(tag, ERROR_SUCCESS, 0)


# Rivals


@vdi_requirement("OPD-05")
def test_one_of_two_threads_opens_a_device(testbed: Testbed) -> None:
    """Of two threads that open one device at the same moment one succeeds, and the other is refused."""
    statement = testbed.configured("backup", Scenario(devices=RIVALRIES, transfers=1, buffer_count=RIVALRIES))
    primary = statement.primary
    for turn, name in enumerate(statement.device_names):
        rivals = [partial(primary.send_open_device, name, thread=f"rival {number}") for number in range(2)]
        results = concurrently(turn, [primary], *rivals)
        statement.devices.append(_one_winner(statement, results, winning="OPD-05", losing="OPD-05"))
    statement.succeed()


@vdi_requirement("OPD-17", "SEC-21")
def test_one_of_two_processes_opens_a_device(testbed: Testbed) -> None:
    """Of two processes that open one device at the same moment one succeeds, and the other is refused."""
    scenario = Scenario(devices=RIVALRIES, secondaries=1, transfers=1, buffer_count=RIVALRIES)
    statement = testbed.configured("backup", scenario)
    statement.join_all()
    for turn, name in enumerate(statement.device_names):
        rivals = [partial(rival.send_open_device, name) for rival in statement.clients]
        results = concurrently(turn, statement.clients, *rivals)
        statement.devices.append(_one_winner(statement, results, winning="SEC-21", losing="OPD-17"))
    statement.succeed()


def _one_winner(statement: StatementRun, results: list[Result[Device]], winning: str, losing: str) -> Device:
    """Fail the check unless one of the rivals got the device; the other is told that it, or that every one, is open."""
    is_last = len(statement.devices) == RIVALRIES - 1
    winners = [result for result in results if result.succeeded]
    if len(winners) != 1:
        names = ", ".join(name_of(result.code) for result in results)
        raise ConformanceFailure(f"two that opened one device at the same moment got {names}", by=winning)
    for result in results:
        result.expect(NOERROR, VD_E_PROTOCOL, *[VD_E_OPEN] * is_last, by=losing)
    return winners[0].expect(NOERROR)
