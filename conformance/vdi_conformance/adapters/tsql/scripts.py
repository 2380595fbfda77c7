"""All that is run for one statement, from the first look at the server to the last database dropped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.adapters.tsql import databases
from vdi_conformance.adapters.tsql.databases import Batch
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.statements import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.contract import Statement

_NO_BASE: Final = (
    "There is no database that the log can be restored to: run a BACKUP LOG of the same size and seed before, "
    "for each RESTORE LOG."
)
_NO_LOG_OF_THEIRS: Final = (
    "RESTORE LOG needs a database that was restored before, and goes on with none of yours: name no database for it"
)


class Named(NamedTuple):
    """A database of the user's, and the logical names of its files where a copy of it is restored."""

    name: str
    files: tuple[str, ...] = ()


class Scratch(NamedTuple):
    """Names that nothing else has: of a disposable database, and of the one that a log is restored to."""

    name: str
    log_name: str

    @classmethod
    def of(cls, token: str, run: str, statement: Statement) -> Scratch:
        """Make the names from hexadecimal digits; those of a log follow from the run, the seed and the size."""
        key = f"{run}\0{statement.database.seed}\0{statement.database.size}"
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[: databases.DIGITS]
        return cls(databases.PREFIX + token, databases.LOG_PREFIX + digest)


@dataclass(frozen=True)
class Script:
    """The batches for one statement.

    `explanation` comes after the statement where it failed. At the end of all, however that came, a second session
    runs `undo`, unless the statement succeeded, and `clean_up`.
    """

    preparation: tuple[Batch, ...]
    statement: Batch
    explanation: Batch
    second_session: Batch
    undo: tuple[Batch, ...]
    clean_up: tuple[Batch, ...]
    database: str
    """The name of the database that the statement is about, as the error log tells it."""

    def batches(self) -> Iterator[Batch]:
        """Give everything that may be run, in its order."""
        yield from self.preparation
        yield self.statement
        yield self.explanation._replace(purpose=f"{self.explanation.purpose}; only where the statement failed")
        yield self.second_session
        for batch in self.undo:
            yield batch._replace(purpose=f"{batch.purpose}; only where the statement did not succeed")
        yield from self.clean_up

    def ending(self, succeeded: bool) -> tuple[Batch, ...]:
        """Give what the second session runs."""
        return (self.second_session, *(() if succeeded else self.undo), *self.clean_up)


def asks_for_files(statement: Statement) -> bool:
    """Tell whether the files of a database of the user's must be known."""
    return (statement.operation, statement.subject) == ("restore", "database")


def script_of(statement: Statement, scratch: Scratch, named: Named | None = None) -> Script:
    """Plan a statement, on a database of the user's where one is named; what cannot be is a NotRunnable.

    A database of the user's is read, by BACKUP alone. RESTORE makes a database of its own.
    """
    if statement.operation == "restore":
        return _restore(statement, scratch, named)
    if named is not None:
        present = databases.require(named.name, f"There is no database {named.name}.")
        return _script(statement, named.name, render(statement, named.name), (present,))
    return _backup(statement, scratch)


def _backup(statement: Statement, scratch: Scratch) -> Script:
    name, log_name = scratch
    text = render(statement, name)
    own, fill, drop = databases.own(name), databases.fill(name, statement.database), databases.drop(name)
    if statement.subject == "log":
        ready = (own, databases.create(name, "FULL"), databases.start_log(name, log_name), fill)
        clean_up = (databases.forget_base(name), drop)
        return _script(statement, name, text, ready, undo=(databases.drop(log_name),), clean_up=clean_up)
    return _script(statement, name, text, (own, databases.create(name, "SIMPLE"), fill), clean_up=(drop,))


def _restore(statement: Statement, scratch: Scratch, named: Named | None) -> Script:
    name, log_name = scratch
    if statement.subject == "filelistonly":
        return _script(statement, "", render(statement, ""))
    if statement.subject == "log":
        if named is not None:
            raise NotRunnable(_NO_LOG_OF_THEIRS)
        ready, drop = databases.require(log_name, _NO_BASE), databases.drop(log_name)
        return _script(statement, log_name, render(statement, log_name), (ready,), clean_up=(drop,))
    moves = databases.moves(name, databases.FILES if named is None else named.files)
    text = f"{moves.declarations}\n{render(statement, name, moves.pairs)}"
    return _script(statement, name, text, (databases.own(name),), clean_up=(databases.drop(name),))


def _script(
    statement: Statement,
    database: str,
    text: str,
    preparation: tuple[Batch, ...] = (),
    undo: tuple[Batch, ...] = (),
    clean_up: tuple[Batch, ...] = (),
) -> Script:
    return Script(
        (databases.session(statement.instance), *preparation),
        Batch("run the statement", text),
        databases.error_log(),
        databases.second_session(),
        undo,
        (*clean_up, databases.sweep()),
        database,
    )
