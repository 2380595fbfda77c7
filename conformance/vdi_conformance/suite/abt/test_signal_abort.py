"""SignalAbort: whom it reaches, what it ends, and that it lasts until Close."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.concurrency import A_WHILE
from vdi_conformance.harness.device import BOUND_TO_COME, Device, begin_to_wait
from vdi_conformance.harness.expectations import Result
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, OWNER_NAMES, OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH, VDF_WRITE_MEDIA
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

CONFIG = VDConfig(device_count=1)
SPREAD = Scenario(devices=3, owners=(0, 0, 1), secondaries=2, buffer_count=6)
"""Two devices of the primary, one of a secondary, and a secondary without a device."""
WHILE_CONFIGURING = pytest.mark.parametrize("state", ["opened", "configuring"])
CALLS_MEANWHILE = 100
"""So many calls elsewhere show that a call which was sent has begun to wait."""


def _created(testbed: Testbed) -> tuple[Client, str]:
    primary, name = testbed.client("primary"), testbed.name()
    primary.create_ex(None, name, CONFIG).expect(NOERROR, by="CRE-01")
    return primary, name


def _close_aborted(client: Client) -> None:
    """Close after an abort, without any VD_E_CLOSE before."""
    client.close().permit("Q4", "Close after an abort with devices open", NOERROR, VD_E_OPEN)
    client.close().expect(VD_E_PROTOCOL)


# Whom it reaches


@vdi_requirement("ABT-03")
def test_an_abort_reaches_every_device_and_process(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort of the primary puts every device and every process of the set into the abort state."""
    _abort_and_see_it_everywhere(testbed, kind, SPREAD, aborter=0)


