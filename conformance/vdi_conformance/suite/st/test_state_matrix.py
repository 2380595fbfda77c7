"""The client transition matrix: each method in each state, and the state that the call leaves."""

import os

import pytest

from vdi_conformance.harness.client_states import Reached, ended, fresh, opened, require_state
from vdi_conformance.harness.judging import judging, not_tested, vdi_requirement
from vdi_conformance.harness.matrix import CELLS, CELLS_OF_A_SECONDARY, CELLS_OF_AN_INVALID_DEVICE, MatrixCell
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig


def _cells(cells: list[MatrixCell]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "cell", [pytest.param(cell, id=cell.name, marks=vdi_requirement(cell.requirement)) for cell in cells]
    )


@_cells(CELLS + CELLS_OF_A_SECONDARY)
def test_the_state_decides_what_a_call_gives(testbed: Testbed, cell: MatrixCell) -> None:
    """Each method gives, in each state, what the client transition matrix says, and leads to the state that it says."""
    at = cell.way.reach(testbed)
    for answer in cell.line.call(at):
        cell.gives.judge(answer, cell.way, cell.line.method)
    require_state(at, cell.gives.to or cell.way.state)


@vdi_requirement("ST-01")
def test_the_older_form_makes_a_set_configurable(testbed: Testbed) -> None:
    """Create called in state Does Not Exist gives NOERROR and moves to Configurable."""
    if os.environ.get("_VIRTUAL_SERVER_NAME_"):
        not_tested("_VIRTUAL_SERVER_NAME_ names an instance, which need not be there")
    at = fresh(testbed)
    at.who.create(at.set_name, VDConfig()).expect(NOERROR)
    require_state(at, ClientState.CONFIGURABLE)


@vdi_requirement("ST-08")
def test_a_wait_for_the_configuration_makes_a_set_initializing(testbed: Testbed) -> None:
    """GetConfiguration called in state Configurable gives NOERROR after the wait and moves to Initializing."""
    statement = testbed.created("backup")
    waiting = statement.primary.send_get_configuration()
    statement.execute()
    waiting.result().expect(NOERROR)
    require_state(Reached(testbed, statement.primary, statement.set_name, statement), ClientState.INITIALIZING)


@vdi_requirement("ST-16")
def test_a_device_opens_while_another_is_open(testbed: Testbed) -> None:
    """OpenDevice called in state Active gives NOERROR for a device not yet open."""
    statement = testbed.configured("backup", Scenario(devices=2))
    statement.open_device(0)
    with judging("ST-16"):
        statement.open_device(1)
    require_state(Reached(testbed, statement.primary, statement.set_name, statement), ClientState.ACTIVE)


@vdi_requirement("ST-22")
def test_the_last_close_of_a_device_ends_a_set(testbed: Testbed) -> None:
    """GetCommand called in state Active gives commands, then VD_E_CLOSE, and moves to Normally Terminated."""
    at = opened(testbed)
    with judging("ST-22"):
        for command in at.running.commands():
            at.running.answer_any(command).expect(NOERROR, by="CMP-01")
    assert at.device.closed, "no device gave VD_E_CLOSE"
    require_state(at, ClientState.NORMALLY_TERMINATED)


@vdi_requirement("ST-24")
def test_an_abort_shows_on_a_device_that_had_ended(testbed: Testbed) -> None:
    """In state Abort GetCommand of a device that the server had closed gives VD_E_ABORT or VD_E_CLOSE (recorded)."""
    at = ended(testbed)
    at.who.signal_abort().expect(NOERROR)
    answer = at.device.get_command()
    answer.permit("Q48", "GetCommand after the end and an abort", VD_E_ABORT, VD_E_CLOSE)
    require_state(at, ClientState.ABORT)


@_cells(CELLS_OF_AN_INVALID_DEVICE)
def test_a_device_kept_over_close_is_observed(testbed: Testbed, cell: MatrixCell) -> None:
    """What GetCommand and CompleteCommand of a device kept over Close give is recorded for each state."""
    at = cell.way.reach(testbed)
    subject = f"{cell.line.method} of a device kept over Close, {cell.way.name}"
    testbed.outside_contract("Q43", subject, lambda: next(cell.line.call(at)))
