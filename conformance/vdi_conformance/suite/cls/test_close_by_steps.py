"""Close after each of several steps of the server, and by each of several processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL

if TYPE_CHECKING:
    from vdi_conformance.harness.statement_run import Kind
    from vdi_conformance.harness.testbed import Testbed

BARRIER: Final = 100
"""So many commands show that something does not happen."""


@vdi_requirement("CLS-03")
def test_a_close_with_the_second_device_open_ends_the_set(testbed: Testbed) -> None:
    """Close with one of two devices still open aborts the set: SendCommand for that device gives VD_E_ABORT."""
    for closed, left in ((0, 1), (1, 0)):
        scripted = testbed.scripted(Scenario(devices=2))
        scripted.close_device(closed)
        scripted.devices[closed].get_command().expect(VD_E_CLOSE)
        answer = scripted.primary.close()
        answer.permit("Q3", "Close with devices open, one of two ended", VD_E_OPEN, NOERROR)
        scripted.aborted = True
        scripted.try_to_send(code=VDC_FLUSH, device=left).expect(VD_E_ABORT)


@vdi_requirement("CLS-06")
def test_a_close_before_the_server_opens_a_device_ends_the_set(testbed: Testbed) -> None:
    """Close before the server opens a device gives NOERROR, and the server's OpenDevice fails."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.primary.close().expect(NOERROR)
    scripted.aborted = True
    scripted.server.open_device(scripted.set_name).expect_failure()


@vdi_requirement("CLS-07")
def test_a_set_that_its_server_aborted_is_closed(testbed: Testbed) -> None:
    """Close after SignalAbort of the server gives NOERROR or VD_E_OPEN (recorded), and frees the name."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)))
    scripted.signal_abort()
    for device in scripted.devices:
        device.await_abort()
    for client in reversed(scripted.clients):
        client.close().permit("Q4", "Close after an abort with devices open", NOERROR, VD_E_OPEN)
        client.close().expect(VD_E_PROTOCOL)
    scripted.server.close().expect(NOERROR, VD_E_ABORT)
    scripted.create()


@vdi_requirement("CLS-02")
def test_after_a_full_run_there_is_nothing_left_to_close(testbed: Testbed, kind: Kind) -> None:
    """Close of an object that was closed after the end of its set gives VD_E_PROTOCOL and does nothing."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    statement.succeed()
    for client in statement.clients * 2:
        client.close().expect(VD_E_PROTOCOL)
    testbed.again(statement).succeed()


@vdi_requirement("CLS-15", "CLS-20")
def test_whichever_secondary_closes_in_good_order_harms_nobody(testbed: Testbed) -> None:
    """Close of a secondary without a device, or after VD_E_CLOSE on its own, leaves the rest of the set working."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(0, 2, 3), secondaries=4))
    without_a_device, second, third, last = scripted.secondaries
    with judging("CLS-20"):
        for idle in (last, without_a_device):
            idle.close().expect(NOERROR)
            idle.close().expect(VD_E_PROTOCOL)
            assert all(scripted.passes(device, 1) for device in range(3)), "the set was aborted"
    for index, secondary in ((2, third), (1, second)):
        scripted.close_device(index)
        scripted.devices[index].get_command().expect(VD_E_CLOSE, by="CMD-05")
        with judging("CLS-15"):
            secondary.close().expect(NOERROR)
            assert all(scripted.passes(device, BARRIER // index) for device in range(index)), "the set was aborted"
