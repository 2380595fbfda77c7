"""What the server and its driver said, as the outcome of a statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.contract import StatementOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vdi_conformance.contract import Statement

SUCCESS: Final = 3014
"""The message that tells of a statement's success."""
NO_HISTORY: Final = 3009
"""The error of a statement that succeeded, and could not be noted in msdb."""
TERMINATED: Final = 3013
"""The last error of a statement that failed."""
_FROM_SERVER: Final = "[SQL Server]"
_DIAGNOSIS: Final = re.compile(r"\[(\w{5})\] \((-?\d+)\)")
_TOLD: Final = "01"
"""The class of the SQLSTATEs of messages that are no errors."""
_LOST: Final = "08"
"""The class of the SQLSTATEs of connections that failed."""
_HEADER: Final = re.compile(r"[^\d:]+:\s*(\d+),[^\d:]+:\s*\d+,[^\d:]+:\s*\d+\.?\s*")
REMEDIES: Final = {
    911: "name one that is there",
    1105: "make room for it",
    3156: "let the server write new files where it keeps its data",
    3257: "make room for it",
    3634: "let the server write new files where it keeps its data",
    4208: "name a database of another recovery model, or none",
    4214: "make a full backup of it first, or name none",
    4305: "restore the stream of the last BACKUP LOG of that size and seed",
    4326: "restore the stream of the last BACKUP LOG of that size and seed",
    5123: "let the server write new files where it keeps its data",
    5133: "let the server write new files where it keeps its data",
    9002: "make room for its log",
}
"""What to do about errors that no client of VDI can cause: they are no outcome of a statement."""


class MessageRecord(NamedTuple):
    """One message: its SQLSTATE, the number that the server gave it (0: it is the driver's own) and its text."""

    state: str
    number: int
    text: str

    @property
    def is_told(self) -> bool:
        """Whether it is no error."""
        return self.state.startswith(_TOLD)


class BatchReply(NamedTuple):
    """What came of one batch: whether anything in it failed, and every message in its order."""

    failed: bool
    records: tuple[MessageRecord, ...] = ()

    @property
    def sentence(self) -> str:
        """The messages, for a person to read."""
        return "; ".join(f"{_in_one_line(record.text)} ({record.number or record.state})" for record in self.records)


def _in_one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


class LogLine(NamedTuple):
    """A line of the error log, and which process of the server wrote it."""

    process: str
    text: str


def record_of(diagnosis: str, text: str) -> MessageRecord:
    """Read a diagnostic record of the driver, such as `[42000] (3013)` with its text."""
    found = _DIAGNOSIS.fullmatch(diagnosis)
    if found is None:
        return MessageRecord("", 0, f"{diagnosis} {text}")
    before, tag, words = text.partition(_FROM_SERVER)
    if tag and before.startswith("["):
        return MessageRecord(found[1], int(found[2]), words)
    return MessageRecord(found[1], 0, text)


def in_order(records: Iterable[MessageRecord]) -> list[MessageRecord]:
    """Put the messages of one part of a batch in the order of the server.

    The driver ranks errors before what is only told; a statement tells before it fails.
    """
    return sorted(records, key=lambda record: not record.is_told)


def outcome_of(statement: Statement, reply: BatchReply, logged: Iterable[tuple[int, str]] = ()) -> StatementOutcome:
    """Judge what came of a statement; where that says nothing about the statement it is a NotRunnable.

    `logged` are messages of the error log.
    """
    if went_wrong := failed(reply):
        _require_an_outcome(reply)
    said = tuple((record.number, record.text) for record in reply.records if record.number)
    told = statement.subject == "filelistonly" or SUCCESS in (number for number, _ in said)
    return StatementOutcome(told and not went_wrong, (*logged, *said))


def failed(reply: BatchReply) -> bool:
    """Tell whether a batch failed; that a backup could not be noted in msdb changes nothing about it."""
    numbers = {record.number for record in reply.records}
    noted_nowhere = {SUCCESS, NO_HISTORY} <= numbers and TERMINATED not in numbers
    return reply.failed and not noted_nowhere


def lost(records: Iterable[MessageRecord]) -> bool:
    """Tell whether the connection is gone."""
    return any(record.state.startswith(_LOST) for record in records)


def _require_an_outcome(reply: BatchReply) -> None:
    if lost(reply.records):
        raise NotRunnable(f"the connection was lost: {reply.sentence}; look for the cause at the server")
    for record in reply.records:
        if record.number in REMEDIES:
            raise NotRunnable(f"the statement could not be tried: {reply.sentence}; {REMEDIES[record.number]}")
    if not any(record.number and not record.is_told for record in reply.records):
        raise NotRunnable(f"the driver failed: {reply.sentence or 'without a word'}; look for the cause there")


def logged(lines: Sequence[LogLine], names: Iterable[str]) -> tuple[tuple[int, str], ...]:
    """Find the errors in lines of the error log whose text has one of these names in it."""
    wanted = [name for name in names if name]
    return tuple(message for message in _errors(lines) if any(name in message[1] for name in wanted))


def _errors(lines: Sequence[LogLine]) -> Iterator[tuple[int, str]]:
    """Pair the line that has the number of an error with the next line of the same process, which has its text."""
    numbers: dict[str, int] = {}
    for line in lines:
        if header := _HEADER.fullmatch(line.text):
            numbers[line.process] = int(header[1])
        elif line.process in numbers:
            yield numbers.pop(line.process), line.text.rstrip()
