"""What there is to reach: the client matrix with the methods that it leaves out, and the moves between its states.

Cells that no client can come to are not here: without a device there is no GetCommand and no CompleteCommand, and who
created a set is not asked to join one. Where the documents permit several codes for one situation, any of them counts.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.suite.model.permits import ANY_FAILURE
from vdi_conformance.suite.model.world import View

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK: Final = "NOERROR"
_SHARED: Final = "NOERROR|VD_E_ABORT|VD_E_INVALID|VD_E_PROTOCOL"

MATRIX: Final[Mapping[tuple[View, str], tuple[str, ...]]] = MappingProxyType(
    {
        (View.DOES_NOT_EXIST, "CreateEx"): (_OK, ANY_FAILURE),
        (View.DOES_NOT_EXIST, "OpenInSecondaryEx"): (_OK, "VD_E_PROTOCOL", "VD_E_ABORT", ANY_FAILURE),
        (View.DOES_NOT_EXIST, "GetConfiguration"): ("VD_E_PROTOCOL",),
        (View.DOES_NOT_EXIST, "OpenDevice"): ("VD_E_PROTOCOL",),
        (View.DOES_NOT_EXIST, "SignalAbort"): ("VD_E_PROTOCOL",),
        (View.DOES_NOT_EXIST, "Close"): ("VD_E_PROTOCOL",),
        (View.DOES_NOT_EXIST, "GetBufferHandle"): ("VD_E_PROTOCOL|VD_E_INVALID",),
        (View.DOES_NOT_EXIST, "MapBufferHandle"): ("VD_E_PROTOCOL|VD_E_INVALID",),
        (View.CONFIGURABLE, "CreateEx"): ("VD_E_PROTOCOL",),
        (View.CONFIGURABLE, "GetConfiguration"): (_OK, "VD_E_TIMEOUT"),
        (View.CONFIGURABLE, "OpenDevice"): ("VD_E_PROTOCOL",),
        (View.CONFIGURABLE, "SignalAbort"): (_OK,),
        (View.CONFIGURABLE, "Close"): (_OK,),
        (View.CONFIGURABLE, "GetBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (View.CONFIGURABLE, "MapBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (View.INITIALIZING, "CreateEx"): ("VD_E_PROTOCOL",),
        (View.INITIALIZING, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (View.INITIALIZING, "GetConfiguration"): (_OK,),
        (View.INITIALIZING, "OpenDevice"): (_OK, "VD_E_INVALID", "VD_E_OPEN|VD_E_PROTOCOL"),
        (View.INITIALIZING, "SignalAbort"): (_OK,),
        (View.INITIALIZING, "Close"): (_OK,),
        (View.INITIALIZING, "GetBufferHandle"): ("VD_E_INVALID|VD_E_PROTOCOL",),
        (View.INITIALIZING, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (View.ACTIVE, "CreateEx"): ("VD_E_PROTOCOL",),
        (View.ACTIVE, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (View.ACTIVE, "GetConfiguration"): (_OK,),
        (View.ACTIVE, "OpenDevice"): (_OK, "VD_E_INVALID", "VD_E_PROTOCOL", "VD_E_OPEN|VD_E_PROTOCOL"),
        (View.ACTIVE, "GetCommand"): (_OK, "VD_E_TIMEOUT", "VD_E_CLOSE"),
        (View.ACTIVE, "CompleteCommand"): (_OK, "VD_E_INVALID"),
        (View.ACTIVE, "SignalAbort"): (_OK,),
        (View.ACTIVE, "Close"): ("VD_E_OPEN|NOERROR",),
        (View.ACTIVE, "GetBufferHandle"): (_OK, "VD_E_INVALID"),
        (View.ACTIVE, "MapBufferHandle"): (_OK, "VD_E_INVALID"),
        (View.TERMINATED, "CreateEx"): ("VD_E_PROTOCOL",),
        (View.TERMINATED, "OpenInSecondaryEx"): ("VD_E_PROTOCOL",),
        (View.TERMINATED, "GetConfiguration"): (_OK,),
        (View.TERMINATED, "OpenDevice"): ("VD_E_PROTOCOL",),
        (View.TERMINATED, "GetCommand"): ("VD_E_PROTOCOL|VD_E_CLOSE",),
        (View.TERMINATED, "CompleteCommand"): ("VD_E_PROTOCOL",),
        (View.TERMINATED, "SignalAbort"): (_OK,),
        (View.TERMINATED, "Close"): (_OK,),
        (View.TERMINATED, "GetBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (View.TERMINATED, "MapBufferHandle"): ("VD_E_INVALID|NOERROR",),
        (View.ABORT, "CreateEx"): ("VD_E_PROTOCOL",),
        (View.ABORT, "OpenInSecondaryEx"): ("VD_E_PROTOCOL|VD_E_ABORT",),
        (View.ABORT, "GetConfiguration"): ("VD_E_ABORT",),
        (View.ABORT, "OpenDevice"): ("VD_E_ABORT",),
        (View.ABORT, "GetCommand"): ("VD_E_ABORT",),
        (View.ABORT, "CompleteCommand"): ("VD_E_ABORT",),
        (View.ABORT, "SignalAbort"): (_OK,),
        (View.ABORT, "Close"): ("NOERROR|VD_E_OPEN",),
        (View.ABORT, "GetBufferHandle"): (_SHARED,),
        (View.ABORT, "MapBufferHandle"): (_SHARED,),
    }
)
"""The outcomes of each method in each state."""

MOVES: Final = (
    (View.DOES_NOT_EXIST, View.CONFIGURABLE),
    (View.DOES_NOT_EXIST, View.INITIALIZING),
    (View.CONFIGURABLE, View.INITIALIZING),
    (View.INITIALIZING, View.ACTIVE),
    (View.INITIALIZING, View.TERMINATED),
    (View.ACTIVE, View.TERMINATED),
    *((view, View.ABORT) for view in (View.CONFIGURABLE, View.INITIALIZING, View.ACTIVE, View.TERMINATED)),
    *((view, View.DOES_NOT_EXIST) for view in View if view is not View.DOES_NOT_EXIST),
)
"""From a state to another one; who opened no device sees its set end when the others have been told."""


def reached(cells: Mapping[tuple[View, str, str], int], moves: Mapping[tuple[View, View], int]) -> dict[str, int]:
    """Count how often each outcome of the matrix, and each move, was seen."""
    counts = {}
    for (view, method), outcomes in MATRIX.items():
        for outcome in outcomes:
            seen = (cells.get((view, method, one), 0) for one in outcome.split("|"))
            counts[f"{view}, {method}: {outcome}"] = sum(seen)
    return counts | {f"{one} to {other}": moves.get((one, other), 0) for one, other in MOVES}
