"""The transition matrix of the suite is that of the catalogue, and every cell that can be reached has its check."""

import pytest

from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.harness.client_states import (
    NO_DEVICE,
    WAYS,
    WAYS_OF_A_SECONDARY,
    WAYS_WITH_AN_INVALID_DEVICE,
)
from vdi_conformance.harness.matrix import CELLS, CELLS_OF_A_SECONDARY, CELLS_OF_AN_INVALID_DEVICE, MATRIX
from vdi_conformance.requirements import catalogue
from vdi_conformance.vdi.client_states import CLIENT_MATRIX, ClientState
from vdi_conformance.vdi.hresult import name_of

ALL = CELLS + CELLS_OF_A_SECONDARY + CELLS_OF_AN_INVALID_DEVICE
STATES = list(ClientState)
PRINTED = [(line, state) for line in MATRIX for state in STATES]


@pytest.mark.parametrize("number", range(len(PRINTED)))
def test_the_requirements_say_what_the_matrix_says(number: int) -> None:
    line, state = PRINTED[number]
    requirement = catalogue().get(f"ST-{number + 1:02}")
    gives = line.gives(state)
    assert requirement is not None
    assert requirement.statement.startswith(f"{line.method} called in state {state} gives "), requirement.statement
    named = {word.strip(".,;") for word in requirement.statement.split()} & {"NOERROR", *_names()}
    codes = {name_of(result.code) for result in gives.results}
    # A requirement may name a code that is permitted in a state that a way of its own leads to.
    assert codes <= named, requirement.statement
    if gives.to is not None:
        assert f"to {gives.to}" in requirement.statement


def test_every_method_of_the_matrix_is_called() -> None:
    assert [line.method.partition("/")[0] for line in MATRIX] == list(CLIENT_MATRIX)


def _names() -> set[str]:
    return {f"VD_E_{name}" for name in ("PROTOCOL", "ABORT", "OPEN", "CLOSE", "INVALID", "TIMEOUT")}


def test_every_cell_has_a_check() -> None:
    checks = checks_by_requirement()
    assert [number for number in range(1, len(PRINTED) + 1) if f"ST-{number:02}" not in checks] == []
    for cell in ALL:
        assert any(check.endswith(f"[{cell.name}]") for check in checks[cell.requirement]), cell.name


def test_every_state_is_reached() -> None:
    assert {way.state for way in WAYS} == set(ClientState)
    # Who joined has a set that is configured, until it leaves.
    assert {way.state for way in WAYS_OF_A_SECONDARY} == set(ClientState) - {ClientState.CONFIGURABLE}
    before_a_device = {ClientState.DOES_NOT_EXIST, ClientState.CONFIGURABLE, ClientState.INITIALIZING}
    assert {way.state for way in WAYS_WITH_AN_INVALID_DEVICE} == before_a_device


def test_the_devices_of_a_way_are_used() -> None:
    devices = {cell.way.name for cell in ALL if cell.line.on_a_device}
    ways = (*WAYS, *WAYS_OF_A_SECONDARY, *WAYS_WITH_AN_INVALID_DEVICE)
    assert devices == {way.name for way in ways} - set(NO_DEVICE)
