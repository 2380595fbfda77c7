"""The messages of databases and their backups: SQL Server's numbers and severities, with texts of our own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from vdi_conformance.data_tables import shipped
from vdi_conformance.sqlserver.seam import Refused
from vdi_conformance.tds.answers import Message

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Known(NamedTuple):
    severity: int
    state: int
    is_logged: bool
    text: str


def message(number: int, state: int | None = None, **values: object) -> Message:
    """Make the message of a number; `values` are what its text has in braces, `state` is the usual one where None."""
    known = _messages()[number]
    return Message(number, known.text.format(**values), known.severity, known.state if state is None else state)


def refused(number: int, state: int | None = None, **values: object) -> Refused:
    """Make the error of a statement that comes to nothing for one reason."""
    return Refused(message(number, state, **values))


def with_text(number: int, text: str) -> Message:
    """Make the message of a number with a text that is known already."""
    known = _messages()[number]
    return Message(number, text, known.severity, known.state)


def is_logged(number: int) -> bool:
    """Tell whether a message goes to the error log, and not to the client."""
    return _messages()[number].is_logged


@cache
def _messages() -> Mapping[int, _Known]:
    return {
        int(line["number"]): _Known(int(line["severity"]), int(line["state"]), line["goes to"] == "log", line["text"])
        for line in shipped("vdi_conformance.sqlserver", "messages.tsv")
    }
