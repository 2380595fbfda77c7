"""Calls that wait without limit, and those that must not have to wait for them."""

from typing import Any

from vdi_conformance.harness.expectations import PendingAnswer
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

A_WHILE = 2_000
"""So many milliseconds, before scaling, an answer may take that nothing is to hold up."""


def _at_once(testbed: Testbed, later: PendingAnswer[Any, Any], what: str) -> Any:
    """Give the answer of a call, and fail the check where it does not come while another call waits."""
    if testbed.session.supervisor.wait_any([later.pending], testbed.scaled(A_WHILE) / 1000) is None:
        raise ConformanceFailure(f"{what} had to wait for a call that waits without limit on another thread")
    return later.result()


@OWNERS
@vdi_requirement("THR-03")
def test_an_endless_get_command_stops_no_call_of_the_set(testbed: Testbed, owner: int) -> None:
    """A GetCommand that waits with INFINITE stops neither SignalAbort, GetConfiguration nor the handle methods."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(owner,), secondaries=1))
    client, other = scripted.clients[owner], scripted.clients[1 - owner]
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    waiting = [device.send_get_command(INFINITE) for device in scripted.devices]
    _at_once(testbed, client.send_get_configuration(0), "GetConfiguration").expect(NOERROR)
    asked = client.send_get_buffer_handle(command.buffer, thread="asker")
    handle = _at_once(testbed, asked, "GetBufferHandle").expect(NOERROR)
    for mapper in (client, other):
        mapping = mapper.send_map_buffer_handle(handle, thread="mapper")
        _at_once(testbed, mapping, "MapBufferHandle").expect(NOERROR)
    scripted.aborted = True
    _at_once(testbed, client.send_signal_abort(), "SignalAbort").expect(NOERROR)
    for device, later in zip(scripted.devices, waiting, strict=True):
        device.await_abort(later)


@vdi_requirement("THR-03")
def test_an_endless_get_configuration_stops_no_call_of_the_set(testbed: Testbed) -> None:
    """A GetConfiguration that waits with INFINITE stops neither SignalAbort nor the handle methods."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    waiting = primary.send_get_configuration(INFINITE, thread="waiter")
    address = primary.outside_addresses().stack
    asked = primary.send_get_buffer_handle(address, thread="asker")
    _at_once(testbed, asked, "GetBufferHandle").expect_failure()
    _at_once(testbed, primary.send_map_buffer_handle(0, thread="mapper"), "MapBufferHandle").expect_failure()
    _at_once(testbed, primary.send_signal_abort(), "SignalAbort").expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@OWNERS
@vdi_requirement("THR-02")
def test_a_device_goes_on_while_another_one_waits_without_limit(testbed: Testbed, owner: int) -> None:
    """A device fetches and completes commands while others of its set wait in GetCommand with INFINITE."""
    scripted = testbed.scripted(Scenario(devices=3, owners=(owner,)))
    waiting = [device.send_get_command(INFINITE) for device in scripted.devices[:2]]
    busy = scripted.devices[2]
    for _ in range(10):
        tag = scripted.send(code=VDC_FLUSH, device=2)
        command = _at_once(testbed, busy.send_get_command(), "a device").expect(NOERROR)
        _at_once(testbed, busy.send_complete(command, 0, 0), "a device").expect(NOERROR)
        scripted.completed(tag, 0, 0)
    for index, later in enumerate(waiting):
        tag = scripted.send(code=VDC_FLUSH, device=index)
        command = later.result().expect(NOERROR)
        command.device.complete(command).expect(NOERROR)
        scripted.completed(tag, 0, 0)
