"""Names that are near to a word that is none: what the writer may have meant."""

from __future__ import annotations

from difflib import SequenceMatcher
from heapq import nlargest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN: Final = 3
_COMPARED: Final = 30
"""Comparing letter by letter takes time: of a thousand names only those are compared that share the most pieces."""
_LONGEST: Final = 300
_PIECE: Final = 3


def nearest(word: str, known: Iterable[str], count: int = SHOWN) -> list[str]:
    """Give up to `count` of the known names, the nearest first; letter case does not matter."""
    folded = word[:_LONGEST].casefold()
    pieces = _pieces(folded)
    # Sorted, so that a word gives the same names whatever the order of what it is compared with.
    likely = nlargest(_COMPARED, sorted(known), key=lambda name: len(pieces & _pieces(name.casefold())))
    return nlargest(count, sorted(likely), key=lambda name: SequenceMatcher(None, folded, name.casefold()).ratio())


def meant(word: str, known: Iterable[str], count: int = SHOWN) -> str:
    """Say which names are nearest, as a part of a sentence."""
    return f"nearest: {', '.join(nearest(word, known, count)) or 'none'}"


def _pieces(name: str) -> set[str]:
    padded = f"  {name} "
    return {padded[start : start + _PIECE] for start in range(len(padded) - _PIECE + 1)}
