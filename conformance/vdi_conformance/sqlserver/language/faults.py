"""The errors of the language: their numbers, severities and texts are data."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final, NamedTuple

from vdi_conformance.tds.answers import Message

_HEADER: Final = ("number", "severity", "aborts", "text")


class SqlError(Exception):
    """A statement came to nothing; `aborts` says whether the rest of its batch does as well."""

    def __init__(self, *messages: Message, aborts: bool = False) -> None:
        super().__init__(messages[-1].text)
        self.messages = messages
        self.aborts = aborts

    def at(self, line: int) -> SqlError:
        """Give the same error for a statement that begins on that line, where it has none of its own."""
        told = (message if message.line else message._replace(line=line) for message in self.messages)
        return SqlError(*told, aborts=self.aborts)


class Cancelled(Exception):
    """The client wants the statement that runs to end."""


class _Known(NamedTuple):
    """An error as the data file has it."""

    severity: int
    aborts: bool
    text: str


@cache
def _known() -> dict[int, _Known]:
    """Read the data file once."""
    data = resources.files(__package__).joinpath("data/messages.tsv").read_bytes()
    header, *lines = (tuple(line.split("\t")) for line in data.decode("utf-8").splitlines())
    assert header == _HEADER
    return {int(number): _Known(int(severity), aborts == "yes", text) for number, severity, aborts, text in lines}


def message(number: int, *words: object, line: int = 0, state: int = 1) -> Message:
    """Give an error with its words in their places; line 0 stands for that of the statement."""
    known = _known()[number]
    return Message(number, known.text.format(*words), known.severity, state, line)


def fault(number: int, *words: object, line: int = 0, state: int = 1) -> SqlError:
    """Give an error to raise; whether it ends the batch is known of its number."""
    return SqlError(message(number, *words, line=line, state=state), aborts=_known()[number].aborts)
