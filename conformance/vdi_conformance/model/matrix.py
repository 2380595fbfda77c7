"""What there is to reach: the client matrix with the methods that it leaves out, and the moves between its states.

Cells that no client can come to are not here: without a device there is no GetCommand and no CompleteCommand, and who
created a set is not asked to join one. Where the documents permit several codes for one situation, any of them counts.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.model.permits import ANY_FAILURE
from vdi_conformance.vdi.client_states import CLIENT_MATRIX, ClientState, moves
from vdi_conformance.vdi.hresult import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK: Final = "NOERROR"
_SHARED: Final = "NOERROR|VD_E_ABORT|VD_E_INVALID|VD_E_PROTOCOL"
_EARLY: Final = "VD_E_INVALID|VD_E_PROTOCOL"

_WITHOUT_A_DEVICE: Final = (ClientState.DOES_NOT_EXIST, ClientState.CONFIGURABLE, ClientState.INITIALIZING)
_OF_A_DEVICE: Final = ("GetCommand", "CompleteCommand")

_FURTHER: Final[Mapping[tuple[ClientState, str], tuple[str, ...]]] = MappingProxyType(
    {
        (ClientState.DOES_NOT_EXIST, "CreateEx"): (ANY_FAILURE,),
        (ClientState.DOES_NOT_EXIST, "OpenInSecondaryEx"): (_OK, "VD_E_PROTOCOL", "VD_E_ABORT", ANY_FAILURE),
        (ClientState.DOES_NOT_EXIST, "GetBufferHandle"): (_EARLY,),
        (ClientState.DOES_NOT_EXIST, "MapBufferHandle"): (_EARLY,),
        (ClientState.CONFIGURABLE, "GetConfiguration"): ("VD_E_TIMEOUT",),
        (ClientState.CONFIGURABLE, "GetBufferHandle"): (_EARLY,),
        (ClientState.CONFIGURABLE, "MapBufferHandle"): (_EARLY,),
        (ClientState.INITIALIZING, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.INITIALIZING, "OpenDevice"): ("VD_E_INVALID", "VD_E_OPEN|VD_E_PROTOCOL"),
        (ClientState.INITIALIZING, "GetBufferHandle"): (_EARLY,),
        (ClientState.INITIALIZING, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.ACTIVE, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.ACTIVE, "OpenDevice"): (_OK, "VD_E_INVALID", "VD_E_PROTOCOL"),
        (ClientState.ACTIVE, "GetCommand"): ("VD_E_TIMEOUT",),
        (ClientState.ACTIVE, "CompleteCommand"): ("VD_E_INVALID",),
        (ClientState.ACTIVE, "GetBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.ACTIVE, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.NORMALLY_TERMINATED, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.NORMALLY_TERMINATED, "GetBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (ClientState.NORMALLY_TERMINATED, "MapBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (ClientState.ABORT, "OpenInSecondaryEx"): ("VD_E_PROTOCOL|VD_E_ABORT",),
        (ClientState.ABORT, "GetBufferHandle"): (_SHARED,),
        (ClientState.ABORT, "MapBufferHandle"): (_SHARED,),
    }
)
"""What the pages of the methods add to the matrix, and the methods that it leaves out."""


def _printed(view: ClientState, method: str) -> tuple[str, ...]:
    """Give the outcomes that the matrix has for a method in a state where it can be called."""
    if method not in CLIENT_MATRIX or (method in _OF_A_DEVICE and view in _WITHOUT_A_DEVICE):
        return ()
    return tuple("|".join(name_of(one.code) for one in case) for case in CLIENT_MATRIX[method][view].cases)


_METHODS: Final = (*CLIENT_MATRIX, "OpenInSecondaryEx", "GetBufferHandle", "MapBufferHandle")

MATRIX: Final[Mapping[tuple[ClientState, str], tuple[str, ...]]] = MappingProxyType(
    {
        (view, method): outcomes
        for view in ClientState
        for method in _METHODS
        if (outcomes := (*_printed(view, method), *_FURTHER.get((view, method), ())))
    }
)
"""The outcomes of each method in each state."""

MOVES: Final = (
    *moves(),
    (ClientState.DOES_NOT_EXIST, ClientState.INITIALIZING),
    (ClientState.INITIALIZING, ClientState.NORMALLY_TERMINATED),
)
"""From a state to another one; who joins begins with a configured set, who opened no device sees it end with others."""


def reached(
    cells: Mapping[tuple[ClientState, str, str], int], moved: Mapping[tuple[ClientState, ClientState], int]
) -> dict[str, int]:
    """Count how often each outcome of the matrix, and each move, was seen."""
    counts = {}
    for (view, method), outcomes in MATRIX.items():
        for outcome in outcomes:
            seen = (cells.get((view, method, one), 0) for one in outcome.split("|"))
            counts[f"{view}, {method}: {outcome}"] = sum(seen)
    return counts | {f"{one} to {other}": moved.get((one, other), 0) for one, other in MOVES}
