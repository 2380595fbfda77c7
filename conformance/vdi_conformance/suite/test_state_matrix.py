"""The client transition matrix: each method in each state, and the state that the call leaves."""

import os

import pytest

from vdi_conformance.suite.judging import judges, not_tested
from vdi_conformance.suite.matrix import CELLS, CELLS_OF_A_SECONDARY, CELLS_OF_AN_INVALID_DEVICE, Cell
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.states import Reached, State, ended, fresh, opened, require_state
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig


def _cells(cells: list[Cell]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name, marks=judges(cell.row)) for cell in cells])


@_cells(CELLS + CELLS_OF_A_SECONDARY)
def test_the_state_decides_what_a_call_gives(stage: Stage, cell: Cell) -> None:
    at = cell.way.reach(stage)
    for answer in cell.line.call(at):
        cell.gives.judge(answer, cell.way, cell.line.method)
    require_state(at, cell.gives.to or cell.way.state)


@judges("ST-01")
def test_the_older_form_makes_a_set_configurable(stage: Stage) -> None:
    if os.environ.get("_VIRTUAL_SERVER_NAME_"):
        not_tested("_VIRTUAL_SERVER_NAME_ names an instance, which need not be there")
    at = fresh(stage)
    at.who.create(at.set_name, VDConfig()).expect(NOERROR)
    require_state(at, State.CONFIGURABLE)


@judges("ST-08")
def test_a_wait_for_the_configuration_makes_a_set_initializing(stage: Stage) -> None:
    operation = stage.created("backup")
    waiting = operation.primary.send_get_configuration()
    operation.execute()
    waiting.result().expect(NOERROR)
    require_state(Reached(stage, operation.primary, operation.set_name, operation), State.INITIALIZING)


@judges("ST-16")
def test_a_device_opens_while_another_is_open(stage: Stage) -> None:
    operation = stage.configured("backup", Geometry(devices=2))
    operation.open_device(0)
    operation.open_device(1)
    require_state(Reached(stage, operation.primary, operation.set_name, operation), State.ACTIVE)


@judges("ST-22")
def test_the_last_close_of_a_device_ends_a_set(stage: Stage) -> None:
    at = opened(stage)
    for command in at.running.commands():
        at.running.answer_any(command).expect(NOERROR)
    assert at.device.closed, "no device gave VD_E_CLOSE"
    require_state(at, State.NORMALLY_TERMINATED)


@judges("ST-24")
def test_an_abort_shows_on_a_device_that_had_ended(stage: Stage) -> None:
    at = ended(stage)
    at.who.signal_abort().expect(NOERROR)
    answer = at.device.get_command()
    answer.permit("Q48", "GetCommand after the end and an abort", VD_E_ABORT, VD_E_CLOSE)
    require_state(at, State.ABORT)


@_cells(CELLS_OF_AN_INVALID_DEVICE)
def test_a_device_kept_over_close_is_observed(stage: Stage, cell: Cell) -> None:
    at = cell.way.reach(stage)
    subject = f"{cell.line.method} of a device kept over Close, {cell.way.name}"
    stage.outside_contract("Q43", subject, lambda: next(cell.line.call(at)))
