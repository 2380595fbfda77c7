"""Names and strings as T-SQL writes them."""

from __future__ import annotations

import re
from typing import Final

from vdi_conformance.adapters.tsql.refusal import NotRunnable

LONGEST_IDENTIFIER: Final = 128
"""In UTF-16 units."""
# Within quotes T-SQL takes a backslash at the end of a line for a continuation, and drops both.
_CONTINUATION: Final = re.compile(r"\\\r?\n")


def bracketed(name: str) -> str:
    """Write a name as a delimited identifier; a NotRunnable where no name can be so."""
    if not 1 <= len(_units(name)) // 2 <= LONGEST_IDENTIFIER:
        raise NotRunnable(f"{name!r} is no name of a database: choose one of 1 to {LONGEST_IDENTIFIER} characters")
    return f"[{name.replace(']', ']]')}]"


def literal(text: str) -> str:
    """Write a text as a Unicode string; a NotRunnable where T-SQL would read another one."""
    _units(text)
    return f"N'{text.replace(chr(39), chr(39) * 2)}'"


def _units(text: str) -> bytes:
    try:
        units = text.encode("utf-16-le")
    except UnicodeEncodeError:
        raise NotRunnable(f"{text!r} cannot be written in T-SQL: it has half of a pair, leave that out") from None
    if "\0" in text:
        raise NotRunnable(f"{text!r} cannot be written in T-SQL: it has the character 0, leave it out")
    if _CONTINUATION.search(text):
        raise NotRunnable(f"{text!r} cannot be written in T-SQL: a line of it ends in a backslash, leave that out")
    return units
