"""The declarations of parameters that come with a text, such as `@P1 nvarchar(10), @P2 int OUTPUT`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"\s*(@[\w@#$]+)\s+")
_OUTPUT: Final = re.compile(r"\bout(?:put)?\s*$", re.IGNORECASE)
# What was passed over is not tried again, so that the time grows with the length of a text and not with its square.
_DEFAULT: Final = re.compile(r"[^=(]*+(?:\([^)]*+\))?+[^=(]*+=")


class Declared(NamedTuple):
    """A parameter that a text has."""

    name: str
    is_output: bool = False
    has_default: bool = False


class Undeclared(Exception):
    """No declarations; the text is what stands where one should."""


def read_declarations(text: str) -> tuple[Declared, ...]:
    """Read declarations, whose types do not matter, since values come with their own."""
    return tuple(_declared(part) for part in _parts(text) if part.strip())


def _declared(part: str) -> Declared:
    if (found := _NAME.match(part)) is None:
        raise Undeclared(part.strip())
    rest = part[found.end() :]
    return Declared(found[1], _OUTPUT.search(rest) is not None, _DEFAULT.match(rest) is not None)


def _parts(text: str) -> list[str]:
    """Cut at the commas that are within no parentheses."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
