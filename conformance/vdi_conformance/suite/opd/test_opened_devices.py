"""OpenDevice, where some devices are open, in further processes, and under names that resemble those of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT, OWNERS, RESTORE
from vdi_conformance.harness.scenario import Scenario
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
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.statement_run import Kind
    from vdi_conformance.harness.testbed import Testbed

SHORT: Final = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""


@vdi_requirement("OPD-02")
def test_no_device_opens_after_waits_that_ended(testbed: Testbed) -> None:
    """OpenDevice answers VD_E_PROTOCOL after GetConfiguration calls that answered VD_E_TIMEOUT."""
    statement = testbed.created("backup")
    for timeout in (0, SHORT):
        statement.primary.get_configuration(timeout).expect(VD_E_TIMEOUT)
        statement.primary.open_device(statement.set_name).expect(VD_E_PROTOCOL)


@vdi_requirement("OPD-02")
def test_no_device_opens_while_the_server_configures(testbed: Testbed) -> None:
    """OpenDevice answers VD_E_PROTOCOL when the server has opened the set, and when it has begun to configure it."""
    scripted = testbed.scripted_created()
    scripted.server.open(None, scripted.set_name).expect(NOERROR)
    scripted.primary.open_device(scripted.set_name).expect(VD_E_PROTOCOL)
    scripted.server.close().expect(NOERROR, VD_E_PROTOCOL)
    other = testbed.scripted_created()
    other.begin_configuration()
    other.primary.open_device(other.set_name).expect(VD_E_PROTOCOL)
    other.end_configuration()
    other.primary.get_configuration().expect(NOERROR)
    other.open_devices()


@vdi_requirement("OPD-05")
def test_no_open_device_opens_again_whichever_came_last(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_PROTOCOL for each open device, in the process that opened it, until all are open."""
    statement = testbed.configured(kind, Scenario(devices=4, owners=ALONE_OR_NOT[kind]))
    statement.join_all()
    for index in range(3):
        statement.open_device(index)
        for device in list(statement.devices):
            device.client.open_device(device.name).expect(VD_E_PROTOCOL)
    statement.open_device(3)
    statement.succeed()


