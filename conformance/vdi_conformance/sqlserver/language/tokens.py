"""The words of T-SQL: a text is cut into them, without knowing what they are for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.sqlserver.language.faults import SqlError, message

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SHOWN: Final = 128
"""So much of a string does an error show."""
_NAME: Final = r"[^\W\d][\w@$#]*"
_TOKEN: Final = re.compile(
    rf"""
    (?P<SPACE>[\s\0\ufeff]+)
  | (?P<COMMENT>--[^\n]*)
  | (?P<OPENED>/\*)
  | (?P<NSTRING>[Nn]'(?:[^']|'')*')
  | (?P<STRING>'(?:[^']|'')*')
  | (?P<BRACKETED>\[(?:[^\]]|\]\])*\])
  | (?P<QUOTED>"(?:[^"]|"")*")
  | (?P<UNCLOSED>[Nn]?'|"|\[)
  | (?P<HEX>0[xX][0-9a-fA-F]*)
  | (?P<FLOAT>(?:\d+\.?\d*|\.\d+)[eE][+-]?\d*)
  | (?P<DECIMAL>\d+\.\d*|\.\d+)
  | (?P<INTEGER>\d+)
  | (?P<MONEY>\$[+-]?\d*\.?\d*)
  | (?P<GLOBAL>@@\w+)
  | (?P<VARIABLE>@[\w@$#]+)
  | (?P<WORD>\#{{0,2}}{_NAME})
  | (?P<ASSIGN>[-+*/%&^|]=)
  | (?P<COMPARISON><>|<=|>=|!=|!<|!>|<|>)
  | (?P<EQ>=)
  | (?P<DOTDOT>\.\.)
  | (?P<DOT>\.)
  | (?P<COMMA>,)
  | (?P<LPAR>\()
  | (?P<RPAR>\))
  | (?P<SEMI>;)
  | (?P<PLUS>\+)
  | (?P<MINUS>-)
  | (?P<STAR>\*)
  | (?P<DIVIDE>[/%])
  | (?P<BITWISE>[&^|])
  | (?P<TILDE>~)
  | (?P<COLON>:)
    """,
    re.VERBOSE,
)
KINDS: Final = frozenset(_TOKEN.groupindex)
"""What a word can be, whatever it says."""
_COMMENT_MARK: Final = re.compile(r"/\*|\*/")


class Word(NamedTuple):
    """A word of a batch: its kind, as it was written, and the line on which it begins."""

    kind: str
    text: str
    line: int


def words(text: str, quoted_identifiers: bool = True) -> Iterator[Word]:
    """Cut a text into words; `quoted_identifiers` says that double quotes are around names, not strings."""
    place, line = 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise SqlError(message(102, text[place], line=line), aborts=True)
        kind, written, end = str(found.lastgroup), found[0], found.end()
        if kind == "OPENED":
            end = _end_of_comment(text, end, line)
        elif kind == "UNCLOSED":
            raise _unclosed(text[end:], line)
        elif kind not in ("SPACE", "COMMENT"):
            yield Word("STRING" if kind == "QUOTED" and not quoted_identifiers else kind, written, line)
        line += text.count("\n", place, end)
        place = end


def _end_of_comment(text: str, place: int, line: int) -> int:
    """Find where a comment ends that may have others within."""
    depth = 1
    while depth:
        found = _COMMENT_MARK.search(text, place)
        if found is None:
            raise SqlError(message(113, line=line), aborts=True)
        depth += 1 if found[0] == "/*" else -1
        place = found.end()
    return place


def _unclosed(rest: str, line: int) -> SqlError:
    shown = rest[:LONGEST_SHOWN]
    return SqlError(message(105, shown, line=line), message(102, shown, line=line), aborts=True)


def name_of(written: str) -> str:
    """Give the name that an identifier stands for, without its brackets or quotes."""
    if written[:1] == "[":
        return written[1:-1].replace("]]", "]")
    if written[:1] == '"':
        return written[1:-1].replace('""', '"')
    return str(written)


def string_of(written: str) -> str:
    """Give the text that a string stands for, whichever quotes it has; a backslash at the end of a line goes on."""
    inner = written[1:] if written[0] in "Nn" else written
    quote = inner[0]
    return re.sub(r"\\\r?\n", "", inner[1:-1].replace(quote * 2, quote))