@BACKUP
@vdi_requirement("ABT-03")
def test_an_abort_reaches_every_device_of_one_process(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort puts every device of the calling process into the abort state."""
    _abort_and_see_it_everywhere(testbed, kind, Scenario(devices=3), aborter=0)


@alternating_direction("aborter", [1, 2], ["with a device", "without one"])
@vdi_requirement("ABT-18")
def test_an_abort_of_a_secondary_reaches_every_device_and_process(testbed: Testbed, kind: Kind, aborter: int) -> None:
    """SignalAbort of a secondary puts every device and every process of the set into the abort state."""
    _abort_and_see_it_everywhere(testbed, kind, SPREAD, aborter)


def _abort_and_see_it_everywhere(testbed: Testbed, kind: Kind, scenario: Scenario, aborter: int) -> None:
    statement = testbed.statement(kind, scenario)
    command = statement.next_data_command()
    statement.clients[aborter].signal_abort().expect(NOERROR)
    _require_abort_everywhere(statement.devices, statement.clients)
    command.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    statement.require_failure()


def _require_abort_everywhere(devices: list[Device], clients: list[Client]) -> None:
    for device in devices:
        device.await_abort()
    for client in clients:
        client.await_abort()


@alternating_direction("aborter", [0, 2], ["primary", "secondary without a device"])
@vdi_requirement("ABT-04", "ABT-09")
def test_an_abort_wakes_every_thread_that_waits_for_a_command(testbed: Testbed, kind: Kind, aborter: int) -> None:
    """SignalAbort gives NOERROR while threads wait in GetCommand, and wakes all of them with VD_E_ABORT."""
    owners = (0, 0, 0, 0, 1, 1, 1, 1)
    scenario = Scenario(devices=len(owners), owners=owners, secondaries=2, buffer_count=2 * len(owners))
    statement = testbed.statement(kind, scenario)
    waiting = dict(zip(statement.devices, begin_to_wait(*statement.devices), strict=True))
    busy = [device for device, later in waiting.items() if later.done]
    for device in busy:
        waiting[device].result().expect(NOERROR, by="CMD-01")
    waiting |= zip(busy, begin_to_wait(*busy), strict=True)
    with judging("ABT-09"):
        statement.clients[aborter].signal_abort().expect(NOERROR)
    with judging("ABT-04"):
        for device, later in waiting.items():
            device.await_abort(later)
    with judging("ABT-03"):
        statement.require_failure()


@vdi_requirement("ABT-04", "ABT-09")
def test_an_abort_wakes_every_thread_that_waits_for_the_configuration(testbed: Testbed) -> None:
    """SignalAbort gives NOERROR while threads wait in GetConfiguration, and wakes all with VD_E_ABORT."""
    primary, _ = _created(testbed)
    waiting = [primary.send_get_configuration(thread=f"waiter {number}") for number in range(4)]
    primary.get_configuration(0).expect(VD_E_TIMEOUT, by="CFG-02")
    with judging("ABT-09"):
        primary.signal_abort().expect(NOERROR)
    with judging("ABT-04"):
        for later in waiting:
            later.result().expect(VD_E_ABORT)


@WHILE_CONFIGURING
@vdi_requirement("ABT-01", "ABT-04")
def test_a_set_is_aborted_while_its_server_configures_it(testbed: Testbed, state: str) -> None:
    """SignalAbort gives NOERROR while the server configures, and wakes who waits for that with VD_E_ABORT."""
    scripted = _configuring(testbed, state)
    waiting = scripted.primary.send_get_configuration(testbed.scaled(A_WHILE), thread="waiter")
    scripted.primary.get_configuration(0).expect(VD_E_TIMEOUT, by="CFG-02")
    scripted.aborted = True
    scripted.primary.signal_abort().expect(NOERROR, by="ABT-01")
    with judging("ABT-04"):
        waiting.result().expect(VD_E_ABORT)
        scripted.primary.get_configuration(0).expect(VD_E_ABORT)


def _configuring(testbed: Testbed, state: str) -> ScriptedSet:
    scripted = testbed.scripted_created()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR, by="CRE-01")
    return scripted


# What it ends


@OWNERS
@vdi_requirement("ABT-05")
def test_every_command_of_an_aborted_set_ends_as_aborted(testbed: Testbed, owner: int) -> None:
    """After SignalAbort the server sees every uncompleted command, fetched or not, end with ERROR_OPERATION_ABORTED."""
    scripted, tags = _with_commands(testbed)
    scripted.aborted = True
    scripted.clients[owner].signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)


def _with_commands(testbed: Testbed) -> tuple[ScriptedSet, list[int]]:
    """Have commands outstanding on a device of each of two processes, one fetched and one not, and on one beside."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 1, 0), secondaries=2))
    assert all(scripted.passes(device, 1) for device in (0, 1)), "the set was aborted"
    tags = [scripted.send(scripted.allocate(), device=device) for device in (0, 1)]
    tags += [scripted.send(code=VDC_FLUSH, device=device) for device in range(3)]
    for device in scripted.devices[:2]:
        device.next_command()
    return scripted, tags


@OWNERS
@vdi_requirement("ABT-06", "ABT-07")
def test_the_server_gets_nothing_more_through(testbed: Testbed, owner: int) -> None:
    """After SignalAbort the server's SendCommand gives VD_E_ABORT, and the server gets no further buffers."""
    scripted = testbed.scripted(Scenario(owners=(owner,), secondaries=1))
    tag = scripted.send(scripted.allocate())
    scripted.aborted = True
    with judging("ABT-05"):
        scripted.clients[1 - owner].signal_abort().expect(NOERROR)
        scripted.aborted_command(tag)
    with judging("ABT-06"):
        refused = scripted.try_to_send(code=VDC_FLUSH)
        refused.expect(VD_E_ABORT)
        _require_aborted(scripted, refused)
    with judging("ABT-07"):
        scripted.server.allocate_buffer(512, 512).expect_failure()
        scripted.server.request_buffers(65536, 512, 1).expect_failure()
    with judging("ABT-03"):
        scripted.device.await_abort()


def _require_aborted(scripted: ScriptedSet, refused: Result[int]) -> None:
    """Fail the check unless the next completion is that of a refused command, by the abort."""
    seen = scripted.completion()
    if seen is None or (seen.tag, seen.code) != (refused.value, ERROR_OPERATION_ABORTED):
        raise ConformanceFailure("a command that was refused after an abort did not end with ERROR_OPERATION_ABORTED")


@vdi_requirement("ABT-11")
def test_the_server_sees_one_abort_of_many(testbed: Testbed) -> None:
    """When SignalAbort is repeated by every process, the server sees each command end once, as aborted."""
    scripted, tags = _with_commands(testbed)
    scripted.aborted = True
    for client in [*scripted.clients, *scripted.clients]:
        client.signal_abort().expect(NOERROR)
    scripted.all_aborted(tags)
    with judging("ABT-03"):
        for device in scripted.devices:
            device.await_abort()


@BACKUP
@vdi_requirement("ABT-15")
def test_a_statement_fails_on_a_set_that_was_aborted_before(testbed: Testbed, kind: Kind) -> None:
    """A statement that comes after the SignalAbort of its set fails."""
    statement = testbed.created(kind)
    statement.primary.signal_abort().expect(NOERROR)
    statement.execute()
    statement.require_failure()


@OWNERS
@vdi_requirement("ABT-16")
def test_an_idle_server_learns_of_an_abort(testbed: Testbed, owner: int) -> None:
    """A server that has nothing outstanding learns of SignalAbort: its wait for completions ends."""
    scripted = testbed.scripted(Scenario(secondaries=1))
    waiting = scripted.server.send_next_completion(testbed.scaled(BOUND_TO_COME))
    for _ in range(CALLS_MEANWHILE):
        scripted.primary.get_configuration().expect(NOERROR)
    scripted.aborted = True
    scripted.clients[owner].signal_abort().expect(NOERROR)
    if testbed.session.supervisor.wait_any([waiting.pending], testbed.scaled(BOUND_TO_COME) / 2000) is None:
        raise ConformanceFailure("a server that waits for completions does not learn of an abort", ("an end",), "none")
    assert waiting.result() is None, "a command was completed that nobody had sent"


@WHILE_CONFIGURING
@vdi_requirement("ABT-16")
def test_a_server_that_configures_learns_of_an_abort(testbed: Testbed, state: str) -> None:
    """A server that is about to configure the set, or to end that, learns of SignalAbort: its next step fails."""
    scripted = _configuring(testbed, state)
    scripted.aborted = True
    scripted.primary.signal_abort().expect(NOERROR)
    if state == "opened":
        scripted.server.begin_configuration(VDF_WRITE_MEDIA, 0, 512, 65536, testbed.scaled(1000)).expect_failure()
    else:
        scripted.server.end_configuration().expect_failure()


# That it lasts


@vdi_requirement("ABT-10")
def test_an_abort_before_any_server_is_not_undone(testbed: Testbed) -> None:
    """Without a server too, SignalAbort is not undone by other calls: the set gives VD_E_ABORT until Close."""
    primary, name = _created(testbed)
    primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        _require_still_aborted(primary, name)
        primary.create_ex(None, testbed.name(), CONFIG).expect(VD_E_PROTOCOL)
        primary.create(testbed.name(), CONFIG).expect(VD_E_PROTOCOL)
        beside = testbed.beside(primary)
        beside.create_ex(None, testbed.name(), CONFIG).expect(NOERROR)
        beside.close().expect(NOERROR)


def _require_still_aborted(client: Client, device: str) -> None:
    for timeout in (0, INFINITE):
        client.get_configuration(timeout).expect(VD_E_ABORT)
    client.open_device(device).expect(VD_E_ABORT)


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("ABT-10")
def test_an_abort_is_not_undone(testbed: Testbed, kind: Kind, owner: int) -> None:
    """SignalAbort is not undone: the set and its device keep giving VD_E_ABORT, CreateEx VD_E_PROTOCOL."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    statement.clients[1 - owner].signal_abort().expect(NOERROR)
    statement.device.await_abort()
    for _ in range(2):
        _require_still_aborted(statement.clients[owner], statement.set_name)
        statement.device.get_command().expect(VD_E_ABORT)
        statement.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
        for client in statement.clients:
            client.create_ex(None, testbed.name(), CONFIG).expect(VD_E_PROTOCOL)
            client.create(testbed.name(), CONFIG).expect(VD_E_PROTOCOL)
        testbed.twin(statement, kind).succeed()


@BACKUP
@vdi_requirement("ABT-10")
def test_an_abort_after_the_end_lasts_too(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort after the end is not undone: GetConfiguration and OpenDevice keep giving VD_E_ABORT."""
    statement = testbed.statement(kind)
    statement.run_out()
    statement.primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        _require_still_aborted(statement.primary, statement.set_name)
        answer = statement.device.get_command()
        subject = "GetCommand after an abort on a device that had given VD_E_CLOSE"
        answer.permit("Q48", subject, VD_E_ABORT, VD_E_CLOSE)


@alternating_direction("aborter", [0, 1], OWNER_NAMES)
@vdi_requirement("ABT-12")
def test_nobody_waits_for_the_end_of_an_aborted_device(testbed: Testbed, kind: Kind, aborter: int) -> None:
    """After SignalAbort GetCommand gives VD_E_ABORT on every device, and Close ends the set without VD_E_CLOSE."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, aborter)))
    statement.clients[aborter].signal_abort().expect(NOERROR)
    for device in statement.devices:
        device.await_abort()
    for client in reversed(statement.clients):
        _close_aborted(client)
    statement.require_failure()


@vdi_requirement("ABT-13")
def test_an_abort_leaves_the_set_to_its_close(testbed: Testbed) -> None:
    """SignalAbort does not free the set: CreateEx gives VD_E_PROTOCOL before Close, and NOERROR after it."""
    primary, name = _created(testbed)
    primary.signal_abort().expect(NOERROR)
    primary.create_ex(None, name, CONFIG).expect(VD_E_PROTOCOL)
    primary.close().expect(NOERROR)
    primary.create_ex(None, name, CONFIG).expect(NOERROR)
    primary.get_configuration(0).expect(VD_E_TIMEOUT)


@BACKUP
@vdi_requirement("ABT-13")
def test_a_new_statement_succeeds_after_an_abort_and_close(testbed: Testbed, kind: Kind) -> None:
    """After SignalAbort, Close is required, and the closed objects then serve a new statement."""
    statement: StatementRun = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    statement.next_data_command()
    statement.primary.signal_abort().expect(NOERROR)
    for device in statement.devices:
        device.await_abort()
    statement.primary.create_ex(None, testbed.name(), CONFIG).expect(VD_E_PROTOCOL)
    for client in reversed(statement.clients):
        _close_aborted(client)
    statement.require_failure()
    testbed.again(statement).succeed()


# An abort of the server


@vdi_requirement("ABT-17")
def test_an_abort_of_the_server_wakes_everybody_and_lasts(testbed: Testbed) -> None:
    """SignalAbort of the server wakes every GetCommand with VD_E_ABORT, which lasts until Close."""
    scripted = testbed.scripted(SPREAD)
    tags = [scripted.send(scripted.allocate(), device=device) for device in range(3)]
    held = [device.next_command() for device in scripted.devices]
    waiting = begin_to_wait(*scripted.devices)
    scripted.signal_abort()
    for device, later in zip(scripted.devices, waiting, strict=True):
        device.await_abort(later)
    _require_abort_everywhere([], scripted.clients)
    for command in held:
        _require_still_aborted(command.device.client, scripted.set_name)
        command.device.get_command().expect(VD_E_ABORT)
        command.device.complete(command, ERROR_SUCCESS, command.size).expect(VD_E_ABORT)
    scripted.all_aborted(tags)
    for client in reversed(scripted.clients):
        _close_aborted(client)


@vdi_requirement("ABT-17")
def test_an_abort_of_the_server_ends_what_nobody_fetched(testbed: Testbed) -> None:
    """SignalAbort of the server ends every uncompleted command, fetched or not, with ERROR_OPERATION_ABORTED."""
    scripted, tags = _with_commands(testbed)
    scripted.signal_abort()
    scripted.all_aborted(tags)


@vdi_requirement("ABT-17")
def test_a_device_that_was_closed_before_the_servers_abort(testbed: Testbed) -> None:
    """After SignalAbort of the server a device that was closed before gives VD_E_ABORT or VD_E_CLOSE (recorded)."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    scripted.close_device(1)
    scripted.signal_abort()
    scripted.device.await_abort()
    subject = "GetCommand after an abort on a device that the server had closed"
    scripted.devices[1].get_command().permit("Q48", subject, VD_E_ABORT, VD_E_CLOSE)
    scripted.clients[1].await_abort()
