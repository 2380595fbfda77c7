"""The server role at statement level, on a SQL Server."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters.tsql import databases
from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.adapters.tsql.outcomes import LogLine, failed, logged, outcome_of
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.scripts import Named, Scratch, asks_for_files, script_of
from vdi_conformance.adapters.tsql.settings import DATABASE, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.adapters.tsql.databases import Batch
    from vdi_conformance.adapters.tsql.driver import SqlSession
    from vdi_conformance.adapters.tsql.scripts import Script
    from vdi_conformance.adapters.tsql.settings import SqlSettings
    from vdi_conformance.contract import Environment, Statement, StatementOutcome

_TOKEN_BYTES: Final = databases.DIGITS // 2


class SqlServerStatements:
    """A server that runs each statement in a session of its own (contract.StatementServer).

    Whatever is no outcome of the statement itself, such as a server that is not there, is a NotRunnable. Disposable
    databases are dropped however a statement ends; where that fails the standard error has a line about it.
    """

    def __init__(self, settings: SqlSettings, environment: Environment, driver: Driver | None = None) -> None:
        self._database = settings.database
        self._run = environment.directory
        self._driver = driver or Driver(settings.connection)

    def execute(self, statement: Statement) -> StatementOutcome:
        """Run a statement to its end, in the thread of the caller."""
        with closing(self._driver.connect()) as session:
            scratch = Scratch.of(secrets.token_hex(_TOKEN_BYTES), self._run, statement)
            script = script_of(statement, scratch, named(self._database, statement, session.rows))
            succeeded = False
            try:
                outcome = _perform(session, script, statement)
                succeeded = outcome.succeeded
            finally:
                self._clean_up(script.ending(succeeded))
            return outcome

    def _clean_up(self, batches: Iterable[Batch]) -> None:
        """Run batches in a session that nothing has happened to; what fails is told, and keeps nothing else back."""
        try:
            with closing(self._driver.connect()) as session:
                for batch in batches:
                    reply = session.run(batch.text)
                    if reply.failed:
                        _tell(f"could not {batch.purpose}: {reply.sentence}")
        except NotRunnable as error:
            _tell(f"could not clean up: {error}")


def named(database: str | None, statement: Statement, ask: Callable[[str], list[tuple[Any, ...]]]) -> Named | None:
    """Look at the database that the user names; a NotRunnable where its files must be known and are not.

    `ask` runs a query on the server, and is left alone where nothing needs to be known.
    """
    if database is None or not asks_for_files(statement):
        return None if database is None else Named(database)
    files = tuple(name for (name,) in ask(databases.files_of(database).text))
    if not files:
        raise NotRunnable(f"the server has no database {database!r}: name one that it has in {DATABASE}, or none")
    return Named(database, files)


def statement_server(environment: Environment) -> SqlServerStatements:
    """Make the server that the environment variables tell of; a NotRunnable where they tell of none."""
    return SqlServerStatements(settings_of(os.environ), environment)


def server_version(driver: Driver | None = None) -> str:
    """Ask the server that the environment variables tell of for its version; a NotRunnable where it cannot be asked."""
    with closing((driver or Driver(settings_of(os.environ).connection)).connect()) as session:
        return " ".join(str(value) for row in session.rows(databases.version().text) for value in row)


def _perform(session: SqlSession, script: Script, statement: Statement) -> StatementOutcome:
    for batch in script.preparation:
        reply = session.run(batch.text)
        if failed(reply):
            raise NotRunnable(f"could not {batch.purpose}: {reply.sentence}; look for the cause at the server")
    reply = session.run(script.statement.text)
    outcome = outcome_of(statement, reply)
    if outcome.succeeded:
        return outcome
    try:
        told = session.rows(script.explanation.text)
    except NotRunnable as error:
        # Some errors end the connection, and only what comes next is told so.
        raise NotRunnable(f"the statement failed ({reply.sentence}), and then {error}") from None
    lines = [LogLine(str(process), str(text)) for _, process, text in told]
    return outcome_of(statement, reply, logged(lines, (script.database, *statement.devices)))


def _tell(sentence: str) -> None:
    """Say on standard error what its reader may have to do by hand."""
    print(f"vdi-conformance: {sentence}; do it by hand", file=sys.stderr)  # noqa: T201
