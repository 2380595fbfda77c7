"""Making a failing sequence shorter: leave out what is not needed, whole groups first, then pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")


def shrink(
    sequence: list[T], fails: Callable[[list[T]], bool], tries: int, groups: Sequence[Callable[[T], Hashable]] = ()
) -> list[T]:
    """Give a sequence that still fails, as short as so many tries find; the given one is known to fail.

    What shares a group, by one of these functions, is left out together at first.
    """
    search = _Search(sequence, fails, tries)
    for group in groups:
        for name in sorted({group(one) for one in sequence}, key=repr):
            search.attempt([one for one in search.best if group(one) != name])
    size = max(len(search.best) // 2, 1)
    while search.left:
        shorter = search.leave_out(size)
        if size == 1 and not shorter:
            break
        size = max(size // 2, 1)
    return search.best


class _Search(Generic[T]):
    """The shortest sequence so far, and how many tries are left."""

    def __init__(self, sequence: list[T], fails: Callable[[list[T]], bool], tries: int) -> None:
        self.best = sequence
        self.left = tries
        self._fails = fails

    def attempt(self, candidate: list[T]) -> bool:
        """Take a shorter one where it fails too."""
        if not candidate or len(candidate) >= len(self.best) or not self.left:
            return False
        self.left -= 1
        if not self._fails(candidate):
            return False
        self.best = candidate
        return True

    def leave_out(self, size: int) -> bool:
        """Try without each piece of so many, from the end: what comes late depends on what comes early."""
        shorter = False
        start = len(self.best) - size
        while start > -size:
            shorter |= self.attempt(self.best[: max(start, 0)] + self.best[start + size :])
            start -= size
        return shorter