@vdi_requirement("OPD-07", "OPD-08")
def test_names_that_are_refused_open_nothing(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_INVALID for names that resemble a device's, and then opens exactly the devices."""
    statement = testbed.configured(kind, Scenario(devices=3, owners=ALONE_OR_NOT[kind]))
    statement.join_all()
    for index, name in enumerate(statement.device_names):
        for resembling in (name[:-1], f"{name}x", f"{name} ", f" {name}", testbed.name()):
            if resembling not in statement.device_names:
                for client in statement.clients:
                    answer = client.open_device(resembling)
                    # A loop until VD_E_OPEN would leave the device unopened.
                    answer.expect(VD_E_INVALID, by="OPD-07" if answer.code == VD_E_OPEN else "OPD-08")
        owner = statement.clients[index % len(statement.clients)]
        statement.devices.append(owner.open_device(name).expect(NOERROR, by="OPD-07"))
    statement.succeed()


@RESTORE
@vdi_requirement("OPD-08")
def test_a_long_name_is_compared_to_its_end(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_INVALID for names that differ from a long one at its end alone; an empty one fails."""
    statement = testbed.prepared(Scenario(devices=2), kind)
    first, long = statement.set_name, "d" * 128
    statement.device_names = (first, long)
    statement.create()
    statement.configure()
    for name in (long[:-1], f"{long}d", f"{long[:-1]}e", *(long[:length] for length in (64, 32))):
        statement.primary.open_device(name).expect(VD_E_INVALID)
    statement.primary.open_device("").expect_failure()
    statement.open_devices()
    statement.succeed()


@RESTORE
@vdi_requirement("OPD-08")
def test_the_name_of_a_device_of_another_set_is_invalid(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_INVALID for the names of devices of another set."""
    one = testbed.configured(kind, Scenario(devices=2))
    other = testbed.twin(one, kind, Scenario(devices=2))
    for name in other.device_names:
        one.primary.open_device(name).expect(VD_E_INVALID)
    one.open_devices()
    one.succeed()
    other.succeed()


@OWNERS
@vdi_requirement("OPD-09")
def test_no_device_opens_after_an_abort_of_the_server(testbed: Testbed, owner: int) -> None:
    """OpenDevice answers VD_E_ABORT in every process after the server aborted the set."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner,)))
    scripted.signal_abort()
    for client in scripted.clients:
        client.await_abort()
        for name in scripted.device_names:
            client.open_device(name).expect(VD_E_ABORT)


@pytest.mark.parametrize("end", ["SignalAbort", "Close", "death of the primary"])
@vdi_requirement("OPD-09")
def test_no_device_opens_after_an_abort_by_another_process(testbed: Testbed, kind: Kind, end: str) -> None:
    """OpenDevice answers VD_E_ABORT in every process after a secondary or the primary ended the set, and gives NULL."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=(1, 2), secondaries=3))
    statement.join_all()
    statement.open_device(0)
    leaver = statement.primary if end == "death of the primary" else statement.secondaries[0]
    match end:
        case "SignalAbort":
            leaver.signal_abort().expect(NOERROR, by="ABT-01")
        case "Close":
            leaver.close().expect(NOERROR, VD_E_OPEN, by="CLS-16")
        case _:
            leaver.kill()
    for client in statement.clients:
        if client is not leaver:
            client.await_abort()
            for name in statement.device_names:
                client.open_device(name).expect(VD_E_ABORT)


@vdi_requirement("OPD-10")
def test_null_is_stored_after_an_abort(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice stores NULL where it fails after the abort of a set that was configured, in every process."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    statement.join_all()
    statement.open_device(0)
    statement.primary.signal_abort().expect(NOERROR, by="ABT-01")
    for client in statement.clients:
        client.await_abort()
        _refuse(client, *statement.device_names)


@pytest.mark.parametrize("opened", [0, 1, 2], ids=["none open", "one open", "both open"])
@vdi_requirement("OPD-09")
def test_no_device_opens_anywhere_after_an_abort(testbed: Testbed, kind: Kind, opened: int) -> None:
    """OpenDevice answers VD_E_ABORT in every process after SignalAbort, however many devices are open."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    statement.join_all()
    for index in range(opened):
        statement.open_device(index)
    statement.primary.signal_abort().expect(NOERROR)
    for client in statement.clients:
        client.await_abort()
        for name in statement.device_names:
            client.open_device(name).expect(VD_E_ABORT)


@vdi_requirement("OPD-10")
def test_null_is_stored_wherever_no_device_opens(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice stores NULL where it fails: for unknown names, open devices, after the end and after Close."""
    statement = testbed.configured(kind, Scenario(devices=2, owners=(max(ALONE_OR_NOT[kind]),)))
    statement.join_all()
    owner = statement.clients[-1]
    for index in range(2):
        _refuse(owner, testbed.name(), *statement.device_names[:index])
        statement.open_device(index)
    _refuse(owner, testbed.name(), *statement.device_names)
    end = statement.run_out()
    _refuse(owner, *statement.device_names)
    statement.close()
    _refuse(owner, *statement.device_names)
    statement.require_success(end)


def _refuse(client: Client, *names: str) -> None:
    """Fail the check unless none of these names opens a device, and each attempt stores null."""
    for name in names:
        result = client.open_device(name)
        result.expect_failure()
        if result.value is not None:
            raise ConformanceFailure(f"{result.call} gave {result.name} and stored something other than null")


@vdi_requirement("OPD-03")
def test_each_of_64_devices_gets_its_own_commands(testbed: Testbed) -> None:
    """Each of 64 devices gets by GetCommand a command, where the server sent one to each."""
    scripted = testbed.scripted(Scenario(devices=MAX_DEVICES, features=VDF_LIKE_TAPE))
    tags = [scripted.send(code=VDC_SKIP_BLOCKS, size=1 + device, device=device) for device in range(MAX_DEVICES)]
    for device in scripted.devices:
        command = device.get_command(0).expect(NOERROR, by="OPD-03")
        device.complete(command).expect(NOERROR, by="CMP-01")
    with judging("CMP-01"):
        scripted.all_ended(tags, 0)


@vdi_requirement("CMD-12")
def test_none_of_64_devices_gets_the_commands_of_another(testbed: Testbed) -> None:
    """Each of 64 devices gets by GetCommand the command that the server sent to it, and none of another's."""
    scripted = testbed.scripted(Scenario(devices=MAX_DEVICES, features=VDF_LIKE_TAPE))
    tags = [scripted.send(code=VDC_SKIP_BLOCKS, size=1 + device, device=device) for device in range(MAX_DEVICES)]
    for number, device in enumerate(scripted.devices):
        command = device.get_command(0).expect(NOERROR, by="CMD-01")
        with judging("CMD-12"):
            assert command.size == 1 + number, f"device {number} was given a command of device {command.size - 1}"
            device.get_command(0).expect(VD_E_TIMEOUT)
        device.complete(command).expect(NOERROR, by="CMP-01")
    with judging("CMP-01"):
        scripted.all_ended(tags, 0)


@vdi_requirement("OPD-06")
def test_a_process_that_opened_none_opens_none_of_the_open_ones(testbed: Testbed, kind: Kind) -> None:
    """With all devices open OpenDevice fails in a secondary that has opened none of them too."""
    statement = testbed.statement(kind, Scenario(devices=2, secondaries=1))
    secondary = statement.secondaries[0]
    for name in statement.device_names:
        answer = secondary.open_device(name)
        answer.permit("Q2", "OpenDevice in another process, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    secondary.open_device(testbed.name()).expect(VD_E_OPEN, VD_E_INVALID)
    statement.succeed()


@vdi_requirement("OPD-15")
def test_no_device_of_three_opens_after_the_end_in_any_process(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice answers VD_E_PROTOCOL for each of three devices, in every process, after the end of the statement."""
    statement = testbed.statement(kind, Scenario(devices=3, owners=ALONE_OR_NOT[kind]))
    for command in statement.commands():
        statement.answer_any(command).expect(NOERROR)
    for device in statement.devices:
        device.get_command(0).expect(VD_E_CLOSE, VD_E_PROTOCOL)
    for client in statement.clients:
        for name in statement.device_names:
            client.open_device(name).expect(VD_E_PROTOCOL)
    statement.close()
    statement.require_success(statement.outcome())
