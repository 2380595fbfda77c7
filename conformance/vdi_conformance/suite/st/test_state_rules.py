"""What holds of the states beside the matrix: when a set has ended, methods that the matrix leaves out, refusals."""

from collections.abc import Callable

import pytest

from vdi_conformance.harness.client_states import (
    WAYS,
    Reached,
    Way,
    aborted,
    aborted_in_use,
    created,
    fresh,
    require_state,
)
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.judging import set_up, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import MAX_DEVICES, VDC_COMMAND_SIZE, VDConfig

NO_HANDLE = 0xFEEDF00D


@vdi_requirement("ST-43")
def test_a_set_ends_with_the_last_of_its_devices(testbed: Testbed) -> None:
    """The set is Normally Terminated only when the server has closed every device, not when it closed the first."""
    scripted = testbed.scripted_created(Scenario(devices=3))
    scripted.begin_configuration()
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    for device in range(2):
        scripted.open_device(device)
    scripted.close_device(0)
    scripted.devices[0].get_command().expect(VD_E_CLOSE)
    scripted.open_device(2)
    for device in (1, 2):
        assert scripted.passes(device, 1), "the set was aborted"
        scripted.close_device(device)
        scripted.devices[device].get_command().expect(VD_E_CLOSE)
    scripted.primary.close().expect(NOERROR)


# Methods that the matrix leaves out


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@vdi_requirement("ST-44")
def test_methods_that_the_matrix_leaves_out_follow_their_pages(testbed: Testbed, way: Way) -> None:
    """OpenInSecondary(Ex), GetBufferHandle and MapBufferHandle give in each state what their pages say."""
    at = way.reach(testbed)
    for answer in (at.who.open_in_secondary_ex(None, at.set_name), at.who.open_in_secondary(at.set_name)):
        _judge_join(answer, way.state)
    if way.state is ClientState.ACTIVE:
        at.command = at.device.next_data_command()
    held = at.command if way.state in (ClientState.ACTIVE, ClientState.ABORT) else None
    result = at.who.get_buffer_handle(at.who.allocate(512) if held is None else held.buffer)
    _judge_sharing(result, "GetBufferHandle", way, held)
    handle = NO_HANDLE if result.value is None or not result.succeeded else result.value
    _judge_sharing(at.who.map_buffer_handle(handle), "MapBufferHandle", way, held)
    if way.state is ClientState.ACTIVE and held is not None:
        at.running.answer(held).expect(NOERROR)
    require_state(at, way.state)


def _judge_join(answer: Answer, state: ClientState) -> None:
    """Hold an attempt to join the object's own set, or the one that it had, against the page."""
    match state:
        case ClientState.DOES_NOT_EXIST:
            answer.expect_failure()
        case ClientState.ABORT:
            answer.expect(VD_E_PROTOCOL, VD_E_ABORT)
        case _:
            answer.expect(VD_E_PROTOCOL)


def _judge_sharing(answer: Answer, method: str, way: Way, held: Fetched | None) -> None:
    """Hold the answer for the buffer of a held command, or for what is no buffer, against the page."""
    subject = f"{method} in state {way.state.value}, {way.name}"
    if way.state is ClientState.ABORT:
        codes = (VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL) + (() if held is None else (NOERROR,))
        answer.permit("Q39", subject, *codes)
    elif held is not None:
        answer.expect(NOERROR)
    else:
        answer.permit("Q40", subject, VD_E_INVALID, VD_E_PROTOCOL)


# After an abort


@pytest.mark.parametrize("reach", [aborted, aborted_in_use], ids=["created", "in use"])
@vdi_requirement("ST-45")
def test_close_alone_is_of_use_after_an_abort(testbed: Testbed, reach: Callable[[Testbed], Reached]) -> None:
    """In state Abort CreateEx, GetConfiguration, OpenDevice and the device keep failing, until Close ends the set."""
    at = set_up(lambda: reach(testbed))
    for _ in range(2):
        at.who.create_ex(None, testbed.name(), VDConfig()).expect(VD_E_PROTOCOL)
        at.who.create(at.set_name, VDConfig()).expect(VD_E_PROTOCOL)
        at.who.get_configuration(0).expect(VD_E_ABORT)
        at.who.open_device(at.set_name).expect(VD_E_ABORT)
        at.who.open_in_secondary_ex(None, at.set_name).expect(VD_E_PROTOCOL, VD_E_ABORT)
        if at.command is not None:
            at.device.get_command().expect(VD_E_ABORT)
            at.device.complete(at.command).expect(VD_E_ABORT)
    at.who.close().expect(NOERROR, VD_E_OPEN)
    require_state(at, ClientState.DOES_NOT_EXIST)


