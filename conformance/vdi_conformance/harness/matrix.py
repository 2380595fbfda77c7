"""The client transition matrix: what each method gives in each state, and to which state that leads.

Where a page of a method says otherwise than the matrix, both are permitted: OpenDevice when all devices are open (Q2),
Close with devices open (Q3) or after an abort (Q4), GetCommand after the end (Q5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.client_states import (
    NO_DEVICE,
    WAYS,
    WAYS_OF_A_SECONDARY,
    WAYS_WITH_AN_INVALID_DEVICE,
    State,
    Way,
)
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.harness.client_states import Reached
    from vdi_conformance.harness.expectations import Answer


@dataclass(frozen=True)
class Permitted:
    """One cell: the permitted codes, and the state that the first of them leads to where it is another one.

    `question` is what is open where there are several codes; `in_use` are further ones where devices were opened and
    never came to their end.
    """

    codes: tuple[int, ...]
    to: State | None = None
    question: str | None = None
    in_use: tuple[int, ...] = ()

    def judge(self, answer: Answer, way: Way, method: str) -> None:
        """Fail the check unless the call gave what it may, and record what was open."""
        codes = self.codes if way.name in NO_DEVICE else (*self.codes, *self.in_use)
        if self.question is None or len(codes) == 1:
            answer.expect(*codes)
        else:
            answer.permit(self.question, f"{method} in state {way.state.value}, {way.name}", *codes)


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


_REFUSED: Final = Permitted((VD_E_PROTOCOL,))
_DONE: Final = Permitted((NOERROR,))
_ABORTED: Final = Permitted((VD_E_ABORT,))
_ABORTS: Final = Permitted((NOERROR,), to=State.ABORT)
_CLOSES: Final = Permitted((NOERROR,), to=State.DOES_NOT_EXIST)


@dataclass(frozen=True)
class MatrixLine:
    """One method: how it is called, and what it gives in each state, in the order of the states.

    `on_a_device` says that it needs one that was opened; `waits_in` names the state in which it waits for a server.
    """

    method: str
    call: Callable[[Reached], Iterator[Answer]]
    cells: tuple[Permitted, ...]
    on_a_device: bool = False
    waits_in: State | None = None


# fmt: off
MATRIX: Final = (
    #                                Does Not Exist, Configurable, Initializing, Active, Normally Terminated, Abort
    MatrixLine("CreateEx/Create", _create, (
        Permitted((NOERROR,), to=State.CONFIGURABLE), _REFUSED, _REFUSED, _REFUSED, _REFUSED, _REFUSED,
    )),
    MatrixLine("GetConfiguration", _get_configuration, (
        _REFUSED, Permitted((NOERROR,), to=State.INITIALIZING), _DONE, _DONE, _DONE, _ABORTED,
    ), waits_in=State.CONFIGURABLE),
    MatrixLine("OpenDevice", _open_device, (
        _REFUSED, _REFUSED, Permitted((NOERROR,), to=State.ACTIVE),
        Permitted((VD_E_PROTOCOL, VD_E_OPEN), question="Q2"), _REFUSED, _ABORTED,
    )),
    MatrixLine("GetCommand", _get_command, (
        _REFUSED, _REFUSED, _REFUSED, _DONE, Permitted((VD_E_PROTOCOL, VD_E_CLOSE), question="Q5"), _ABORTED,
    ), on_a_device=True),
    MatrixLine("CompleteCommand", _complete_command, (
        _REFUSED, _REFUSED, _REFUSED, _DONE, _REFUSED, _ABORTED,
    ), on_a_device=True),
    MatrixLine("SignalAbort", _signal_abort, (
        _REFUSED, _ABORTS, _ABORTS, _ABORTS, _ABORTS, _DONE,
    )),
    MatrixLine("Close", _close, (
        _REFUSED, _CLOSES, _CLOSES,
        Permitted((NOERROR, VD_E_OPEN), to=State.DOES_NOT_EXIST, question="Q3"), _CLOSES,
        Permitted((NOERROR,), to=State.DOES_NOT_EXIST, question="Q4", in_use=(VD_E_OPEN,)),
    )),
)
# fmt: on


@dataclass(frozen=True)
class MatrixCell:
    """What one method gives in one state: the requirement that says so, and a way into the state."""

    requirement: str
    line: MatrixLine
    way: Way

    @property
    def gives(self) -> Permitted:
        """What it is."""
        return self.line.cells[list(State).index(self.way.state)]

    @property
    def name(self) -> str:
        """What a check of it is called."""
        return f"{self.line.method} {self.way.name}"


def _cells(ways: tuple[Way, ...], requirement: str | None = None) -> list[MatrixCell]:
    """Give every cell that these ways lead to; the requirements are numbered method by method, state by state.

    They have no device where none was opened, and a call that waits is made where its server is.
    """
    states = list(State)
    return [
        MatrixCell(requirement or f"ST-{number * len(states) + states.index(way.state) + 1:02}", line, way)
        for number, line in enumerate(MATRIX)
        for way in ways
        if way.state is not line.waits_in and not (line.on_a_device and way.name in NO_DEVICE)
    ]


CELLS: Final = _cells(WAYS)
CELLS_OF_A_SECONDARY: Final = _cells(WAYS_OF_A_SECONDARY, "ST-47")
CELLS_OF_AN_INVALID_DEVICE: Final = [cell for cell in _cells(WAYS_WITH_AN_INVALID_DEVICE) if cell.line.on_a_device]
