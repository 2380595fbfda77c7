"""What the pages of Windows and of Linux both say: which codes the methods give, and in which unit time-outs are.

Each check calls for every code that the page of the Linux library lists for its methods; where the pages leave a
choice, all choices are accepted, as in the checks of the single methods.
"""

import time

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Device
from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import handle_of, mapped_view
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDF_LIKE_DISK
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import VDConfig

FAR = 0x7EDCBA99
"""So far from a handle no number is one, whatever handles count."""
SOON = 20
"""A time-out in milliseconds that nobody waits long for; what comes later does no harm."""
SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""


@BACKUP
@vdi_requirement("LNX-07")
def test_open_device_has_the_codes_of_both_pages(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice gives VD_E_PROTOCOL, VD_E_INVALID, VD_E_OPEN and VD_E_ABORT as on Windows."""
    statement = testbed.created(kind, Scenario(devices=2))
    primary, (first, second) = statement.primary, statement.device_names
    primary.open_device(first).expect(VD_E_PROTOCOL)
    statement.configure()
    primary.open_device(testbed.name()).expect(VD_E_INVALID)
    statement.open_device(0)
    primary.open_device(first).expect(VD_E_PROTOCOL)
    statement.open_device(1)
    known, unknown = primary.open_device(second), primary.open_device(testbed.name())
    known.permit("Q2", "OpenDevice of an open device, all devices open", VD_E_OPEN, VD_E_PROTOCOL)
    unknown.permit("Q2", "OpenDevice of an unknown name, all devices open", VD_E_OPEN, VD_E_INVALID)
    primary.signal_abort().expect(NOERROR)
    primary.open_device(first).expect(VD_E_ABORT)


@RESTORE
@vdi_requirement("LNX-14")
def test_an_abort_has_the_codes_of_both_pages(testbed: Testbed, kind: Kind) -> None:
    """After SignalAbort, and after the Close that follows, the methods have the codes of Windows."""
    statement = testbed.statement(kind)
    primary, command = statement.primary, statement.next_data_command()
    for _ in range(2):
        primary.signal_abort().expect(NOERROR)
    statement.device.get_command().expect(VD_E_ABORT)
    statement.answer(command).expect(VD_E_ABORT)
    primary.get_configuration().expect(VD_E_ABORT)
    primary.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    primary.signal_abort().expect(VD_E_PROTOCOL)
    primary.close().expect(VD_E_PROTOCOL)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"


@vdi_requirement("LNX-14")
def test_an_abort_and_a_close_need_no_devices(testbed: Testbed) -> None:
    """SignalAbort and Close give NOERROR on a set without a server, and VD_E_PROTOCOL after Close, as on Windows."""
    primary, name = testbed.client("primary"), testbed.name()
    for aborted in (False, True):
        primary.create_ex(None, name, VDConfig()).expect(NOERROR)
        for _ in range(2 * aborted):
            primary.signal_abort().expect(NOERROR)
        primary.close().expect(NOERROR)
        primary.close().expect(VD_E_PROTOCOL)
        primary.signal_abort().expect(VD_E_PROTOCOL)


@vdi_requirement("LNX-14")
def test_close_has_the_codes_of_both_pages(testbed: Testbed, backup: StatementRun) -> None:
    """Close with a command held gives VD_E_OPEN or NOERROR (recorded), a second one VD_E_PROTOCOL, as on Windows."""
    backup.next_data_command()
    subject = f"Close of {backup.primary.name} with a command held in the set"
    backup.primary.close().permit("Q3", subject, VD_E_OPEN, NOERROR)
    backup.primary.close().expect(VD_E_PROTOCOL)
    assert not backup.outcome().succeeded, "the statement succeeded although its devices were never closed"
    testbed.again(backup).succeed()


@BACKUP
@vdi_requirement("LNX-17")
def test_commands_have_the_codes_of_both_pages(testbed: Testbed, kind: Kind) -> None:
    """GetConfiguration, GetCommand and CompleteCommand have the codes of Windows in a BACKUP that succeeds."""
    statement = testbed.created(kind)
    statement.primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    statement.configure()
    statement.open_devices()
    device, command = statement.device, statement.next_data_command()
    statement.answer(command).expect(NOERROR)
    device.complete(command.address, ERROR_SUCCESS, command.size).expect(VD_E_INVALID)
    while (result := device.get_command()).succeeded:
        command = result.expect(NOERROR)
        statement.answer_any(command).expect(NOERROR)
    result.expect(VD_E_CLOSE)
    device.complete(command.address).expect(VD_E_PROTOCOL)
    assert statement.primary.get_configuration().expect(NOERROR).device_count == 1
    statement.close()
    statement.require_success(statement.outcome())


@RESTORE
@vdi_requirement("LNX-17")
def test_a_command_that_does_not_come_is_a_time_out_or_an_abort(testbed: Testbed, kind: Kind) -> None:
    """GetCommand gives VD_E_TIMEOUT when nothing comes, and VD_E_ABORT after SignalAbort, as on Windows."""
    statement = testbed.statement(kind)
    # As many commands as the server sends at once are held, so that none is left.
    held = [statement.next_data_command()]
    while (result := statement.device.get_command(SOON)).succeeded:
        held.append(result.expect(NOERROR))
    result.expect(VD_E_TIMEOUT)
    waiting = statement.device.send_get_command()
    statement.primary.signal_abort().expect(NOERROR)
    statement.device.await_abort(waiting)
    statement.answer(held[0]).expect(VD_E_ABORT)
    statement.primary.get_configuration().expect(VD_E_ABORT)


@RESTORE
@vdi_requirement("LNX-18")
def test_sharing_has_the_codes_of_both_pages(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondary(Ex), GetBufferHandle and MapBufferHandle have the codes of Windows, from creation to Close."""
    testbed.need_default_instance()
    statement = testbed.created(kind, Scenario(secondaries=1))
    primary, secondary = statement.primary, statement.secondaries[0]
    secondary.open_in_secondary_ex(None, statement.set_name).expect(VD_E_PROTOCOL)
    secondary.open_in_secondary(statement.set_name).expect(VD_E_PROTOCOL)
    statement.configure()
    statement.join_all()
    statement.open_devices()
    secondary.open_in_secondary_ex(None, statement.set_name).expect(VD_E_PROTOCOL)
    secondary.open_in_secondary(statement.set_name).expect(VD_E_PROTOCOL)
    command = statement.next_data_command()
    handle = handle_of(command)
    mapped_view(secondary, handle)
    primary.get_buffer_handle(primary.outside_addresses().stack).expect(VD_E_INVALID)
    secondary.map_buffer_handle((handle + FAR) % (1 << 32)).expect(VD_E_INVALID)
    secondary.close().expect(NOERROR)
    secondary.map_buffer_handle(handle).expect(VD_E_PROTOCOL)
    primary.signal_abort().expect(NOERROR)
    statement.device.await_abort()
    secondary.open_in_secondary_ex(None, statement.set_name).expect(VD_E_ABORT)
    secondary.open_in_secondary(statement.set_name).expect(VD_E_ABORT)
    primary.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    primary.get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)


