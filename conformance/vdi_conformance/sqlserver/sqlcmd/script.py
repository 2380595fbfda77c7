"""What a script of sqlcmd or osql is made of: batches, and the commands between them; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLONLESS: Final = frozenset({"exit", "quit", "reset"})
# What was passed over is not tried again, so that the time grows with the length of a line and not with its square.
_COMMAND: Final = re.compile(r"\s*+(:?)\s*+(\w++|!!)\s*+(.*)", re.DOTALL)
_MOST: Final = 2**31 - 1
"""So many times a batch is run at the most."""
_DIGITS: Final = 10
_VARIABLE: Final = re.compile(r"\$\(([^()\s]+)\)")


class Batch(NamedTuple):
    """T-SQL to be run `times` times."""

    text: str
    times: int = 1


class Command(NamedTuple):
    """A command of the program's own, its name in small letters: exit, quit, reset, setvar, r, on."""

    name: str
    argument: str = ""


class ScriptError(Exception):
    """A line cannot be obeyed; the text is what the program says of it."""


class Script:
    """Takes lines, and gives what is to be done as soon as that is known."""

    def __init__(self, terminator: str, has_commands: bool) -> None:
        self._go = re.compile(rf"\s*+{re.escape(terminator)}(?:\s++([0-9]++))?\s*+;?\s*+(?:--.*)?", re.IGNORECASE)
        self._has_commands = has_commands
        self._lines: list[str] = []
        self._within = ""
        self._read = 0

    @property
    def next_number(self) -> int:
        """The number of the next line within its batch, as prompts tell it."""
        return len(self._lines) + 1

    def take(self, line: str) -> Batch | Command | None:
        """Take a line without its end; give what it completes."""
        self._read += 1
        if not self._within:
            if found := self._go.fullmatch(line):
                return self._finished(self._times(found[1] or "1"))
            command = self._command(line)
            if command is not None:
                if command.name == "reset":
                    self._lines.clear()
                return command
        self._lines.append(line)
        self._within = _state_after(line, self._within)
        return None

    def _times(self, written: str) -> int:
        digits = written.lstrip("0") or "0"
        if len(digits) > _DIGITS or int(digits) > _MOST:
            raise ScriptError(f"Error: Syntax error at line {self._read} near 'GO': {_MOST} is the largest count.")
        return int(digits)

    def rest(self) -> Batch | None:
        """Give what stands after the last terminator, which the end of a script runs too."""
        return self._finished(1)

    def _finished(self, times: int) -> Batch | None:
        text = "\n".join(self._lines)
        self._lines.clear()
        self._within = ""
        return Batch(text, times) if text.strip() else None

    def _command(self, line: str) -> Command | None:
        found = _COMMAND.fullmatch(line)
        if found is None:
            return None
        colon, name, argument = found[1], found[2].lower(), found[3].rstrip()
        if not colon:
            bare = not argument or (name == "exit" and argument.startswith("("))
            return Command(name, argument) if name in _COLONLESS and bare else None
        if not self._has_commands:
            return None
        if name in ("exit", "quit", "reset", "setvar", "r", "on"):
            return Command(name, argument)
        raise ScriptError(f"Error: Syntax error at line {self._read} near command ':{name}'.")


def _state_after(line: str, within: str) -> str:
    """Tell whether a text, a quoted name or a comment goes on after a line: by what ends it, or by nothing."""
    index = 0
    while index < len(line):
        pair = line[index : index + 2]
        if within == "*/":
            within, index = ("", index + 1) if pair == "*/" else (within, index)
        elif within:
            within = "" if line[index] == within else within
        elif pair == "--":
            break
        elif pair == "/*":
            within, index = "*/", index + 1
        elif line[index] in "'\"":
            within = line[index]
        elif line[index] == "[":
            within = "]"
        index += 1
    return within


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """Put the values of $(variables) in; ScriptError where one has none."""

    def value(found: re.Match[str]) -> str:
        name = found[1].upper()
        if name not in variables:
            raise ScriptError(f"'{found[1]}' scripting variable not defined.")
        return variables[name]

    return _VARIABLE.sub(value, text)
