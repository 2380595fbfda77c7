"""What statements say and wait for: PRINT, RAISERROR, THROW, WAITFOR."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language.faults import Cancelled, SqlError, fault
from vdi_conformance.sqlserver.language.formatting import LONGEST, formatted
from vdi_conformance.sqlserver.language.sqltypes import INT, NVARCHAR_MAX
from vdi_conformance.tds.answers import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.tds.answers import Answer

_LONGEST_PRINTED: Final = 8000
_OF_USERS: Final = 50000
"""The number of an error that has a text alone, and the lowest that THROW may have."""
_LOWEST_NUMBER: Final = 13000
_HIGHEST_NUMBER: Final = 2**31 - 1
_TOLD: Final = 10
"""The highest severity that is no error; it is told as 0."""
_HIGHEST_WITHOUT_LOG: Final = 18
_HIGHEST: Final = 25
_RAISERROR_OPTIONS: Final = ("NOWAIT", "LOG", "SETERROR")
_TIME: Final = re.compile(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,3}))?)?")


def _print(run: Run, statement: does.Print) -> Iterator[Answer]:
    text = run.text(statement.expression)
    yield Message(0, (text or "")[:_LONGEST_PRINTED] or " ", 0, 1, statement.line)
    yield run.end()


def _raise(run: Run, statement: does.RaiseError) -> Iterator[Answer]:
    for option in statement.options:
        if option not in _RAISERROR_OPTIONS:
            raise fault(155, option, "RAISERROR", line=statement.line)
    if len(statement.arguments) < 3:
        raise fault(102, ")", line=statement.line)
    message = _raised(run, statement)
    if "LOG" in statement.options:
        run.state.instance.log(
            f"spid{run.state.session_id}",
            f"Error: {message.number}, Severity: {message.severity}, State: {message.state}.",
        )
        run.state.instance.log(f"spid{run.state.session_id}", message.text)
    if message.is_error:
        raise SqlError(message)
    yield message
    yield run.end()
    if "SETERROR" in statement.options:
        run.state.globals["ERROR"] = message.number


def _raised(run: Run, statement: does.RaiseError) -> Message:
    first, *others = (run.evaluate(argument) for argument in (statement.arguments[0], *statement.arguments[3:]))
    severity, state = (run.evaluate(argument, INT) or 0 for argument in statement.arguments[1:3])
    level = min(max(severity, 0), _HIGHEST)
    if level > _HIGHEST_WITHOUT_LOG and "LOG" not in statement.options:
        raise fault(2754)
    number, text = _OF_USERS, first
    if isinstance(first, int):
        if not _LOWEST_NUMBER <= first <= _HIGHEST_NUMBER or first == _OF_USERS:
            raise fault(2732, first)
        number, text = first, f"The message {first} has no text here."
    told = formatted(str(text or ""), others)
    return Message(number, told, 0 if level <= _TOLD else level, min(abs(state), 255), statement.line)


def _throw(run: Run, statement: does.Throw) -> Iterator[Answer]:
    if not statement.arguments:
        if run.state.caught is None:
            raise fault(10704)
        raise SqlError(run.state.caught, aborts=True)
    number_given, text_given, state_given = statement.arguments
    number: Any = run.evaluate(number_given, INT)
    if number is None or number < _OF_USERS:
        raise fault(35100, number)
    text = run.evaluate(text_given, NVARCHAR_MAX) or ""
    state = min(abs(run.evaluate(state_given, INT) or 0), 255)
    raise SqlError(Message(number, text[:LONGEST], 16, state, statement.line), aborts=True)


def _wait(run: Run, statement: does.WaitFor) -> Iterator[Answer]:
    given = run.evaluate(statement.value)
    if run.state.cancelled.wait(_seconds(run, statement.kind, given)):
        raise Cancelled
    yield run.end()


def _seconds(run: Run, kind: str, given: object) -> float:
    """Give how long to wait; up to a day."""
    if isinstance(given, datetime):
        given = f"{given:%H:%M:%S}"
    found = _TIME.fullmatch(str(given).strip())
    parts = [int(part or 0) for part in found.groups()[:3]] if found else [24, 60, 60]
    if found is None or parts[0] > 23 or parts[1] > 59 or parts[2] > 59:
        raise fault(148, given)
    span = timedelta(
        hours=parts[0], minutes=parts[1], seconds=parts[2], milliseconds=int((found[4] or "0").ljust(3, "0"))
    )
    if kind == "DELAY":
        return span.total_seconds()
    now = run.state.instance.now()
    wanted = now.replace(hour=0, minute=0, second=0, microsecond=0) + span
    return ((wanted if wanted >= now else wanted + timedelta(days=1)) - now).total_seconds()


HANDLERS: Final[dict[type, Handler]] = {
    does.Print: _print,
    does.RaiseError: _raise,
    does.Throw: _throw,
    does.WaitFor: _wait,
}
