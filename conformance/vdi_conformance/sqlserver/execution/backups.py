"""BACKUP and RESTORE: their variables get their values, and the instance runs them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.dates import write
from vdi_conformance.sqlserver.language.faults import SqlError, message
from vdi_conformance.sqlserver.language.values import as_text
from vdi_conformance.sqlserver.statements import BackupStatement, Medium, Option, RestoreStatement
from vdi_conformance.tds.answers import StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.instructions import Device, WithOption
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.tds.answers import Answer

_ISO_STYLE: Final = 126


def backup_of(run: Run, statement: does.Backup) -> BackupStatement:
    """Give a BACKUP as a value."""
    name = _database(run, statement.database) or ""
    return BackupStatement(statement.subject, name, _media(run, statement), _options(run, statement), statement.line)


def restore_of(run: Run, statement: does.Restore) -> RestoreStatement:
    """Give a RESTORE as a value."""
    name = _database(run, statement.database)
    return RestoreStatement(statement.subject, name, _media(run, statement), _options(run, statement), statement.line)


def _database(run: Run, name: str | tree.Variable | None) -> str | None:
    return (run.text(name) or "") if isinstance(name, tree.Variable) else name


def _media(run: Run, statement: does.Backup | does.Restore) -> tuple[Medium, ...]:
    return tuple(_medium(run, device) for device in statement.devices)


def _medium(run: Run, device: Device) -> Medium:
    return Medium(device.kind, run.text(device.name) or "", device.line)


def _options(run: Run, statement: does.Backup | does.Restore) -> tuple[Option, ...]:
    return tuple(_option(run, option) for option in statement.options)


def _option(run: Run, option: WithOption) -> Option:
    return Option(option.name, tuple(_plain(run, one) for one in option.values), option.line)


def _plain(run: Run, expression: Expression) -> int | str | None:
    """Give the value of an option as a whole number or a text."""
    found = run.evaluate(expression)
    if found is None or (isinstance(found, int) and not isinstance(found, bool)):
        return found
    return write(found, _ISO_STYLE) if isinstance(found, datetime) else as_text(found)


def _require_no_transaction(run: Run, words: str) -> None:
    """Refuse what cannot be taken back (3021); with IMPLICIT_TRANSACTIONS every statement is in a transaction."""
    if run.state.in_transaction or run.state.is_on("IMPLICIT_TRANSACTIONS"):
        raise SqlError(message(3021), message(3013, words))


def _backup(run: Run, statement: does.Backup) -> Iterator[Answer]:
    words = f"BACKUP {statement.subject.upper()}"
    _require_no_transaction(run, words)
    yield from _run(run, words, run.state.instance.backup(backup_of(run, statement), run.state.asker()), statement.line)


def _restore(run: Run, statement: does.Restore) -> Iterator[Answer]:
    words = f"RESTORE {statement.subject.upper()}"
    _require_no_transaction(run, words)
    yield from _run(
        run, words, run.state.instance.restore(restore_of(run, statement), run.state.asker()), statement.line
    )


def _run(run: Run, words: str, answers: Iterator[Answer], line: int) -> Iterator[Answer]:
    """Pass on what the instance answers, while sp_who tells what goes on."""
    before, run.state.command = run.state.command, words
    failed = False
    try:
        for answer in run.relay(answers, line):
            failed = failed or (isinstance(answer, StatementEnd) and answer.failed)
            yield answer
    finally:
        run.state.command = before
    if not failed:
        yield run.end()


HANDLERS: Final[dict[type, Handler]] = {does.Backup: _backup, does.Restore: _restore}
