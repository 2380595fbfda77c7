"""What there is to reach: the client matrix with the methods that it leaves out, and the moves between its states.

Cells that no client can come to are not here: without a device there is no GetCommand and no CompleteCommand, and who
created a set is not asked to join one. Where the documents permit several codes for one situation, any of them counts.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.model.permits import ANY_FAILURE
from vdi_conformance.model.state import ClientState

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK: Final = "NOERROR"
_SHARED: Final = "NOERROR|VD_E_ABORT|VD_E_INVALID|VD_E_PROTOCOL"

MATRIX: Final[Mapping[tuple[ClientState, str], tuple[str, ...]]] = MappingProxyType(
    {
        (ClientState.DOES_NOT_EXIST, "CreateEx"): (_OK, ANY_FAILURE),
        (ClientState.DOES_NOT_EXIST, "OpenInSecondaryEx"): (_OK, "VD_E_PROTOCOL", "VD_E_ABORT", ANY_FAILURE),
        (ClientState.DOES_NOT_EXIST, "GetConfiguration"): ("VD_E_PROTOCOL",),
        (ClientState.DOES_NOT_EXIST, "OpenDevice"): ("VD_E_PROTOCOL",),
        (ClientState.DOES_NOT_EXIST, "SignalAbort"): ("VD_E_PROTOCOL",),
        (ClientState.DOES_NOT_EXIST, "Close"): ("VD_E_PROTOCOL",),
        (ClientState.DOES_NOT_EXIST, "GetBufferHandle"): ("VD_E_PROTOCOL|VD_E_INVALID",),
        (ClientState.DOES_NOT_EXIST, "MapBufferHandle"): ("VD_E_PROTOCOL|VD_E_INVALID",),
        (ClientState.CONFIGURABLE, "CreateEx"): ("VD_E_PROTOCOL",),
        (ClientState.CONFIGURABLE, "GetConfiguration"): (_OK, "VD_E_TIMEOUT"),
        (ClientState.CONFIGURABLE, "OpenDevice"): ("VD_E_PROTOCOL",),
        (ClientState.CONFIGURABLE, "SignalAbort"): (_OK,),
        (ClientState.CONFIGURABLE, "Close"): (_OK,),
        (ClientState.CONFIGURABLE, "GetBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (ClientState.CONFIGURABLE, "MapBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (ClientState.INITIALIZING, "CreateEx"): ("VD_E_PROTOCOL",),
        (ClientState.INITIALIZING, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.INITIALIZING, "GetConfiguration"): (_OK,),
        (ClientState.INITIALIZING, "OpenDevice"): (_OK, "VD_E_INVALID", "VD_E_OPEN|VD_E_PROTOCOL"),
        (ClientState.INITIALIZING, "SignalAbort"): (_OK,),
        (ClientState.INITIALIZING, "Close"): (_OK,),
        (ClientState.INITIALIZING, "GetBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (ClientState.INITIALIZING, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.ACTIVE, "CreateEx"): ("VD_E_PROTOCOL",),
        (ClientState.ACTIVE, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.ACTIVE, "GetConfiguration"): (_OK,),
        (ClientState.ACTIVE, "OpenDevice"): (_OK, "VD_E_INVALID", "VD_E_PROTOCOL", "VD_E_OPEN|VD_E_PROTOCOL"),
        (ClientState.ACTIVE, "GetCommand"): (_OK, "VD_E_TIMEOUT", "VD_E_CLOSE"),
        (ClientState.ACTIVE, "CompleteCommand"): (_OK, "VD_E_INVALID"),
        (ClientState.ACTIVE, "SignalAbort"): (_OK,),
        (ClientState.ACTIVE, "Close"): ("VD_E_OPEN|NOERROR",),
        (ClientState.ACTIVE, "GetBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.ACTIVE, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (ClientState.TERMINATED, "CreateEx"): ("VD_E_PROTOCOL",),
        (ClientState.TERMINATED, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (ClientState.TERMINATED, "GetConfiguration"): (_OK,),
        (ClientState.TERMINATED, "OpenDevice"): ("VD_E_PROTOCOL",),
        (ClientState.TERMINATED, "GetCommand"): ("VD_E_PROTOCOL|VD_E_CLOSE",),
        (ClientState.TERMINATED, "CompleteCommand"): ("VD_E_PROTOCOL",),
        (ClientState.TERMINATED, "SignalAbort"): (_OK,),
        (ClientState.TERMINATED, "Close"): (_OK,),
        (ClientState.TERMINATED, "GetBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (ClientState.TERMINATED, "MapBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (ClientState.ABORT, "CreateEx"): ("VD_E_PROTOCOL",),
        (ClientState.ABORT, "OpenInSecondaryEx"): ("VD_E_PROTOCOL|VD_E_ABORT",),
        (ClientState.ABORT, "GetConfiguration"): ("VD_E_ABORT",),
        (ClientState.ABORT, "OpenDevice"): ("VD_E_ABORT",),
        (ClientState.ABORT, "GetCommand"): ("VD_E_ABORT",),
        (ClientState.ABORT, "CompleteCommand"): ("VD_E_ABORT",),
        (ClientState.ABORT, "SignalAbort"): (_OK,),
        (ClientState.ABORT, "Close"): ("NOERROR|VD_E_OPEN",),
        (ClientState.ABORT, "GetBufferHandle"): (_SHARED,),
        (ClientState.ABORT, "MapBufferHandle"): (_SHARED,),
    }
)
"""The outcomes of each method in each state."""

MOVES: Final = (
    (ClientState.DOES_NOT_EXIST, ClientState.CONFIGURABLE),
    (ClientState.DOES_NOT_EXIST, ClientState.INITIALIZING),
    (ClientState.CONFIGURABLE, ClientState.INITIALIZING),
    (ClientState.INITIALIZING, ClientState.ACTIVE),
    (ClientState.INITIALIZING, ClientState.TERMINATED),
    (ClientState.ACTIVE, ClientState.TERMINATED),
    *(
        (view, ClientState.ABORT)
        for view in (ClientState.CONFIGURABLE, ClientState.INITIALIZING, ClientState.ACTIVE, ClientState.TERMINATED)
    ),
    *((view, ClientState.DOES_NOT_EXIST) for view in ClientState if view is not ClientState.DOES_NOT_EXIST),
)
"""From a state to another one; who opened no device sees its set end when the others have been told."""


def reached(
    cells: Mapping[tuple[ClientState, str, str], int], moves: Mapping[tuple[ClientState, ClientState], int]
) -> dict[str, int]:
    """Count how often each outcome of the matrix, and each move, was seen."""
    counts = {}
    for (view, method), outcomes in MATRIX.items():
        for outcome in outcomes:
            seen = (cells.get((view, method, one), 0) for one in outcome.split("|"))
            counts[f"{view}, {method}: {outcome}"] = sum(seen)
    return counts | {f"{one} to {other}": moves.get((one, other), 0) for one, other in MOVES}
