"""The errors of the language: their numbers, severities and texts are data."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from vdi_conformance.data_tables import shipped
from vdi_conformance.tds.answers import Message


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
    return {
        int(line["number"]): _Known(int(line["severity"]), line["aborts"] == "yes", line["text"])
        for line in shipped("vdi_conformance.sqlserver.language", "messages.tsv")
    }


def message(number: int, *words: object, line: int = 0, state: int = 1) -> Message:
    """Give an error with its words in their places; line 0 stands for that of the statement."""
    known = _known()[number]
    return Message(number, known.text.format(*words), known.severity, state, line)


def fault(number: int, *words: object, line: int = 0, state: int = 1) -> SqlError:
    """Give an error to raise; whether it ends the batch is known of its number."""
    return SqlError(message(number, *words, line=line, state=state), aborts=_known()[number].aborts)
