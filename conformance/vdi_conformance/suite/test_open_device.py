"""OpenDevice: which names it opens when, in which order, and what a refusal leaves."""

from random import Random

import pytest

from vdi_conformance.suite.device import Device
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import Result
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import BACKUP, RESTORE, in_turn
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
)
from vdi_conformance.vdi.structures import VDConfig

TWO = Geometry(devices=2)
ENDINGS = ("ends", "never ends")


# Every device, once


@judges("CFG-08", "OPD-01")
def test_devices_open_once_the_configuration_is_known(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind)
    operation.execute()
    operation.primary.get_configuration().expect(NOERROR)
    operation.devices.append(operation.primary.open_device(operation.set_name).expect(NOERROR))
    operation.succeed()


@in_turn("devices", [2, 8, 64])
@judges("OPD-03")
def test_as_many_devices_open_as_were_configured(stage: Stage, kind: Kind, devices: int) -> None:
    stage.operation(kind, Geometry(devices=devices, buffer_count=devices, transfers=1)).succeed()


@judges("OPD-03")
def test_each_device_gets_its_own_commands(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=4))
    for number in (2, 0, 3, 1):
        tag = scripted.send(scripted.allocate(), size=512 * (number + 1), device=number)
        command = scripted.devices[number].next_command()
        if command.size != 512 * (number + 1):
            raise ConformanceFailure(f"device {number} was given a command of {command.size} bytes, another one's")
        scripted.devices[number].complete(command, 0, command.size).expect(NOERROR)
        scripted.completed(tag, 0, command.size)


@judges("OPD-04")
def test_a_device_opens_while_another_one_works(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, TWO)
    operation.open_device(0)
    operation.answer_next(operation.device, 1)
    operation.open_device(1)
    operation.succeed()


@judges("OPD-04")
def test_a_device_opens_while_another_one_holds_and_waits(stage: Stage) -> None:
    scripted = stage.scripted_created(Geometry(devices=3))
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


@in_turn("order", ["the last one first", "one in each thread"])
@judges("OPD-12")
def test_devices_open_in_any_order(stage: Stage, kind: Kind, order: str) -> None:
    operation = stage.configured(kind, Geometry(devices=8, buffer_count=8))
    names = [*operation.device_names]
    if order == "the last one first":
        opened = {name: operation.primary.open_device(name) for name in reversed(names)}
    else:
        Random(stage.seed).shuffle(names)
        with operation.primary.host.at_once():
            asked = [operation.primary.send_open_device(name, thread=f"opener of {name}") for name in names]
        opened = {name: later.result() for name, later in zip(names, asked, strict=True)}
    operation.devices += [opened[name].expect(NOERROR) for name in operation.device_names]
    operation.succeed()


@RESTORE
@judges("OPD-12")
def test_devices_open_in_many_processes_at_once(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=4, owners=(0, 1, 2, 3)))
    operation.join_all()
    asked = [
        participant.send_open_device(name)
        for participant, name in zip(operation.participants, operation.device_names, strict=True)
    ]
    operation.devices += [later.result().expect(NOERROR) for later in asked]
    operation.succeed()


@judges("OPD-16")
def test_a_device_opens_before_the_server_opens_it(stage: Stage) -> None:
    scripted = stage.scripted_created()
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
@judges("OPD-14")
def test_secondaries_by_the_older_form_open_without_asking_for_the_configuration(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    stage.operation(kind, Geometry(devices=3, owners=(1, 2, 3), older=True)).succeed()


@judges("OPD-14")
def test_a_secondary_opens_without_asking_for_the_configuration(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=2, owners=(1, 2)))
    operation.join_all()
    for secondary, name in zip(operation.secondaries, operation.device_names, strict=True):
        operation.devices.append(secondary.open_device(name).expect(NOERROR))
    operation.succeed()


@judges("OPD-13")
def test_a_primary_that_does_not_know_the_configuration_is_observed(stage: Stage) -> None:
    scripted = stage.scripted_created()
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


@in_turn("device", [0, 1])
@judges("OPD-05")
def test_an_open_device_does_not_open_again(stage: Stage, kind: Kind, device: int) -> None:
    operation = stage.configured(kind, TWO)
    name = operation.device_names[device]
    first = operation.primary.open_device(name).expect(NOERROR)
    for _ in range(2):
        operation.primary.open_device(name).require(VD_E_PROTOCOL)
    other = operation.primary.open_device(operation.device_names[1 - device]).expect(NOERROR)
    operation.devices += [first, other] if device == 0 else [other, first]
    operation.succeed()


@RESTORE
@judges("OPD-05")
def test_one_of_many_threads_opens_a_device(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, TWO)
    name = operation.set_name
    with operation.primary.host.at_once():
        asked = [operation.primary.send_open_device(name, thread=f"opener {turn}") for turn in range(8)]
    _require_one(operation, [later.result() for later in asked])


def _require_one(operation: Operation, answers: list[Result[Device]]) -> None:
    """Fail the check unless the first device opened once, and all goes well with it."""
    for answer in answers:
        answer.require(NOERROR, VD_E_PROTOCOL)
    opened = [answer.expect(NOERROR) for answer in answers if answer.succeeded]
    assert len(opened) == 1, f"one device was opened {len(opened)} times"
    operation.devices += opened
    operation.open_device(1)
    operation.succeed()


