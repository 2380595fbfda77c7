"""The client transition matrix as Microsoft prints it, with what the page of a method says otherwise.

OpenInSecondary(Ex), GetBufferHandle and MapBufferHandle are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class ClientState(StrEnum):
    """The columns of the matrix, in their order, as one client object sees them."""

    DOES_NOT_EXIST = "Does Not Exist"
    CONFIGURABLE = "Configurable"
    INITIALIZING = "Initializing"
    ACTIVE = "Active"
    NORMALLY_TERMINATED = "Normally Terminated"
    ABORT = "Abort"


@dataclass(frozen=True)
class CallResult:
    """A code that a call may give, and the state that it leads to where that is another one.

    With a `question` it is what the page of the method says and the matrix does not, so that either counts; one that is
    `in_use` is so only where devices were opened and never came to their end.
    """

    code: int
    to: ClientState | None = None
    question: str | None = None
    in_use: bool = False


@dataclass(frozen=True)
class StateCell:
    """What one method may give in one state: the usual result comes first."""

    results: tuple[CallResult, ...]

    @property
    def cases(self) -> tuple[tuple[CallResult, ...], ...]:
        """The results, those together that lead to the same state: any of these may be given for one situation."""
        led_to = dict.fromkeys(result.to for result in self.results)
        return tuple(tuple(result for result in self.results if result.to is to) for to in led_to)


def _cell(*results: CallResult) -> StateCell:
    return StateCell(results)


_REFUSED: Final = _cell(CallResult(VD_E_PROTOCOL))
_DONE: Final = _cell(CallResult(NOERROR))
_ABORTED: Final = _cell(CallResult(VD_E_ABORT))
_ABORTS: Final = _cell(CallResult(NOERROR, to=ClientState.ABORT))
_CLOSES: Final = _cell(CallResult(NOERROR, to=ClientState.DOES_NOT_EXIST))


def _row(*cells: StateCell) -> Mapping[ClientState, StateCell]:
    return MappingProxyType(dict(zip(ClientState, cells, strict=True)))


# fmt: off
CLIENT_MATRIX: Final[Mapping[str, Mapping[ClientState, StateCell]]] = MappingProxyType({
    # Does Not Exist, Configurable, Initializing, Active, Normally Terminated, Abort
    "CreateEx": _row(
        _cell(CallResult(NOERROR, to=ClientState.CONFIGURABLE)), _REFUSED, _REFUSED, _REFUSED, _REFUSED, _REFUSED,
    ),
    "GetConfiguration": _row(
        _REFUSED, _cell(CallResult(NOERROR, to=ClientState.INITIALIZING)), _DONE, _DONE, _DONE, _ABORTED,
    ),
    "OpenDevice": _row(
        _REFUSED, _REFUSED, _cell(CallResult(NOERROR, to=ClientState.ACTIVE)),
        _cell(CallResult(VD_E_PROTOCOL), CallResult(VD_E_OPEN, question="Q2")), _REFUSED, _ABORTED,
    ),
    "GetCommand": _row(
        _REFUSED, _REFUSED, _REFUSED,
        _cell(CallResult(NOERROR), CallResult(VD_E_CLOSE, to=ClientState.NORMALLY_TERMINATED)),
        _cell(CallResult(VD_E_PROTOCOL), CallResult(VD_E_CLOSE, question="Q5")), _ABORTED,
    ),
    "CompleteCommand": _row(_REFUSED, _REFUSED, _REFUSED, _DONE, _REFUSED, _ABORTED),
    "SignalAbort": _row(_REFUSED, _ABORTS, _ABORTS, _ABORTS, _ABORTS, _DONE),
    "Close": _row(
        _REFUSED, _CLOSES, _CLOSES,
        _cell(
            CallResult(NOERROR, to=ClientState.DOES_NOT_EXIST),
            CallResult(VD_E_OPEN, to=ClientState.DOES_NOT_EXIST, question="Q3"),
        ),
        _CLOSES,
        _cell(
            CallResult(NOERROR, to=ClientState.DOES_NOT_EXIST),
            CallResult(VD_E_OPEN, to=ClientState.DOES_NOT_EXIST, question="Q4", in_use=True),
        ),
    ),
})
# fmt: on
"""What each method may give in each state, by the names of the methods; CreateEx stands for Create too.

OpenDevice in the state Active is that with all devices open: one that is not open yet must open (Q1).
"""


def moves() -> Iterator[tuple[ClientState, ClientState]]:
    """Give each step from a state to another one that the matrix has, once."""
    found = (
        (state, result.to)
        for row in CLIENT_MATRIX.values()
        for state, cell in row.items()
        for result in cell.results
        if result.to is not None
    )
    return iter(dict.fromkeys(found))
