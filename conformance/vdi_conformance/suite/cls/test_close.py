"""Close: what it gives, what becomes of the statement, and what it leaves behind."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.client_states import Reached, aborted, aborted_in_use, created, fresh, require_state
from vdi_conformance.harness.judging import judging, not_tested, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT, OWNER_NAMES, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.standing_still import standing_still
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.completion import ERROR_DISK_FULL
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig


def _require_failure(statement: StatementRun) -> None:
    assert not statement.outcome().succeeded, f"the {statement.kind.upper()} succeeded although its set was closed"


def _require_free(name: str, *clients: Client) -> None:
    """Create a set of that name with each of these objects in turn."""
    for client in clients:
        client.create_ex(None, name, VDConfig()).expect(NOERROR)
        client.close().expect(NOERROR)


# Without a server


@vdi_requirement("CLS-02")
def test_who_has_no_set_has_nothing_to_close(testbed: Testbed) -> None:
    """Close gives VD_E_PROTOCOL on an object that is not open, and does nothing to another object's set."""
    other = created(testbed)
    at = Reached(testbed, testbed.beside(other.who), testbed.name())
    for _ in range(2):
        at.who.close().expect(VD_E_PROTOCOL)
    require_state(at, ClientState.DOES_NOT_EXIST)
    at.who.close().expect(VD_E_PROTOCOL)
    require_state(other, ClientState.CONFIGURABLE)


@vdi_requirement("CLS-05")
def test_a_set_that_no_server_has_found_is_closed(testbed: Testbed) -> None:
    """Close of a set that no server has opened gives NOERROR and frees the name."""
    at = created(testbed)
    at.who.get_configuration(0).expect(VD_E_TIMEOUT)
    at.who.close().expect(NOERROR)
    require_state(at, ClientState.DOES_NOT_EXIST)
    _require_free(at.set_name, testbed.client("other client"))


@vdi_requirement("CLS-07")
def test_a_set_that_was_aborted_before_its_server_came_is_closed(testbed: Testbed) -> None:
    """Close after the SignalAbort of a set that no server has opened gives NOERROR and frees the name."""
    at = aborted(testbed)
    at.who.close().expect(NOERROR)
    require_state(at, ClientState.DOES_NOT_EXIST)
    _require_free(at.set_name, at.who)


@vdi_requirement("CLS-13")
def test_an_object_serves_one_set_after_the_other(testbed: Testbed) -> None:
    """After Close the object can create a set again, under the same name or another one."""
    at = fresh(testbed)
    for name in (at.set_name, at.set_name, testbed.name()):
        at.who.create_ex(None, name, VDConfig()).expect(NOERROR)
        at.who.get_configuration(0).expect(VD_E_TIMEOUT)
        if name != at.set_name:
            at.who.signal_abort().expect(NOERROR)
        at.who.close().expect(NOERROR)
    require_state(at, ClientState.DOES_NOT_EXIST)


# After the end


@vdi_requirement("CLS-01")
def test_after_the_end_close_frees_the_set(testbed: Testbed, kind: Kind) -> None:
    """Close after the end of every device gives NOERROR, and the name of the set is free again."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    statement.succeed()
    _require_free(statement.set_name, *statement.clients, testbed.client("other client"))


@vdi_requirement("CLS-08", "CLS-09")
def test_who_closes_first_leaves_a_statement_that_succeeds(testbed: Testbed, kind: Kind) -> None:
    """Close is legal as soon as every device gave VD_E_CLOSE, and the statement succeeds."""
    statement = testbed.statement(kind, Scenario(devices=2))
    for command in statement.commands():
        statement.answer_any(command).expect(NOERROR, by="CMP-01")
    with judging("CLS-08"):
        statement.primary.close().expect(NOERROR)
    with judging("CLS-09"):
        statement.require_success(statement.outcome())


@vdi_requirement("CLS-08", "CLS-09")
def test_close_comes_before_the_servers_own(testbed: Testbed) -> None:
    """Close gives NOERROR after VD_E_CLOSE on every device, before the server's Close, which gives NOERROR too."""
    scripted = testbed.scripted(Scenario(devices=2))
    for device in range(2):
        with judging("CMP-01"):
            assert scripted.passes(device, 1), "the set was aborted"
        scripted.close_device(device)
        scripted.devices[device].get_command().expect(VD_E_CLOSE, by="CMD-05")
    with judging("CLS-08"):
        scripted.primary.close().expect(NOERROR)
    with judging("CLS-09"):
        scripted.server.close().expect(NOERROR)


