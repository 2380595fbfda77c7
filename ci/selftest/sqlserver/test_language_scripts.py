"""All T-SQL that the adapter for a real SQL Server sends runs in the emulated one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import pytest

from selftest.sqlserver.asking import Asking
from vdi_conformance.adapters.tsql import databases
from vdi_conformance.adapters.tsql.scripts import Named, Scratch, script_of
from vdi_conformance.contract import Database, Statement
from vdi_conformance.sqlserver.seam import TableName
from vdi_conformance.sqlserver.statements import Medium, Option

if TYPE_CHECKING:
    from vdi_conformance.adapters.tsql.databases import Batch

SCRATCH = Scratch("vdi_conformance_0123456789abcdef", "vdi_conformance_log_fedcba9876543210")
Kind = tuple[Literal["backup", "restore"], Literal["database", "log", "filelistonly"], bool]
KINDS: list[Kind] = [
    ("backup", "database", False),
    ("backup", "database", True),
    ("backup", "log", False),
    ("restore", "database", False),
    ("restore", "database", True),
    ("restore", "log", False),
    ("restore", "filelistonly", False),
]


@pytest.fixture
def asking() -> Asking:
    return Asking()


def _statement(kind: Kind, devices: int = 2) -> Statement:
    operation, subject, snapshot = kind
    names = tuple(f"set'{number}" for number in range(devices))
    plain = Statement(operation, None, names, Database(7, 20000), subject=subject, snapshot=snapshot)
    return (
        plain
        if subject == "filelistonly"
        else plain._replace(block_size=4096, max_transfer_size=131072, buffer_count=3)
    )


def _run(asking: Asking, *batches: Batch) -> None:
    for batch in batches:
        asking.succeed(batch.text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join((*kind[:2], "snapshot" * kind[2])).strip())
def test_every_batch_of_a_statement_runs(asking: Asking, kind: Kind) -> None:
    script = script_of(_statement(kind), SCRATCH)
    if kind[:2] == ("restore", "log"):
        _run(asking, databases.create(SCRATCH.log_name, "FULL"))
    _run(asking, *script.preparation, script.statement, script.explanation)
    asking.session = asking.another()
    _run(asking, *script.ending(succeeded=False))
    assert {one.name for one in asking.instance.databases()} <= {"master", "tempdb", "model", "msdb"} | set(SCRATCH)
    assert SCRATCH.name not in {one.name for one in asking.instance.databases()}


def test_a_backup_of_a_database_of_the_users_reaches_the_instance_as_it_is_written(asking: Asking) -> None:
    asking.succeed("CREATE DATABASE [a]]b]")
    script = script_of(_statement(("backup", "database", False)), SCRATCH, Named("a]b"))
    _run(asking, *script.preparation, script.statement)
    (statement,) = asking.instance.backups
    assert (statement.subject, statement.database, statement.line) == ("database", "a]b", 1)
    assert statement.media == (Medium("virtual", "set'0", 2), Medium("virtual", "set'1", 3))
    assert statement.options == (
        Option("COPY_ONLY", (), 4),
        Option("FORMAT", (), 5),
        Option("NO_COMPRESSION", (), 6),
        Option("BLOCKSIZE", (4096,), 7),
        Option("MAXTRANSFERSIZE", (131072,), 8),
        Option("BUFFERCOUNT", (3,), 9),
    )


def test_a_restore_reaches_the_instance_with_the_values_of_its_variables(asking: Asking) -> None:
    script = script_of(_statement(("restore", "database", False), devices=1), SCRATCH)
    _run(asking, script.statement)
    (statement,) = asking.instance.restores
    assert (statement.database, statement.media) == (SCRATCH.name, (Medium("virtual", "set'0", 4),))
    moves = [option.values for option in statement.options if option.name == "MOVE"]
    assert moves == [
        ("vdi_conformance_data", f"/data/{SCRATCH.name}_file1"),
        ("vdi_conformance_log", f"/data/{SCRATCH.name}_file2"),
    ]


def test_the_contents_that_a_script_stores_follow_from_the_seed(asking: Asking) -> None:
    _run(asking, databases.create(SCRATCH.name, "SIMPLE"), databases.fill(SCRATCH.name, Database(7, 3 * 8192 - 1)))
    rows = list(asking.instance.rows(TableName(SCRATCH.name, "dbo", "contents")))
    digests = [hashlib.sha512(f"7/{number}".encode()).hexdigest().upper() for number in (1, 2, 3)]
    assert rows == [(number, digest * 62) for number, digest in enumerate(digests, 1)]


def test_the_files_of_a_disposable_database_get_their_names(asking: Asking) -> None:
    _run(asking, databases.create(SCRATCH.name, "FULL"))
    found = asking.succeed(databases.files_of(SCRATCH.name).text)
    assert found.rows == [("vdi_conformance_data",), ("vdi_conformance_log",)]
    assert asking.succeed(f"SELECT DATABASEPROPERTYEX('{SCRATCH.name}', 'Recovery')").value == "FULL"


def test_the_sweep_drops_what_nobody_owns_and_nothing_else(asking: Asking) -> None:
    owned, left = (f"vdi_conformance_{digit * 16}" for digit in "ab")
    for name in (owned, left, "vdi_conformance_mine", "other", "vdi_conformance_log_" + "c" * 16):
        asking.succeed(f"CREATE DATABASE [{name}]")
    owner = asking.another()
    assert not asking.run(databases.own(owned).text, session=owner).errors
    asking.succeed(databases.sweep().text)
    names = {one.name for one in asking.instance.databases()}
    assert left not in names
    assert {owned, "vdi_conformance_mine", "other"} <= names


def test_only_who_may_back_up_gets_past_the_first_look(asking: Asking) -> None:
    assert asking.run(databases.session("OTHER").text).errors == [(50000, 7)]
    assert not asking.run(databases.session(None).text).errors


def test_the_error_log_is_read_from_the_time_that_the_session_kept(asking: Asking) -> None:
    asking.instance.log("Backup", "before")
    asking.succeed(databases.session(None).text)
    asking.instance.log("Backup", "after")
    assert [row[1:] for row in asking.succeed(databases.error_log().text).rows] == [("Backup", "after")]


def test_the_version_is_told_in_one_text(asking: Asking) -> None:
    assert asking.succeed(databases.version().text).value == "16.0.4165.4 Developer Edition (64-bit)"
