"""What a host wrote, line by line: answers as they are meant, and what is odd about how they were written. Pure.

A run refuses a host at the first line that breaks the protocol. Here such a line is taken for what it was meant to be,
where that can be told, so that one mistake hides no other.
"""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.printable import shown

_QUOTED: Final = 160
_LONGEST: Final = 16 << 20
_MOST_PARTS: Final = 200
"""Of so many lines at most one answer is put together."""


@dataclass(frozen=True)
class Oddity:
    """Something about how an answer was written: the mistake that it shows, and what was seen."""

    mistake: str
    seen: str


@dataclass(frozen=True)
class Answer:
    """One answer: its id as a number where it can be taken for one, its members, and the line that it came in."""

    id: int | None
    members: dict[str, Any]
    line: bytes

    @property
    def result(self) -> Any:
        """What it gives; None where it is an error."""
        return self.members.get("result")

    @property
    def error(self) -> dict[str, Any] | None:
        """Its error, where it has one."""
        error = self.members.get("error")
        return error if isinstance(error, dict) else None

    @property
    def error_code(self) -> Any:
        """The code of its error; None where it is no error."""
        return None if self.error is None else self.error.get("code")


def quoted(line: bytes) -> str:
    """Show a line, of which there may be much."""
    text = line[: 4 * _QUOTED].decode("utf-8", "backslashreplace")
    return shown(repr(text if len(text) <= _QUOTED else text[:_QUOTED] + "…"))


class Reader:
    """Takes bytes in whatever pieces they come, and gives answers; `oddities` has what was odd, each kind once."""

    def __init__(self) -> None:
        self.oddities: dict[str, Oddity] = {}
        self.has_overflowed = False
        self._rest = b""
        self._parts: list[bytes] = []
        self._is_first = True

    def feed(self, data: bytes) -> list[Answer]:
        """Take more bytes, and give the answers that are whole now."""
        if self.has_overflowed:
            return []
        *lines, self._rest = (self._rest + data).split(b"\n") if b"\n" in data else (self._rest + data,)
        if len(self._rest) > _LONGEST:
            self.has_overflowed = True
            self.note("line-without-end", f"more than {_LONGEST >> 20} MiB without a line feed: {quoted(self._rest)}")
        return [answer for line in lines if (answer := self._read(line)) is not None]

    def rest(self) -> bytes:
        """Give what came after the last line feed."""
        return self._rest

    def note(self, mistake: str, seen: str) -> None:
        """Keep what was odd, the first time."""
        self.oddities.setdefault(mistake, Oddity(mistake, seen))

    def _read(self, line: bytes) -> Answer | None:
        if self._is_first and line.startswith(codecs.BOM_UTF8):
            self.note("byte-order-mark", f"the output begins with a byte order mark: {quoted(line)}")
            line = line.removeprefix(codecs.BOM_UTF8)
        self._is_first = False
        if line.endswith(b"\r"):
            self.note("carriage-return", f"lines end with a carriage return and a line feed: {quoted(line)}")
        line = line.strip()
        if not line:
            return None
        members = _members(line)
        if members is not None:
            self._drop_parts()
            return self._answer(members, line)
        return self._put_together(line)

    def _put_together(self, line: bytes) -> Answer | None:
        """Take a line that is no answer for a part of one, if it can be."""
        if self._parts or line.startswith(b"{"):
            self._parts.append(line)
            whole = b"\n".join(self._parts)
            if (members := _members(whole)) is not None:
                self.note("broken-line", f"one answer in {len(self._parts)} lines: {quoted(whole)}")
                self._parts.clear()
                return self._answer(members, whole)
            if len(self._parts) > _MOST_PARTS:
                self._drop_parts()
            return None
        self._no_answer(line)
        return None

    def _drop_parts(self) -> None:
        for part in self._parts:
            self._no_answer(part)
        self._parts.clear()

    def _no_answer(self, line: bytes) -> None:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            self.note("no-utf-8", f"a line that is not UTF-8: {quoted(line)}")
        else:
            self.note("no-answer-on-output", f"a line that is no answer: {quoted(line)}")

    def _answer(self, members: dict[str, Any], line: bytes) -> Answer:
        number = members.get("id")
        if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) < _DIGITS:
            self.note("id-is-text", f"the id {shown(repr(number))}, where the request had the number {number}")
            number = int(number)
        if isinstance(number, float) and number.is_integer():
            self.note("id-is-no-integer", f"the id {number!r}, where the request had the number {int(number)}")
            number = int(number)
        if members.get("jsonrpc") != "2.0":
            self.note("no-version", f'an answer without "jsonrpc": "2.0": {quoted(line)}')
        if ("result" in members) == (members.get("error") is not None):
            both = "both a result and an error" if "result" in members else "neither a result nor an error"
            self.note("no-result", f"an answer with {both}: {quoted(line)}")
        return Answer(number if type(number) is int else None, members, line)


_DIGITS: Final = 18


def _members(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    is_answer = isinstance(found, dict) and found.keys() & {"jsonrpc", "id", "result", "error"}
    return found if is_answer and _depth(found) <= decoding.DEEPEST else None


def _depth(value: Any) -> int:
    """Count the levels that lie within each other, as far as that matters."""
    level, depth = [value], 0
    while level and depth <= decoding.DEEPEST:
        level = [one for each in level if isinstance(each, dict | list) for one in _within(each)]
        depth += 1
    return depth


def _within(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not in JSON")