@BACKUP
@vdi_requirement("LNX-18")
def test_a_secondary_that_closed_has_the_codes_of_both_pages(testbed: Testbed, kind: Kind) -> None:
    """After Close, GetBufferHandle and MapBufferHandle of a secondary give VD_E_PROTOCOL as on Windows."""
    statement = testbed.statement(kind, Scenario(owners=(1,)))
    command = statement.next_data_command()
    handle = handle_of(command)
    mapped_view(statement.secondaries[0], handle)  # what was never good there may be looked at first (Q56)
    statement.answer(command).expect(NOERROR)
    statement.succeed()
    statement.secondaries[0].get_buffer_handle(command.buffer).expect(VD_E_PROTOCOL)
    statement.secondaries[0].map_buffer_handle(handle).expect(VD_E_PROTOCOL)


def _time_of_a_time_out(primary: Client) -> float:
    """Let a short time-out pass, and give the seconds that it took."""
    started = time.monotonic()
    primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    return time.monotonic() - started


@vdi_requirement("LNX-06")
def test_time_outs_are_in_milliseconds(testbed: Testbed) -> None:
    """The unit of time-outs is milliseconds: GetConfiguration with a time-out of 1 ends in less than a second."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    # A second is one however often, while a slow machine is late now and then.
    quickest = min(_time_of_a_time_out(primary) for _ in range(3))
    unit = "milliseconds" if quickest < 1 else "seconds"
    testbed.observe("Q53", "the unit of time-outs", unit, ["milliseconds", "seconds"])
    assert unit == "milliseconds", "a time-out of 1 took a second or more"
    primary.close().expect(NOERROR)


@vdi_requirement("LNX-06")
def test_time_outs_of_devices_are_in_milliseconds(testbed: Testbed) -> None:
    """The unit of time-outs is milliseconds: GetCommand with a time-out of 1 ends in less than a second."""
    device = testbed.scripted().device
    quickest = min(_time_of_a_wait(device) for _ in range(3))
    unit = "milliseconds" if quickest < 1 else "seconds"
    testbed.observe("Q53", "the unit of time-outs of GetCommand", unit, ["milliseconds", "seconds"])
    assert unit == "milliseconds", "a time-out of 1 took a second or more"


def _time_of_a_wait(device: Device) -> float:
    """Let a short wait for a command pass, and give the seconds that it took."""
    started = time.monotonic()
    device.get_command(SHORT).expect(VD_E_TIMEOUT)
    return time.monotonic() - started


@vdi_requirement("LNX-12")
def test_a_disk_like_backup_is_observed(testbed: Testbed) -> None:
    """Whether CreateEx takes a disk-like set, and whether its BACKUP runs or aborts, is recorded."""
    statement = testbed.prepared(Scenario(features=VDF_LIKE_DISK))
    answer = statement.primary.create_ex(None, statement.set_name, statement.scenario.config)
    answer.observe("LNX-12", "CreateEx of a disk-like set")
    if answer.code != NOERROR:
        return
    statement.configure()
    statement.open_devices()
    end = "runs" if statement.passes(statement.device, 100) else "aborts"
    testbed.observe("LNX-12", "a disk-like BACKUP", end, ["runs", "aborts"])
