"""OpenDevice, where some devices are open, in further processes, and under names that resemble those of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.variants import ALONE_OR_NOT, OWNERS, RESTORE
from vdi_conformance.vdi.commands import VDC_SKIP_BLOCKS, VDF_LIKE_TAPE
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import MAX_DEVICES

if TYPE_CHECKING:
    from vdi_conformance.suite.operation import Kind
    from vdi_conformance.suite.participant import Participant
    from vdi_conformance.suite.stage import Stage

SHORT: Final = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""


@judges("OPD-02")
def test_no_device_opens_after_waits_that_ended(stage: Stage) -> None:
    operation = stage.created("backup")
    for timeout in (0, SHORT):
        operation.primary.get_configuration(timeout).require(VD_E_TIMEOUT)
        operation.primary.open_device(operation.set_name).require(VD_E_PROTOCOL)


@judges("OPD-02")
def test_no_device_opens_while_the_server_configures(stage: Stage) -> None:
    scripted = stage.scripted_created()
    scripted.server.open(None, scripted.set_name).expect(NOERROR)
    scripted.primary.open_device(scripted.set_name).require(VD_E_PROTOCOL)
    scripted.server.close().require(NOERROR, VD_E_PROTOCOL)
    other = stage.scripted_created()
    other.begin_configuration()
    other.primary.open_device(other.set_name).require(VD_E_PROTOCOL)
    other.end_configuration()
    other.primary.get_configuration().expect(NOERROR)
    other.open_devices()


@judges("OPD-05")
def test_no_open_device_opens_again_whichever_came_last(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=4, owners=ALONE_OR_NOT[kind]))
    operation.join_all()
    for index in range(3):
        operation.open_device(index)
        for device in list(operation.devices):
            device.participant.open_device(device.name).require(VD_E_PROTOCOL)
    operation.open_device(3)
    operation.succeed()


@judges("OPD-07", "OPD-08")
def test_names_that_are_refused_open_nothing(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=3, owners=ALONE_OR_NOT[kind]))
    operation.join_all()
    for index, name in enumerate(operation.device_names):
        for resembling in (name[:-1], f"{name}x", f"{name} ", f" {name}", stage.name()):
            if resembling not in operation.device_names:
                for participant in operation.participants:
                    participant.open_device(resembling).require(VD_E_INVALID)
        operation.open_device(index)
    operation.succeed()


@RESTORE
@judges("OPD-08")
def test_the_name_of_a_device_of_another_set_is_invalid(stage: Stage, kind: Kind) -> None:
    one = stage.configured(kind, Geometry(devices=2))
    other = stage.twin(one, kind, Geometry(devices=2))
    for name in other.device_names:
        one.primary.open_device(name).require(VD_E_INVALID)
    one.open_devices()
    one.succeed()
    other.succeed()


@OWNERS
@judges("OPD-09")
def test_no_device_opens_after_an_abort_of_the_server(stage: Stage, owner: int) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(owner,)))
    scripted.signal_abort()
    for participant in scripted.participants:
        participant.await_abort()
        for name in scripted.device_names:
            participant.open_device(name).require(VD_E_ABORT)


@pytest.mark.parametrize("opened", [0, 1, 2])
@judges("OPD-09")
def test_no_device_opens_anywhere_after_an_abort(stage: Stage, kind: Kind, opened: int) -> None:
    operation = stage.configured(kind, Geometry(devices=2, owners=ALONE_OR_NOT[kind]))
    operation.join_all()
    for index in range(opened):
        operation.open_device(index)
    operation.primary.signal_abort().expect(NOERROR)
    for participant in operation.participants:
        participant.await_abort()
        for name in operation.device_names:
            participant.open_device(name).require(VD_E_ABORT)


@judges("OPD-10")
def test_null_is_stored_wherever_no_device_opens(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=2, owners=(max(ALONE_OR_NOT[kind]),)))
    operation.join_all()
    owner = operation.participants[-1]
    for index in range(2):
        _refuse(owner, stage.name(), *operation.device_names[:index])
        operation.open_device(index)
    _refuse(owner, stage.name(), *operation.device_names)
    end = operation.run_out()
    _refuse(owner, *operation.device_names)
    operation.close()
    _refuse(owner, *operation.device_names)
    operation.require_success(end)


def _refuse(participant: Participant, *names: str) -> None:
    """Fail the check unless none of these names opens a device, and each attempt stores null."""
    for name in names:
        result = participant.open_device(name)
        result.require_failure()
        if result.value is not None:
            raise ConformanceFailure(f"{result.call} gave {result.name} and stored something other than null")


@judges("OPD-03", "CMD-12")
def test_each_of_64_devices_gets_its_own_commands(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=MAX_DEVICES, features=VDF_LIKE_TAPE))
    tags = [scripted.send(code=VDC_SKIP_BLOCKS, size=1 + device, device=device) for device in range(MAX_DEVICES)]
    for device in range(MAX_DEVICES):
        result = scripted.devices[device].get_command(0)
        command = result.expect(NOERROR)
        assert command.size == 1 + device, f"device {device} was given a command of device {command.size - 1}"
        scripted.devices[device].complete(command).expect(NOERROR)
    scripted.all_ended(tags, 0)


@judges("OPD-06")
def test_a_process_that_opened_none_opens_none_of_the_open_ones(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, secondaries=1))
    secondary = operation.secondaries[0]
    for name in operation.device_names:
        answer = secondary.open_device(name)
        answer.permit("Q2", "OpenDevice in another process, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    secondary.open_device(stage.name()).require(VD_E_OPEN, VD_E_INVALID)
    operation.succeed()


@judges("OPD-15")
def test_no_device_of_three_opens_after_the_end_in_any_process(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=3, owners=ALONE_OR_NOT[kind]))
    for command in operation.commands():
        operation.answer_any(command).expect(NOERROR)
    for device in operation.devices:
        device.get_command(0).require(VD_E_CLOSE, VD_E_PROTOCOL)
    for participant in operation.participants:
        for name in operation.device_names:
            participant.open_device(name).require(VD_E_PROTOCOL)
    operation.close()
    operation.require_success(operation.outcome())
