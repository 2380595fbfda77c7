"""LIKE and PATINDEX: patterns with %, _ and classes in brackets, without regard to case.

A pattern is cut at each %: what lies between fits so many characters, and is looked for once, from left to right. So
the time grows with the length of a text, where one regular expression would try all ways to share it out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from vdi_conformance.sqlserver.language.faults import fault


class _Piece(NamedTuple):
    """What stands between two %: it fits just so many characters."""

    form: re.Pattern[str]
    width: int


@lru_cache(maxsize=256)
def _pieces(like: str, escape: str | None = None, exact: bool = False) -> tuple[_Piece, ...]:
    """Cut a pattern into its pieces, of which there is one more than it has %."""
    if escape is not None and len(escape) != 1:
        raise fault(506, escape)
    found: list[list[str]] = [[]]
    place = 0
    while place < len(like):
        part, place = _part(like, place, escape)
        if part is None:
            found.append([])
        else:
            found[-1].append(part)
    flags = re.DOTALL if exact else re.DOTALL | re.IGNORECASE
    return tuple(_Piece(re.compile("".join(parts), flags), len(parts)) for parts in found)


def _part(like: str, place: int, escape: str | None) -> tuple[str | None, int]:
    """Give one part of a pattern, None for a %, and where the next one begins."""
    sign = like[place]
    if sign == escape and place + 1 < len(like):
        return re.escape(like[place + 1]), place + 2
    if sign == "[" and (end := like.find("]", place + 1)) > place:
        return _class(like[place + 1 : end]), end + 1
    return (None if sign == "%" else "." if sign == "_" else re.escape(sign)), place + 1


def _class(inner: str) -> str:
    """Give a class of characters, which may be turned over and have ranges; an empty one fits nothing."""
    turned = inner.startswith("^")
    members = inner[1:] if turned else inner
    if not members:
        return r"\^" if turned else "(?!)"
    ranges = re.sub(r"[\\\[\]^&~|]", lambda found: f"\\{found[0]}", members)
    try:
        re.compile(f"[{ranges}]")
    except re.error:
        ranges = re.escape(members)
    return f"[{'^' if turned else ''}{ranges}]"


def fits(text: str, like: str, escape: str | None = None, exact: bool = False) -> bool:
    """Tell whether a whole text fits a pattern; spaces at its end may be left out."""
    pieces = _pieces(like, escape, exact)
    return _fits(text, pieces) or (text.endswith(" ") and _fits(text.rstrip(" "), pieces))


def _fits(text: str, pieces: tuple[_Piece, ...]) -> bool:
    first, *others = pieces
    if not others:
        return first.form.fullmatch(text) is not None
    return first.form.match(text) is not None and _follow(text, first.width, others)


def _follow(text: str, place: int, pieces: list[_Piece]) -> bool:
    """Tell whether pieces follow one another from a place on, with anything between them, up to the end."""
    *middle, last = pieces
    for piece in middle:
        found = piece.form.search(text, place)
        if found is None:
            return False
        place = found.end()
    return len(text) - last.width >= place and last.form.fullmatch(text, len(text) - last.width) is not None


def place_of(like: str, text: str) -> int:
    """Tell where in a text a pattern fits first, counted from 1; 0 is nowhere."""
    pieces = _pieces(like)
    if len(pieces) == 1 or pieces[0].width:
        return int(_fits(text, pieces))
    _, first, *others = pieces
    if not others and first.width:
        place = len(text) - first.width
        return place + 1 if place >= 0 and first.form.fullmatch(text, place) else 0
    if not others:
        return 1
    # Where the rest does not follow the first place, it follows none of the later ones.
    found = first.form.search(text)
    return found.start() + 1 if found is not None and _follow(text, found.end(), others) else 0