@vdi_requirement("CLS-19")
def test_a_close_in_good_order_says_nothing_of_the_statement(testbed: Testbed) -> None:
    """A BACKUP fails after a failed Write although GetCommand gives VD_E_CLOSE and Close NOERROR."""
    statement = testbed.backup()
    statement.device.complete(statement.next_data_command(), ERROR_DISK_FULL).expect(NOERROR)
    while (result := statement.device.get_command()).succeeded:
        statement.answer_any(result.expect(NOERROR)).expect(NOERROR)
    result.expect(VD_E_CLOSE, VD_E_ABORT)
    if result.code == VD_E_ABORT:
        not_tested("the server answers a failed command with an abort")
    statement.primary.close().expect(NOERROR)
    assert not statement.outcome().succeeded, "the BACKUP succeeded although its medium was full"


# Before the end


@vdi_requirement("CLS-06")
def test_a_close_before_any_device_is_open_ends_the_statement(testbed: Testbed, kind: Kind) -> None:
    """Close before any device is open gives NOERROR, and the statement fails."""
    statement = testbed.configured(kind)
    statement.primary.close().expect(NOERROR)
    require_state(Reached(testbed, statement.primary, statement.set_name), ClientState.DOES_NOT_EXIST)
    _require_failure(statement)


@alternating_direction("when", ["all open", "one of two open", "a command is held"])
@vdi_requirement("CLS-03", "CLS-04")
def test_a_close_with_devices_open_ends_the_statement(testbed: Testbed, kind: Kind, when: str) -> None:
    """Close with devices open gives VD_E_OPEN or NOERROR (recorded), fails the statement, and frees the set."""
    statement = testbed.configured(kind, Scenario(devices=2))
    for index in range(1 if when == "one of two open" else 2):
        statement.open_device(index)
    if when == "a command is held":
        statement.next_data_command()
    answer = statement.primary.close()
    answer.permit("Q3", f"Close with devices open, {when}", VD_E_OPEN, NOERROR, by="CLS-03")
    with judging("CLS-04"):
        statement.primary.close().expect(VD_E_PROTOCOL)
    with judging("CLS-03"):
        _require_failure(statement)
    with judging("CLS-04"):
        _require_free(statement.set_name, testbed.client("other client"), statement.primary)
        testbed.again(statement).succeed()


@vdi_requirement("CLS-07")
def test_a_set_that_was_aborted_in_use_is_closed(testbed: Testbed) -> None:
    """Close after SignalAbort with a command held gives NOERROR or VD_E_OPEN (recorded), and ends the set."""
    at = aborted_in_use(testbed)
    answer = at.who.close()
    answer.permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    at.who.close().expect(VD_E_PROTOCOL)
    _require_failure(at.running)
    testbed.again(at.running).succeed()


@vdi_requirement("CLS-14")
def test_a_statement_that_comes_after_the_close_fails(testbed: Testbed) -> None:
    """A statement fails if its set was closed before the server opened it."""
    statement = testbed.created("backup")
    statement.primary.close().expect(NOERROR)
    statement.execute()
    _require_failure(statement)


# Whatever others do


@vdi_requirement("CLS-18")
def test_close_waits_for_nobody(testbed: Testbed) -> None:
    """Close returns although commands are outstanding and neither the server nor another process does anything."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    for device in range(2):
        scripted.send(scripted.allocate(), device=device)
        scripted.send(scripted.allocate(), device=device)
        scripted.devices[device].next_command()
    scripted.aborted = True
    for client in scripted.clients:
        # No call of the server, nor one of another client, comes in between.
        client.close().expect(VD_E_OPEN, NOERROR)
        client.close().expect(VD_E_PROTOCOL)


@pytest.mark.parametrize("who", ["server", "primary", "secondary"])
@vdi_requirement("CLS-18")
def test_close_waits_for_nobody_who_stands_still(testbed: Testbed, who: str) -> None:
    """Close returns although commands are outstanding and the process of the server or of another client is halted."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    for device in range(2):
        scripted.send(scripted.allocate(), device=device)
        scripted.send(scripted.allocate(), device=device)
        scripted.devices[device].next_command()
    scripted.aborted = True
    hosts = [scripted.server.host, *(client.host for client in scripted.clients)]
    halted = dict(zip(("server", *OWNER_NAMES), hosts, strict=True))[who]
    with standing_still(testbed, halted):
        for client in (one for one in scripted.clients if one.host is not halted):
            client.close().expect(VD_E_OPEN, NOERROR)
            client.close().expect(VD_E_PROTOCOL)


@vdi_requirement("CLS-11")
def test_a_device_may_be_released_after_close(testbed: Testbed) -> None:
    """To release a device after Close is harmless: the same objects then serve a new statement."""
    statement = testbed.backup(Scenario(devices=2))
    statement.succeed()
    for device in statement.devices:
        device.release()
    testbed.again(statement).succeed()
