"""What a buffer holds, as every process must see it: over its full size, or at its ends where that is large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import PAGE, Stretch, digests_of
from vdi_conformance.harness.shared_memory import BufferView, other_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL: Final = 64 << 10
"""Up to that size a buffer is looked at byte for byte; other checks look at all of larger ones."""


class Span(NamedTuple):
    """So many bytes from an offset on."""

    offset: int
    size: int


def spans_of(size: int) -> tuple[Span, ...]:
    """Say where a buffer of that size is looked at."""
    if size <= FULL:
        return (Span(0, size),)
    return Span(0, PAGE), Span(size - PAGE, PAGE)


class Contents:
    """What was stored last; `shift` leads from the address of a view to what is looked at."""

    def __init__(self, size: int, shift: int = 0) -> None:
        self._size = size
        self._spans = spans_of(size)
        self._shift = shift
        self._digests: list[str] = []
        self._taken_from: BufferView | None = None

    @property
    def known(self) -> bool:
        """Whether anything was stored or taken."""
        return self._taken_from is not None

    def store(self, view: BufferView, seed: int) -> None:
        """Store other bytes through a view."""
        self._digests = view.process.fill_and_digest(self._stretches(view), seed)
        self._taken_from = view

    def take(self, view: BufferView) -> None:
        """Take what a view shows for what is stored."""
        (self._digests,) = self._seen([view])
        self._taken_from = view

    def differs(self, views: Sequence[BufferView]) -> BufferView | None:
        """Give the first view that shows other bytes; all processes look at once."""
        return next((view for view, seen in zip(views, self._seen(views), strict=True) if seen != self._digests), None)

    def require(self, *views: BufferView) -> None:
        """Fail the check unless every view shows what was stored last."""
        if (found := self.differs(views)) is not None and (first := self._taken_from) is not None:
            raise ConformanceFailure(other_bytes(found, first))

    def touch(self, view: BufferView) -> None:
        """Store a byte through a view that shows what is there, the same one again."""
        place = view.address + self._shift + self._size // 2
        (value,) = view.process.peek([place])
        view.process.poke({place: value})

    def _stretches(self, view: BufferView) -> list[Stretch]:
        start = view.address + self._shift
        return [Stretch(view.process, start + span.offset, span.size) for span in self._spans]

    def _seen(self, views: Sequence[BufferView]) -> list[list[str]]:
        digests = digests_of([one for view in views for one in self._stretches(view)])
        count = len(self._spans)
        return [digests[first : first + count] for first in range(0, len(digests), count)]
