"""A history: calls with their begin and end, told in the terms of the model; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.hresult import VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVER: Final = 0
"""Who acts where it is no client."""
UNKNOWN: Final = -1
"""What came belongs to no command that the server sent."""


@dataclass(frozen=True)
class HistoryCall:
    """One call: who made it on which thread, what the model calls it, when it began and ended, and what it gave.

    `what` is the place of a device in its set, or how many devices a new set has, `name` that of a set. `tag` is the
    command that is sent, or whose record, buffer or handle is given; one that is sent moves `size` bytes. `gave` is the
    command that came, or whose buffer a handle or an address belongs to; None where nobody looked, or could tell. A
    call that is `patient` waits for what is bound to come.
    """

    number: int
    by: int
    thread: str
    act: str
    code: int
    begin: float
    end: float
    what: int = 0
    name: str = ""
    tag: int | None = None
    size: int = 0
    gave: int | None = None
    patient: bool = False

    @property
    def in_vain(self) -> bool:
        """Whether it waited for what is bound to come, until its time was over."""
        return self.patient and self.code == VD_E_TIMEOUT

    @property
    def earliest(self) -> float:
        """When it may have taken effect at the earliest: a wait in vain has gone on for half its time at least."""
        return (self.begin + self.end) / 2 if self.in_vain else self.begin

    def precedes(self, other: HistoryCall) -> bool:
        """Tell whether this one was over before the other began: by the clock, or on one thread."""
        same_thread = (self.by, self.thread) == (other.by, other.thread)
        return self.end < other.earliest or (same_thread and self.number < other.number)

    def overlaps(self, other: HistoryCall) -> bool:
        """Tell whether either of the two may have come first."""
        return not (self is other or self.precedes(other) or other.precedes(self))


def predecessors(calls: Sequence[HistoryCall]) -> list[int]:
    """Give for each call those that come before it, as bits."""
    return [
        sum(1 << place for place, other in enumerate(calls) if other is not call and other.precedes(call))
        for call in calls
    ]
