"""How each method of the client transition matrix is called, and what its checks demand of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.client_states import (
    NO_DEVICE,
    WAYS,
    WAYS_OF_A_SECONDARY,
    WAYS_WITH_AN_INVALID_DEVICE,
    Way,
)
from vdi_conformance.vdi.client_states import CLIENT_MATRIX, ClientState
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.harness.client_states import Reached
    from vdi_conformance.harness.expectations import Answer
    from vdi_conformance.vdi.client_states import CallResult


@dataclass(frozen=True)
class Permitted:
    """The usual result of one cell, and what may be given instead of it."""

    results: tuple[CallResult, ...]

    @property
    def to(self) -> ClientState | None:
        """The state that it leads to where that is another one."""
        return self.results[0].to

    def judge(self, answer: Answer, way: Way, method: str) -> None:
        """Fail the check unless the call gave what it may, and record what was open."""
        results = [result for result in self.results if way.name not in NO_DEVICE or not result.in_use]
        codes = [result.code for result in results]
        question = next((result.question for result in results if result.question), None)
        if question is None:
            answer.expect(*codes)
        else:
            answer.permit(question, f"{method} in state {way.state}, {way.name}", *codes)


# How each method is called


def _create(at: Reached) -> Iterator[Answer]:
    answer = at.who.create_ex(None, at.set_name, VDConfig())
    yield answer
    if answer.code != NOERROR:
        yield at.who.create_ex(None, at.testbed.name(), VDConfig())
        yield at.who.create(at.testbed.name(), VDConfig())


def _get_configuration(at: Reached) -> Iterator[Answer]:
    yield at.who.get_configuration(0)
    yield at.who.get_configuration()


def _open_device(at: Reached) -> Iterator[Answer]:
    result = at.who.open_device(at.set_name)
    if at.statement is not None and result.value is not None:
        at.statement.devices.append(result.value)
    yield result


def _get_command(at: Reached) -> Iterator[Answer]:
    result = at.device.get_command()
    yield result
    if result.value is not None:
        at.running.answer_any(result.value).expect(NOERROR)


def _complete_command(at: Reached) -> Iterator[Answer]:
    if at.command is None:
        yield at.running.answer_any(at.device.next_command())
        return
    size = at.command.size if at.command.code in DATA_COMMANDS else 0
    yield at.device.complete(at.command.address, ERROR_SUCCESS, size)


def _signal_abort(at: Reached) -> Iterator[Answer]:
    yield at.who.signal_abort()


def _close(at: Reached) -> Iterator[Answer]:
    yield at.who.close()


@dataclass(frozen=True)
class MatrixLine:
    """One method, or two that are one in the matrix: how it is called.

    `on_a_device` says that it needs one that was opened; `waits_in` names the state in which it waits for a server.
    """

    method: str
    call: Callable[[Reached], Iterator[Answer]]
    on_a_device: bool = False
    waits_in: ClientState | None = None

    def gives(self, state: ClientState) -> Permitted:
        """Look up what it may give in a state."""
        return Permitted(CLIENT_MATRIX[self.method.partition("/")[0]][state].cases[0])


MATRIX: Final = (
    MatrixLine("CreateEx/Create", _create),
    MatrixLine("GetConfiguration", _get_configuration, waits_in=ClientState.CONFIGURABLE),
    MatrixLine("OpenDevice", _open_device),
    MatrixLine("GetCommand", _get_command, on_a_device=True),
    MatrixLine("CompleteCommand", _complete_command, on_a_device=True),
    MatrixLine("SignalAbort", _signal_abort),
    MatrixLine("Close", _close),
)
"""The methods, in the order in which the requirements have them."""


@dataclass(frozen=True)
class MatrixCell:
    """What one method gives in one state: the requirement that says so, and a way into the state."""

    requirement: str
    line: MatrixLine
    way: Way

    @property
    def gives(self) -> Permitted:
        """What it is."""
        return self.line.gives(self.way.state)

    @property
    def name(self) -> str:
        """What a check of it is called."""
        return f"{self.line.method} {self.way.name}"


def _cells(ways: tuple[Way, ...], requirement: str | None = None) -> list[MatrixCell]:
    """Give every cell that these ways lead to; the requirements are numbered method by method, state by state.

    They have no device where none was opened, and a call that waits is made where its server is.
    """
    states = list(ClientState)
    return [
        MatrixCell(requirement or f"ST-{number * len(states) + states.index(way.state) + 1:02}", line, way)
        for number, line in enumerate(MATRIX)
        for way in ways
        if way.state is not line.waits_in and not (line.on_a_device and way.name in NO_DEVICE)
    ]


CELLS: Final = _cells(WAYS)
CELLS_OF_A_SECONDARY: Final = _cells(WAYS_OF_A_SECONDARY, "ST-47")
CELLS_OF_AN_INVALID_DEVICE: Final = [cell for cell in _cells(WAYS_WITH_AN_INVALID_DEVICE) if cell.line.on_a_device]
