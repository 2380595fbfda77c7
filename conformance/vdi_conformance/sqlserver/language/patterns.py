"""LIKE and PATINDEX: patterns with %, _ and classes in brackets, without regard to case."""

from __future__ import annotations

import re
from functools import lru_cache

from vdi_conformance.sqlserver.language.faults import fault


@lru_cache(maxsize=256)
def pattern_of(like: str, escape: str | None = None, exact: bool = False) -> re.Pattern[str]:
    """Give the regular expression of a pattern."""
    if escape is not None and len(escape) != 1:
        raise fault(506, escape)
    found = []
    place = 0
    while place < len(like):
        part, place = _part(like, place, escape)
        found.append(part)
    return re.compile("".join(found), re.DOTALL if exact else re.DOTALL | re.IGNORECASE)


def _part(like: str, place: int, escape: str | None) -> tuple[str, int]:
    """Give one part of a pattern, and where the next one begins."""
    sign = like[place]
    if sign == escape and place + 1 < len(like):
        return re.escape(like[place + 1]), place + 2
    if sign == "[" and (end := like.find("]", place + 1)) > place:
        return _class(like[place + 1 : end]), end + 1
    return {"%": ".*", "_": "."}.get(sign) or re.escape(sign), place + 1


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
    pattern = pattern_of(like, escape, exact)
    return bool(pattern.fullmatch(text)) or (text.endswith(" ") and bool(pattern.fullmatch(text.rstrip(" "))))


def place_of(like: str, text: str) -> int:
    """Tell where in a text a pattern fits first, counted from 1; 0 is nowhere."""
    starts, ends = like.startswith("%"), like.endswith("%")
    core = like[1:] if starts else like
    found = pattern_of(core[:-1] if ends and core else core)
    for place in range(len(text) + 1) if starts else (0,):
        match = found.match(text, place)
        if match is not None and (ends or found.fullmatch(text, place)):
            return place + 1
    return 0
