"""OpenDevice: which names it opens when, in which order, and what a refusal leaves."""

from random import Random

import pytest

from vdi_conformance.harness.device import Device
from vdi_conformance.harness.expectations import Result
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
)
from vdi_conformance.vdi.structures import VDConfig

TWO = Scenario(devices=2)
ENDINGS = ("ends", "never ends")


# Every device, once


@vdi_requirement("CFG-08")
def test_devices_open_once_the_configuration_is_known(testbed: Testbed, kind: Kind) -> None:
    """After GetConfiguration answered NOERROR, OpenDevice opens the device, and the statement succeeds."""
    statement = testbed.created(kind)
    statement.execute()
    statement.primary.get_configuration().expect(NOERROR)
    statement.devices.append(statement.primary.open_device(statement.set_name).expect(NOERROR))
    statement.succeed()


@vdi_requirement("OPD-01")
def test_a_configured_device_opens_by_its_name(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice with the name of a configured, not yet open device answers NOERROR and gives an interface."""
    statement = testbed.created(kind, TWO)
    statement.execute()
    statement.primary.get_configuration().expect(NOERROR)
    for name in statement.device_names:
        statement.devices.append(statement.primary.open_device(name).expect(NOERROR))
    statement.succeed()


@alternating_direction("devices", [2, 8, 64], ["2 devices", "8 devices", "64 devices"])
@vdi_requirement("OPD-03")
def test_as_many_devices_open_as_were_configured(testbed: Testbed, kind: Kind, devices: int) -> None:
    """A set with n devices gives n interfaces, and a statement runs over all of them."""
    statement = testbed.configured(kind, Scenario(devices=devices, buffer_count=devices, transfers=1))
    statement.open_device(0)
    with judging("OPD-03"):
        for index in range(1, devices):
            statement.open_device(index)
    statement.succeed()


@vdi_requirement("OPD-03")
def test_each_device_gets_its_own_commands(testbed: Testbed) -> None:
    """Each of four devices gets by GetCommand only the commands that the server sent to it."""
    scripted = testbed.scripted(Scenario(devices=4, buffer_count=4))
    order = (2, 0, 3, 1)
    tags = [scripted.send(scripted.allocate(), size=512 * (number + 1), device=number) for number in order]
    for number, tag in zip(order, tags, strict=True):
        command = scripted.devices[number].next_command()
        if command.size != 512 * (number + 1):
            raise ConformanceFailure(f"device {number} was given a command of {command.size} bytes, another one's")
        scripted.devices[number].complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@vdi_requirement("OPD-04")
def test_a_device_opens_while_another_one_works(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice opens a second device when the first one is open and has begun to transfer."""
    statement = testbed.configured(kind, TWO)
    statement.open_device(0)
    statement.answer_next(statement.device, 1)
    with judging("OPD-04"):
        statement.open_device(1)
    statement.succeed()


@vdi_requirement("OPD-04")
def test_a_device_opens_while_another_one_holds_and_waits(testbed: Testbed) -> None:
    """OpenDevice opens a device while another one holds a command, and one while GetCommand waits there."""
    scripted = testbed.scripted_created(Scenario(devices=3))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    for name in scripted.device_names:
        scripted.server.open_device(name).expect(NOERROR)
    opened = [scripted.primary.open_device(scripted.set_name).expect(NOERROR)]
    tag = scripted.send(scripted.allocate())
    held = opened[0].next_command()
    opened.append(scripted.primary.open_device(scripted.device_names[1]).expect(NOERROR))
    opened[0].complete(held, 0, held.size).expect(NOERROR)
    scripted.completed(tag, 0, held.size)
    waiting = opened[0].send_get_command()
    opened.append(scripted.primary.open_device(scripted.device_names[2]).expect(NOERROR))
    scripted.devices += opened
    assert all(scripted.passes(device, 2) for device in (1, 2)), "the set was aborted"
    tag = scripted.send(code=VDC_FLUSH)
    opened[0].complete(waiting.result().expect(NOERROR)).expect(NOERROR)
    scripted.completed(tag, 0, 0)


@alternating_direction("order", ["the last one first", "one in each thread"])
@vdi_requirement("OPD-12")
def test_devices_open_in_any_order(testbed: Testbed, kind: Kind, order: str) -> None:
    """OpenDevice opens eight devices in any order, and from eight threads at once."""
    statement = testbed.configured(kind, Scenario(devices=8, buffer_count=8))
    names = [*statement.device_names]
    if order == "the last one first":
        opened = {name: statement.primary.open_device(name) for name in reversed(names)}
    else:
        Random(testbed.seed).shuffle(names)
        with statement.primary.host.concurrently():
            asked = [statement.primary.send_open_device(name, thread=f"opener of {name}") for name in names]
        opened = {name: later.result() for name, later in zip(names, asked, strict=True)}
    statement.devices += [opened[name].expect(NOERROR) for name in statement.device_names]
    statement.succeed()


@RESTORE
@vdi_requirement("OPD-12")
def test_devices_open_in_many_processes_at_once(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice opens four devices from four processes at once."""
    statement = testbed.configured(kind, Scenario(devices=4, owners=(0, 1, 2, 3)))
    statement.join_all()
    asked = [
        client.send_open_device(name) for client, name in zip(statement.clients, statement.device_names, strict=True)
    ]
    statement.devices += [later.result().expect(NOERROR) for later in asked]
    statement.succeed()


@vdi_requirement("OPD-16")
def test_a_device_opens_before_the_server_opens_it(testbed: Testbed) -> None:
    """OpenDevice opens a device before the server has opened its side, and commands pass once it has."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    device = scripted.primary.open_device(scripted.set_name).expect(NOERROR)
    waiting = device.send_get_command()
    scripted.server.open_device(scripted.set_name).expect(NOERROR)
    scripted.devices.append(device)
    tag = scripted.send(scripted.allocate())
    command = waiting.result().expect(NOERROR)
    device.complete(command, 0, command.size).expect(NOERROR)
    scripted.completed(tag, 0, command.size)


@BACKUP
@vdi_requirement("OPD-14")
def test_secondaries_by_the_older_form_open_without_asking_for_the_configuration(testbed: Testbed, kind: Kind) -> None:
    """After OpenInSecondary OpenDevice opens a device without a GetConfiguration call in that process."""
    testbed.need_default_instance()
    statement = testbed.configured(kind, Scenario(devices=5, owners=(0, 0, 1, 2, 3), buffer_count=5, older=True))
    statement.join_all()
    for index in (0, 1):
        statement.open_device(index)
    with judging("OPD-14"):
        for index in (2, 3, 4):
            statement.open_device(index)
    statement.succeed()


@vdi_requirement("OPD-14")
def test_a_secondary_opens_without_asking_for_the_configuration(testbed: Testbed, kind: Kind) -> None:
    """After OpenInSecondaryEx OpenDevice opens a device without a GetConfiguration call in that process."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=(1, 2)))
    statement.join_all()
    for secondary, name in zip(statement.secondaries, statement.device_names, strict=True):
        statement.devices.append(secondary.open_device(name).expect(NOERROR))
    statement.succeed()


@vdi_requirement("OPD-13")
def test_a_primary_that_does_not_know_the_configuration_is_observed(testbed: Testbed) -> None:
    """OpenDevice before the primary's GetConfiguration call answers VD_E_PROTOCOL or NOERROR; it is recorded which."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.server.open_device(scripted.set_name).expect(NOERROR)
    result = scripted.primary.open_device(scripted.set_name)
    subject = "OpenDevice before the primary's GetConfiguration"
    if result.permit("Q6", subject, VD_E_PROTOCOL, NOERROR) == VD_E_PROTOCOL:
        scripted.primary.get_configuration().expect(NOERROR)
        result = scripted.primary.open_device(scripted.set_name)
    scripted.devices.append(result.expect(NOERROR))
    assert scripted.passes(0, 2), "the set was aborted"


# Names that are not to be opened


@alternating_direction("device", [0, 1], ["the first one", "the second one"])
@vdi_requirement("OPD-05")
def test_an_open_device_does_not_open_again(testbed: Testbed, kind: Kind, device: int) -> None:
    """OpenDevice of an open device answers VD_E_PROTOCOL while another device is still unopened."""
    statement = testbed.configured(kind, TWO)
    name = statement.device_names[device]
    first = statement.primary.open_device(name).expect(NOERROR)
    for _ in range(2):
        statement.primary.open_device(name).expect(VD_E_PROTOCOL)
    other = statement.primary.open_device(statement.device_names[1 - device]).expect(NOERROR)
    statement.devices += [first, other] if device == 0 else [other, first]
    statement.succeed()


@RESTORE
@vdi_requirement("OPD-05")
def test_one_of_many_threads_opens_a_device(testbed: Testbed, kind: Kind) -> None:
    """When eight threads open one device at once, one gets NOERROR and the others VD_E_PROTOCOL."""
    statement = testbed.configured(kind, TWO)
    name = statement.set_name
    with statement.primary.host.concurrently():
        asked = [statement.primary.send_open_device(name, thread=f"opener {turn}") for turn in range(8)]
    _require_one(statement, [later.result() for later in asked])


def _require_one(statement: StatementRun, answers: list[Result[Device]]) -> None:
    """Fail the check unless the first device opened once, and all goes well with it."""
    for answer in answers:
        answer.expect(NOERROR, VD_E_PROTOCOL)
    opened = [answer.expect(NOERROR) for answer in answers if answer.succeeded]
    assert len(opened) == 1, f"one device was opened {len(opened)} times"
    statement.devices += opened
    statement.open_device(1)
    statement.succeed()


@BACKUP
@vdi_requirement("OPD-17")
def test_one_of_many_processes_opens_a_device(testbed: Testbed, kind: Kind) -> None:
    """When four processes open one device, one gets NOERROR and the others VD_E_PROTOCOL."""
    statement = testbed.configured(kind, Scenario(devices=2, secondaries=3))
    statement.join_all()
    asked = [client.send_open_device(statement.set_name) for client in statement.clients]
    _require_one(statement, [later.result() for later in asked])


@alternating_direction("state", ["Initializing", "Active"])
@vdi_requirement("OPD-08")
def test_a_name_that_is_none_of_the_set_is_invalid(testbed: Testbed, kind: Kind, state: str) -> None:
    """OpenDevice with a name not of the set answers VD_E_INVALID while devices are still unopened."""
    statement = testbed.configured(kind, TWO)
    if state == "Active":
        statement.open_device(0)
    for name in (testbed.name(), statement.set_name + "x", statement.set_name[:-1]):
        statement.primary.open_device(name).expect(VD_E_INVALID)
    for index in range(len(statement.devices), 2):
        statement.open_device(index)
    statement.succeed()


@RESTORE
@vdi_requirement("OPD-06")
def test_no_name_opens_once_all_devices_are_open(testbed: Testbed, kind: Kind) -> None:
    """With all devices open OpenDevice fails, with VD_E_OPEN or, by the name, VD_E_PROTOCOL or VD_E_INVALID."""
    statement = testbed.statement(kind, TWO)
    for name in statement.device_names:
        known = statement.primary.open_device(name)
        known.permit("Q2", "OpenDevice of an open device, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    unknown = statement.primary.open_device(testbed.name())
    unknown.permit("Q2", "OpenDevice of an unknown name, all devices open", VD_E_OPEN, VD_E_INVALID)
    statement.succeed()


@BACKUP
@vdi_requirement("OPD-07")
def test_a_loop_over_names_ends_with_the_devices(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice for name after name gives exactly as many successes as there are devices, and then failures."""
    statement = testbed.configured(kind, Scenario(devices=3))
    for name in statement.device_names:
        statement.devices.append(statement.primary.open_device(name).expect(NOERROR))
    ends = [statement.primary.open_device(name) for name in (testbed.name(), statement.set_name)]
    for end in ends:
        end.expect_failure()
    answer = ENDINGS[VD_E_OPEN not in (end.code for end in ends)]
    testbed.observe("Q2", "a loop that opens devices until VD_E_OPEN", answer, ENDINGS)
    statement.succeed()


# States in which nothing opens


@pytest.mark.parametrize("state", ["fresh", "closed", "Configurable"])
@vdi_requirement("OPD-02")
def test_no_device_opens_before_the_set_is_configured(testbed: Testbed, state: str) -> None:
    """OpenDevice answers VD_E_PROTOCOL before CreateEx, after it while no server has come, and after Close."""
    primary, name = testbed.client("primary"), testbed.name()
    if state != "fresh":
        primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    if state == "closed":
        primary.close().expect(NOERROR)
    for _ in range(2):
        primary.open_device(name).expect(VD_E_PROTOCOL)


@vdi_requirement("OPD-09")
def test_no_device_opens_after_an_abort_without_a_server(testbed: Testbed) -> None:
    """OpenDevice answers VD_E_ABORT after a SignalAbort on a set to which no server has come."""
    primary, name = testbed.client("primary"), testbed.name()
    primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        primary.open_device(name).expect(VD_E_ABORT)


@alternating_direction("state", ["Initializing", "Active"])
@vdi_requirement("OPD-09")
def test_no_device_opens_after_an_abort(testbed: Testbed, kind: Kind, state: str) -> None:
    """OpenDevice answers VD_E_ABORT after a SignalAbort on a configured set, with no device open and with one."""
    statement = testbed.configured(kind, TWO)
    if state == "Active":
        statement.open_device(0)
    statement.primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        statement.primary.open_device(statement.device_names[1]).expect(VD_E_ABORT)


@RESTORE
@vdi_requirement("OPD-15")
def test_no_device_opens_after_the_end(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_PROTOCOL in Normally Terminated."""
    statement = testbed.statement(kind, TWO)
    end = statement.run_out()
    for name in statement.device_names:
        statement.primary.open_device(name).expect(VD_E_PROTOCOL)
    statement.close()
    statement.require_success(end)


@vdi_requirement("OPD-18")
def test_a_server_that_cannot_go_on_is_told_of_by_an_abort(testbed: Testbed) -> None:
    """OpenDevice answers VD_E_ABORT where the server has aborted the set after it configured it."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.server.open_device(scripted.set_name).expect(NOERROR)
    scripted.signal_abort()
    scripted.primary.await_abort()
    scripted.primary.open_device(scripted.set_name).expect(VD_E_ABORT)


# What a refusal leaves


def _require_null(*refused: Result[Device]) -> None:
    for result in refused:
        result.expect_failure()
        if result.value is not None:
            raise ConformanceFailure(f"{result.call} gave {result.name} and did not store NULL")


@vdi_requirement("OPD-10")
def test_null_is_stored_where_no_server_came(testbed: Testbed) -> None:
    """OpenDevice stores NULL where it fails before CreateEx, before the configuration and after SignalAbort."""
    primary, name = testbed.client("primary"), testbed.name()
    fresh = primary.open_device(name)
    primary.create_ex(None, name, VDConfig()).expect(NOERROR, by="CRE-01")
    unconfigured = primary.open_device(name)
    primary.signal_abort().expect(NOERROR, by="ABT-01")
    _require_null(fresh, unconfigured, primary.open_device(name))


@RESTORE
@vdi_requirement("OPD-10")
def test_null_is_stored_where_no_device_opens(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice stores NULL where it fails for an unknown name, for an open device and after the end."""
    statement = testbed.configured(kind, TWO)
    unknown = statement.primary.open_device(testbed.name())
    statement.open_device(0)
    again = statement.primary.open_device(statement.set_name)
    statement.open_device(1)
    _require_null(unknown, again, statement.primary.open_device(testbed.name()))
    end = statement.run_out()
    _require_null(statement.primary.open_device(statement.set_name))
    statement.close()
    statement.require_success(end)


@BACKUP
@vdi_requirement("OPD-11")
def test_null_pointers_are_refused(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice with NULL for the name or for the out pointer fails, and the set works on."""
    statement = testbed.configured(kind)
    statement.primary.open_device(None).expect_failure()
    if testbed.session.parties.client_capabilities.null_out_pointers:
        statement.primary.open_device(statement.set_name, null_out=True).expect_failure()
    statement.open_devices()
    statement.succeed()
