"""What a buffer holds, as far as it is known: bytes that were stored or seen, and digests of what nobody read. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stretch:
    """Bytes from `start` on, of which `data` or at least the digest is known; `by` says where they come from.

    Of one call there are the same bytes at the same place.
    """

    start: int
    size: int
    data: bytes | None = field(compare=False)
    sha256: str
    by: str

    @property
    def end(self) -> int:
        """Where they end."""
        return self.start + self.size

    def cut(self, start: int, end: int) -> list[Stretch]:
        """Give what is left of it, and known, without the bytes from `start` to `end`."""
        if end <= self.start or self.end <= start:
            return [self]
        if self.data is None:
            return []
        before, after = self.data[: max(start - self.start, 0)], self.data[max(end - self.start, 0) :]
        left = [(self.start, before), (self.end - len(after), after)]
        return [stretch(at, data, self.by) for at, data in left if data]

    def within(self, start: int, end: int) -> bytes:
        """Give the bytes that it has in this range; its own must be known."""
        assert self.data is not None, "nobody knows these bytes"
        return self.data[max(start - self.start, 0) : max(end - self.start, 0)]


def stretch(start: int, data: bytes, by: str) -> Stretch:
    """Make one of known bytes; its digest is worked out where it is needed."""
    return Stretch(start, len(data), data, "", by)


Contents = tuple[Stretch, ...]
"""Stretches that do not overlap, in any order."""


def stored(contents: Contents, new: Stretch) -> Contents:
    """Give what a buffer holds after something was stored."""
    return (*forgotten(contents, new.start, new.end), new)


def forgotten(contents: Contents, start: int, end: int) -> Contents:
    """Give what is known of a buffer when the bytes from `start` to `end` are not known any more."""
    return tuple(left for one in contents for left in one.cut(start, end))


def seen(contents: Contents, new: Stretch) -> Contents | str:
    """Give what is known when these bytes were seen; where they cannot be there, the source of what must be there."""
    touched = [one for one in contents if one.start < new.end and new.start < one.end]
    if new.data is None:
        return _digested(contents, touched, new)
    for one in touched:
        if one.data is None:
            continue
        start, end = max(one.start, new.start), min(one.end, new.end)
        if one.within(start, end) != new.within(start, end):
            return one.by
    unknown = [
        left for left in _without(new, [one for one in touched if one.data is not None]) if left.size and left.data
    ]
    if not unknown:
        return contents
    kept = tuple(one for one in contents if one.data is not None or one not in touched)
    return (*kept, *unknown)


def _without(new: Stretch, known: list[Stretch]) -> list[Stretch]:
    left = [new]
    for one in known:
        left = [part for piece in left for part in piece.cut(one.start, one.end)]
    return left


def _digested(contents: Contents, touched: list[Stretch], new: Stretch) -> Contents | str:
    """Hold a digest against the bytes that it is of, where all are known, or against an earlier digest of the same."""
    parts = sorted((one for one in touched if one.data is not None), key=lambda one: one.start)
    held = b"".join(one.within(new.start, new.end) for one in parts)
    if len(held) == new.size:
        last = parts[-1].by if len(parts) == 1 else "those that were stored last"
        return contents if hashlib.sha256(held).hexdigest() == new.sha256 else last
    same = next((one for one in touched if (one.start, one.size) == (new.start, new.size)), None)
    if same is not None:
        return contents if same.sha256 == new.sha256 else same.by
    return contents if touched else (*contents, new)