# Refusals


@vdi_requirement("ST-46")
def test_refusals_leave_an_object_without_a_set(testbed: Testbed) -> None:
    """A call that fails leaves an object in state Does Not Exist there."""
    at = fresh(testbed)
    at.who.get_configuration(0).expect(VD_E_PROTOCOL)
    at.who.open_device(at.set_name).expect(VD_E_PROTOCOL)
    at.who.create_ex(None, at.set_name, VDConfig(device_count=MAX_DEVICES + 1)).expect_failure()
    at.who.open_in_secondary_ex(None, at.set_name).expect_failure()
    at.who.signal_abort().expect(VD_E_PROTOCOL)
    at.who.aborted = False
    require_state(at, ClientState.DOES_NOT_EXIST)


@vdi_requirement("ST-46")
def test_refusals_leave_a_set_configurable(testbed: Testbed) -> None:
    """A call that fails, by VD_E_TIMEOUT too, leaves a set in state Configurable there."""
    at = created(testbed)
    for _ in range(2):
        at.who.get_configuration(0).expect(VD_E_TIMEOUT)
        at.who.create_ex(None, testbed.name(), VDConfig()).expect(VD_E_PROTOCOL)
        at.who.create_ex(None, testbed.name(), VDConfig(device_count=MAX_DEVICES + 1)).expect_failure()
        at.who.open_device(at.set_name).expect(VD_E_PROTOCOL)
        at.who.open_in_secondary_ex(None, testbed.name()).expect_failure()
        at.who.map_buffer_handle(NO_HANDLE).expect(VD_E_INVALID, VD_E_PROTOCOL)
    require_state(at, ClientState.CONFIGURABLE)


@vdi_requirement("ST-46")
def test_refusals_and_a_time_out_leave_a_statement_what_it_needs(testbed: Testbed) -> None:
    """After calls that failed or timed out, a statement configures the set and succeeds."""
    statement = testbed.created("backup")
    at = Reached(testbed, statement.primary, statement.set_name, statement)
    at.who.get_configuration(0).expect(VD_E_TIMEOUT)
    at.who.open_device(at.set_name).expect(VD_E_PROTOCOL)
    at.who.create_ex(None, testbed.name(), VDConfig()).expect(VD_E_PROTOCOL)
    statement.configure()
    at.who.open_device(testbed.name()).expect(VD_E_INVALID)
    at.who.create_ex(None, at.set_name, VDConfig()).expect(VD_E_PROTOCOL)
    require_state(at, ClientState.INITIALIZING)


@vdi_requirement("ST-46")
def test_refusals_leave_a_set_active(testbed: Testbed) -> None:
    """A call that fails leaves a set in state Active there, and the statement succeeds."""
    statement = testbed.configured("restore", Scenario(devices=2))
    at = Reached(testbed, statement.primary, statement.set_name, statement)
    statement.open_device(0)
    at.who.open_device(at.set_name).expect(VD_E_PROTOCOL)
    at.who.open_device(testbed.name()).expect(VD_E_INVALID)
    statement.open_device(1)
    for index, device in enumerate(statement.devices):
        at.who.open_device(statement.device_names[index]).expect(VD_E_PROTOCOL, VD_E_OPEN)
        own = at.who.allocate(VDC_COMMAND_SIZE)
        device.complete(own).expect(VD_E_INVALID)
        # No buffer was given out yet: Q40.
        at.who.get_buffer_handle(own).expect(VD_E_INVALID, VD_E_PROTOCOL)
        at.who.map_buffer_handle(NO_HANDLE).expect(VD_E_INVALID, VD_E_PROTOCOL)
    require_state(at, ClientState.ACTIVE)