@BACKUP
@judges("OPD-17")
def test_one_of_many_processes_opens_a_device(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=2, secondaries=3))
    operation.join_all()
    asked = [participant.send_open_device(operation.set_name) for participant in operation.participants]
    _require_one(operation, [later.result() for later in asked])


@in_turn("state", ["Initializing", "Active"])
@judges("OPD-08")
def test_a_name_that_is_none_of_the_set_is_invalid(stage: Stage, kind: Kind, state: str) -> None:
    operation = stage.configured(kind, TWO)
    if state == "Active":
        operation.open_device(0)
    for name in (stage.name(), operation.set_name + "x", operation.set_name[:-1]):
        operation.primary.open_device(name).require(VD_E_INVALID)
    for index in range(len(operation.devices), 2):
        operation.open_device(index)
    operation.succeed()


@RESTORE
@judges("OPD-06")
def test_no_name_opens_once_all_devices_are_open(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, TWO)
    for name in operation.device_names:
        known = operation.primary.open_device(name)
        known.permit("Q2", "OpenDevice of an open device, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    unknown = operation.primary.open_device(stage.name())
    unknown.permit("Q2", "OpenDevice of an unknown name, all devices open", VD_E_OPEN, VD_E_INVALID)
    operation.succeed()


@BACKUP
@judges("OPD-07")
def test_a_loop_over_names_ends_with_the_devices(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=3))
    for name in operation.device_names:
        operation.devices.append(operation.primary.open_device(name).expect(NOERROR))
    ends = [operation.primary.open_device(name) for name in (stage.name(), operation.set_name)]
    for end in ends:
        end.require_failure()
    answer = ENDINGS[VD_E_OPEN not in (end.code for end in ends)]
    stage.observe("Q2", "a loop that opens devices until VD_E_OPEN", answer, ENDINGS)
    operation.succeed()


# States in which nothing opens


@pytest.mark.parametrize("state", ["fresh", "closed", "Configurable"])
@judges("OPD-02")
def test_no_device_opens_before_the_set_is_configured(stage: Stage, state: str) -> None:
    primary, name = stage.participant("primary"), stage.name()
    if state != "fresh":
        primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    if state == "closed":
        primary.close().expect(NOERROR)
    for _ in range(2):
        primary.open_device(name).require(VD_E_PROTOCOL)


@judges("OPD-09")
def test_no_device_opens_after_an_abort_without_a_server(stage: Stage) -> None:
    primary, name = stage.participant("primary"), stage.name()
    primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        primary.open_device(name).require(VD_E_ABORT)


@in_turn("state", ["Initializing", "Active"])
@judges("OPD-09")
def test_no_device_opens_after_an_abort(stage: Stage, kind: Kind, state: str) -> None:
    operation = stage.configured(kind, TWO)
    if state == "Active":
        operation.open_device(0)
    operation.primary.signal_abort().expect(NOERROR)
    for _ in range(2):
        operation.primary.open_device(operation.device_names[1]).require(VD_E_ABORT)


@RESTORE
@judges("OPD-15")
def test_no_device_opens_after_the_end(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, TWO)
    end = operation.run_out()
    for name in operation.device_names:
        operation.primary.open_device(name).require(VD_E_PROTOCOL)
    operation.close()
    operation.require_success(end)


@judges("OPD-18")
def test_a_server_that_cannot_go_on_is_told_of_by_an_abort(stage: Stage) -> None:
    scripted = stage.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.server.open_device(scripted.set_name).expect(NOERROR)
    scripted.signal_abort()
    scripted.primary.await_abort()
    scripted.primary.open_device(scripted.set_name).require(VD_E_ABORT)


# What a refusal leaves


def _require_null(*refused: Result[Device]) -> None:
    for result in refused:
        result.require_failure()
        if result.value is not None:
            raise ConformanceFailure(f"{result.call} gave {result.name} and did not store NULL")


@judges("OPD-10")
def test_null_is_stored_where_no_server_came(stage: Stage) -> None:
    primary, name = stage.participant("primary"), stage.name()
    fresh = primary.open_device(name)
    primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    unconfigured = primary.open_device(name)
    primary.signal_abort().expect(NOERROR)
    _require_null(fresh, unconfigured, primary.open_device(name))


@RESTORE
@judges("OPD-10")
def test_null_is_stored_where_no_device_opens(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, TWO)
    unknown = operation.primary.open_device(stage.name())
    operation.open_device(0)
    again = operation.primary.open_device(operation.set_name)
    operation.open_device(1)
    _require_null(unknown, again, operation.primary.open_device(stage.name()))
    end = operation.run_out()
    _require_null(operation.primary.open_device(operation.set_name))
    operation.close()
    operation.require_success(end)


@BACKUP
@judges("OPD-11")
def test_null_pointers_are_refused(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind)
    operation.primary.open_device(None).require_failure()
    if stage.bench.cast.client_capabilities.null_out_pointers:
        operation.primary.open_device(operation.set_name, null_out=True).require_failure()
    operation.open_devices()
    operation.succeed()
