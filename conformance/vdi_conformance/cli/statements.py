"""`vdi-conformance statements`: what the server role of a SQL Server would run, without running it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from vdi_conformance.adapters.tsql.databases import DIGITS, written_out
from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.scripts import Scratch, script_of
from vdi_conformance.adapters.tsql.server import named
from vdi_conformance.adapters.tsql.settings import DATABASE, settings_of
from vdi_conformance.cli import values
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.contract import Database, Statement, Subject
from vdi_conformance.untrusted.printable import shown, shown_lines

KINDS: Final[tuple[tuple[Literal["backup", "restore"], Subject], ...]] = (
    ("backup", "database"),
    ("backup", "log"),
    ("restore", "database"),
    ("restore", "log"),
    ("restore", "filelistonly"),
)
MOST_DEVICES: Final = 64


OPERATIONS: Final = tuple(dict.fromkeys(operation for operation, _ in KINDS))
SUBJECTS: Final = tuple(dict.fromkeys(subject for _, subject in KINDS))


def statements(
    operation: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            parser=values.one_of("statement", OPERATIONS),
            autocompletion=values.completing(lambda: OPERATIONS),
            help=f"Only these: {', '.join(OPERATIONS)}.",
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            parser=values.one_of("subject", SUBJECTS),
            autocompletion=values.completing(lambda: SUBJECTS),
            help=f"Only these: {', '.join(SUBJECTS)}.",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="NAME", envvar=DATABASE, help="As if BACKUP read this database of yours."),
    ] = None,
    devices: Annotated[
        int, typer.Option(metavar="N", parser=values.whole(1, MOST_DEVICES), help="So many virtual devices.")
    ] = 1,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="Of snapshots: WITH SNAPSHOT.")] = False,
) -> None:
    """Print the T-SQL that `--server sqlserver` would run.

    Nothing is run. Names of devices and databases differ from run to run. For RESTORE DATABASE with a database of yours
    the server is asked which files that has.
    """
    kinds = [kind for kind in KINDS if operation in (None, kind[0]) and subject in (None, kind[1])]
    if not kinds:
        raise UsageRefusal(f"there is no {operation} of {subject}: ask for another pair.")
    for index, (word, of) in enumerate(kinds):
        statement = Statement(
            word,
            None,
            tuple(f"vdi-conformance-{index}-{number}" for number in range(devices)),
            Database(seed=0, size=devices * 3 * 65536),
            block_size=512,
            max_transfer_size=65536,
            buffer_count=4,
            subject=of,
            snapshot=snapshot and of != "filelistonly",
        )
        typer.echo("\n".join(map(shown_lines, script(statement, database))) + "\n")


def script(statement: Statement, database: str | None) -> Iterator[str]:
    """Write out all that would be run for a statement, or why nothing would be."""
    yield f"-- ==== {statement.operation} {statement.subject}".upper()
    scratch = Scratch.of(secrets.token_hex(DIGITS // 2), str(Path.cwd()), statement)
    try:
        yield from written_out(script_of(statement, scratch, named(database, statement, _ask)).batches())
    except NotRunnable as error:
        yield f"-- nothing is run: {shown(str(error))}"


def _ask(query: str) -> list[tuple[Any, ...]]:
    with closing(Driver(settings_of(os.environ).connection).connect()) as session:
        return session.rows(query)
