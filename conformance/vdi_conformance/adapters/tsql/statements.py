"""A BACKUP or RESTORE of the contract as T-SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters.tsql.quoting import bracketed, literal
from vdi_conformance.adapters.tsql.refusal import NotRunnable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.contract import Statement

_DEFAULT_BLOCK_SIZE: Final = 512


def render(statement: Statement, database: str, moves: Sequence[tuple[str, str]] = ()) -> str:
    """Write a statement on the database of that name.

    `moves` has the logical name of each file of a database that is restored, and the variable with its new path.
    What a server refuses is left to it, such as too many devices; what cannot be written is a NotRunnable.
    """
    if not statement.devices:
        raise NotRunnable("a statement without devices cannot be written in T-SQL: name 1 to 64")
    if statement.subject == "filelistonly":
        if statement.operation == "backup" or statement.snapshot:
            raise NotRunnable("FILELISTONLY goes with a RESTORE, and without SNAPSHOT: ask for it in that way")
        words = "RESTORE FILELISTONLY"
    else:
        words = f"{statement.operation} {statement.subject}".upper() + f" {bracketed(database)}"
    preposition = "TO" if statement.operation == "backup" else "FROM"
    devices = ",\n    ".join(f"VIRTUAL_DEVICE = {literal(name)}" for name in statement.devices)
    options = ",\n    ".join(_options(statement, moves))
    return f"{words}\n{preposition} {devices}" + (f"\nWITH {options};" if options else ";")


def _options(statement: Statement, moves: Sequence[tuple[str, str]]) -> Iterator[str]:
    if statement.operation == "backup":
        # Differential and log backups of the user's own go on as if this one had not been.
        yield "COPY_ONLY"
        if not statement.snapshot:
            # Nothing that a medium of the client holds is to be appended to, nor contents to shrink on their way.
            yield "FORMAT"
            yield "NO_COMPRESSION"
    if statement.snapshot:
        yield "SNAPSHOT"
    for logical_name, path in moves:
        yield f"MOVE {literal(logical_name)} TO {path}"
    yield from _sizes(statement)


def _sizes(statement: Statement) -> Iterator[str]:
    block_size = statement.block_size
    if statement.subject == "filelistonly":
        # Its grammar has no sizes; only blocks of another size than usual could not be read without theirs.
        if block_size not in (None, _DEFAULT_BLOCK_SIZE):
            yield f"BLOCKSIZE = {block_size}"
        return
    named = {
        "BLOCKSIZE": block_size,
        "MAXTRANSFERSIZE": statement.max_transfer_size,
        "BUFFERCOUNT": statement.buffer_count,
    }
    for word, value in named.items():
        if value is not None:
            yield f"{word} = {value:d}"
