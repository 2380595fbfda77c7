"""Databases: made, changed, dropped, and found again by the next server of the directory."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from selftest.sqlserver.servers import TABLE, Server, backup, disk, restore
from vdi_conformance.sqlserver.databases.store import Unusable
from vdi_conformance.sqlserver.seam import (
    FileSpec,
    ModifyFile,
    ModifyName,
    Refused,
    SetCollation,
    SetOption,
    TableDefinition,
    TableName,
)
from vdi_conformance.tds.answers import Column, SqlType

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdi_conformance.sqlserver.seam import Change
    from vdi_conformance.tds.answers import Value


def numbers(work: Callable[[], object]) -> list[int]:
    """Give the numbers of the messages that something is refused with."""
    with pytest.raises(Refused) as caught:
        work()
    return [one.number for one in caught.value.messages]


def alter(server: Server, name: str, change: Change, **asker: Any) -> list[int]:
    return [one.number for one in server.instance.alter_database(name, change, server.asker(**asker))]


def create(server: Server, name: str, *files: FileSpec) -> None:
    server.instance.create_database(name, files, None, server.asker())


def view(server: Server, database: str, schema: str, name: str) -> list[dict[str, Any]]:
    found = server.instance.view(database, schema, name)
    assert found is not None
    return [dict(zip((column.name for column in found.columns), row, strict=True)) for row in found.rows]


def test_a_server_has_its_own_databases_and_those_that_it_was_offered(server: Server) -> None:
    found = [(one.database_id, one.name, one.recovery) for one in server.instance.databases()]
    assert found == [
        (1, "master", "SIMPLE"),
        (2, "tempdb", "SIMPLE"),
        (3, "model", "FULL"),
        (4, "msdb", "SIMPLE"),
        (5, "pubs", "SIMPLE"),
    ]
    assert server.instance.database("PUBS") == server.instance.database("pubs")


def test_a_new_database_has_two_files_and_the_recovery_model_of_model(server: Server) -> None:
    create(server, "Sales [1]")
    assert numbers(lambda: create(server, "SALES [1]")) == [1801]
    found = server.instance.database("sales [1]")
    assert found is not None
    assert (found.recovery, found.state) == ("FULL", "ONLINE")
    files = view(server, "Sales [1]", "sys", "database_files")
    assert [(row["file_id"], row["type_desc"], row["name"]) for row in files] == [
        (1, "ROWS", "Sales [1]"),
        (2, "LOG", "Sales [1]_log"),
    ]
    data_path = str(server.instance.property("instancedefaultdatapath"))
    assert files[0]["physical_name"] == data_path + "Sales [1].mdf"


def test_files_are_made_as_they_are_named(server: Server) -> None:
    create(server, "own", FileSpec("data", "d", "/x/d.mdf", 1 << 30), FileSpec("log", "l"), FileSpec("data", "e"))
    files = view(server, "own", "sys", "database_files")
    assert [(row["file_id"], row["name"]) for row in files] == [(1, "d"), (2, "l"), (3, "e")]
    assert (files[0]["physical_name"], files[0]["size"]) == ("/x/d.mdf", (1 << 30) // 8192)
    assert numbers(lambda: create(server, "two", FileSpec("data", "x", "/X/D.mdf"))) == [1834, 1802]
    assert numbers(lambda: create(server, "three", FileSpec("data", "x"), FileSpec("log", "X"))) == [1828]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (SetOption("RECOVERY", "FULL"), []),
        (SetOption("SINGLE_USER", rolls_back=True), []),
        (SetOption("READ_ONLY"), []),
        (SetOption("PAGE_VERIFY", "NONE"), [0]),
        (SetCollation("Latin1_General_BIN"), []),
        (ModifyFile("pubs", new_name="data"), [5021]),
        (ModifyFile("pubs_log", path="/elsewhere/l.ldf"), []),
        (ModifyName("books"), [5021]),
    ],
)
def test_a_database_is_changed(server: Server, change: Change, told: list[int]) -> None:
    assert alter(server, "pubs", change) == told
    name = "books" if isinstance(change, ModifyName) else "pubs"
    (row,) = [one for one in view(server, "master", "sys", "databases") if one["name"] == name]
    names = [one["name"] for one in view(server, name, "sys", "database_files")]
    seen = {
        "RECOVERY": row["recovery_model_desc"] == "FULL",
        "SINGLE_USER": row["user_access_desc"] == "SINGLE_USER",
        "READ_ONLY": row["is_read_only"] is True,
    }
    if isinstance(change, SetOption):
        assert seen.get(change.option, True)
    if isinstance(change, SetCollation):
        assert row["collation_name"] == change.collation
    if isinstance(change, ModifyFile):
        assert (change.new_name or "pubs") in names


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("none", SetOption("READ_ONLY"), [5011, 5069]),
        ("pubs", ModifyFile("none", "x"), [5041, 5069]),
        ("pubs", ModifyFile("pubs", "PUBS_LOG"), [1828, 5069]),
        ("pubs", ModifyName("msdb"), [1801, 5069]),
        ("master", SetOption("SINGLE_USER"), [5058, 5069]),
        ("tempdb", SetOption("RECOVERY", "FULL"), [5058, 5069]),
    ],
)
def test_what_cannot_be_changed(server: Server, name: str, change: Change, expected: list[int]) -> None:
    assert numbers(lambda: alter(server, name, change)) == expected


def test_sessions_in_the_way_refuse_a_change_or_end(server: Server) -> None:
    server.sessions.databases[60] = "pubs"
    assert numbers(lambda: alter(server, "pubs", SetOption("OFFLINE"))) == [5070, 5069]
    alter(server, "pubs", SetOption("SINGLE_USER", rolls_back=True))
    assert server.sessions.databases == {}
    server.sessions.databases[61] = "pubs"
    assert numbers(lambda: server.instance.use("pubs", server.asker())) == [924]
    assert numbers(lambda: alter(server, "pubs", SetOption("MULTI_USER"))) == [5064, 5069]
    assert alter(server, "pubs", SetOption("MULTI_USER"), session_id=61) == []
    assert server.instance.use("pubs", server.asker()).access == "MULTI_USER"


def test_which_database_can_be_dropped(server: Server) -> None:
    def drop(name: str, **asker: Any) -> object:
        return server.instance.drop_database(name, server.asker(**asker))

    assert numbers(lambda: drop("none")) == [3701]
    assert numbers(lambda: drop("model")) == [3708]
    assert numbers(lambda: drop("pubs", database="pubs")) == [3702]
    server.sessions.databases[60] = "pubs"
    assert numbers(lambda: drop("pubs")) == [3702]
    server.sessions.databases.clear()
    drop("pubs")
    assert server.state("pubs") is None
    create(server, "next")
    assert server.instance.databases()[-1].database_id == 5


def test_to_which_database_a_session_can_go(server: Server) -> None:
    assert numbers(lambda: server.instance.use("none", server.asker())) == [911]
    server.run(backup("pubs", disk()))
    server.run(restore("pubs", disk(), NORECOVERY=True))
    assert numbers(lambda: server.instance.use("pubs", server.asker())) == [927]
    server.run(restore("pubs", (), RECOVERY=True))
    alter(server, "pubs", SetOption("OFFLINE"))
    assert numbers(lambda: server.instance.use("pubs", server.asker())) == [942]
    alter(server, "pubs", SetOption("ONLINE"))
    assert server.instance.use("PUBS", server.asker()).name == "pubs"


def test_tables_keep_values_of_every_type(server: Server) -> None:
    now = server.instance.now()
    values: dict[SqlType, Value] = {
        SqlType("bit"): True,
        SqlType("bigint"): 1 << 62,
        SqlType("numeric", 0, 25, 3): Decimal("12345678901234567890.125"),
        SqlType("float"): 1.5,
        SqlType("datetime"): now,
        SqlType("uniqueidentifier"): UUID(int=7),
        SqlType("nvarchar", 10): "\u65e5\u672c",
        SqlType("varbinary", 10): b"\0\xff",
    }
    table = TableName("pubs", "dbo", "types")
    columns = tuple(Column(f"c{number}", type_) for number, type_ in enumerate(values))
    server.instance.create_table(table, TableDefinition(columns, ("c1",), "c1"), server.asker())
    rows: list[tuple[Value, ...]] = [tuple(values.values()), (None,) * len(values)]
    assert server.instance.insert(table, iter(rows), server.asker()) == 2
    server.run(backup("pubs", disk()))
    server.instance.replace_rows(table, [], server.asker())
    assert list(server.instance.rows(table)) == []
    server.run(restore("pubs", disk()))
    again = Server(server.directory)
    assert list(again.instance.rows(table)) == rows
    assert again.instance.table(TableName("PUBS", "DBO", "Types")) == TableDefinition(columns, ("c1",), "c1")


def test_tables_are_reached_where_their_database_is_open(server: Server) -> None:
    server.fill("pubs", "one")
    alter(server, "pubs", SetOption("READ_ONLY"))
    assert numbers(lambda: server.fill("pubs", "two")) == [3906]
    assert server.contents("pubs") == ["one"]
    alter(server, "pubs", SetOption("OFFLINE"))
    assert numbers(lambda: server.contents("pubs")) == [942]
    alter(server, "pubs", SetOption("ONLINE"))
    server.run(backup("pubs", disk()))
    server.run(restore("pubs", disk(), NORECOVERY=True))
    assert numbers(lambda: server.fill("pubs", "two")) == [927]


def test_half_of_a_pair_is_kept_as_a_replacement(server: Server) -> None:
    server.fill("pubs", "a\ud800b", "\U0001f600")
    assert server.run(backup("pubs", disk("\udc00.bak"), NAME="\ud800")).numbers[-1] == 3014
    assert Server(server.directory).contents("pubs") == ["a\ufffdb", "\U0001f600"]
    assert server.run(restore(None, disk("\ufffd.bak"), "headeronly")).rows[0]["BackupName"] == "\ufffd"


def test_tables_are_there_once(server: Server) -> None:
    table = TableName("pubs", "dbo", "t")
    server.instance.create_table(table, TABLE, server.asker())
    other = table._replace(name="T")
    assert numbers(lambda: server.instance.create_table(other, TABLE, server.asker())) == [2714]
    server.instance.drop_table(other, server.asker())
    assert server.instance.table(table) is None
    assert numbers(lambda: server.instance.drop_table(table, server.asker())) == [3701]


def test_the_next_server_finds_everything(server: Server) -> None:
    server.fill("pubs", "kept")
    create(server, "made")
    server.run(backup("pubs", disk()))
    server.instance.log("spid51", "a line\nof two")
    again = Server(server.directory)
    assert again.instance.databases() == server.instance.databases()
    assert again.contents("pubs") == ["kept"]
    assert view(again, "msdb", "dbo", "backupset") == view(server, "msdb", "dbo", "backupset")
    lines = server.instance.error_log()
    earlier = again.instance.error_log(1)
    assert [line[1:] for line in earlier] == [line[1:] for line in lines]
    assert earlier[-1].text == "a line of two"
    assert again.instance.error_log(5) == ()


def test_a_long_error_log_is_told_whole_and_in_order(server: Server) -> None:
    before = len(server.instance.error_log())
    for number in range(2500):
        server.instance.log("spid51", f"number {number}\rof\x85many")
    lines = server.instance.error_log()[before:]
    assert [line.text for line in lines] == [f"number {number} of many" for number in range(2500)]
    assert [line.when for line in lines] == sorted(line.when for line in lines)


def test_a_server_that_was_killed_while_it_wrote_is_found_as_it_was(server: Server) -> None:
    server.run(backup("pubs", disk()))
    history = server.home / "state" / "history.jsonl"
    whole = history.read_bytes()
    history.write_bytes(whole + whole[:100])
    (server.home / "state" / "databases" / "5.json.part").write_bytes(b"{")
    again = Server(server.directory)
    again.run(backup("pubs", disk()))
    assert len(view(Server(server.directory), "msdb", "dbo", "backupset")) == 2


@pytest.mark.parametrize("name", ["databases/5.json", "history.jsonl"])
@pytest.mark.parametrize("content", [b"[]", b"[" * 100_000, b'{"a":' * 100_000, b'"\xff"', b"9" * 5000])
def test_a_directory_that_cannot_be_read_is_named(server: Server, name: str, content: bytes) -> None:
    (server.home / "state" / name).write_bytes(content + b"\n")
    with pytest.raises(Unusable, match=rf"{name} cannot be read \([^`']*\): delete it"):
        Server(server.directory)


def test_a_line_of_an_earlier_log_that_is_of_no_day_is_passed_over(server: Server) -> None:
    (server.home / "log" / "ERRORLOG").write_text(
        "2026-13-45 00:00:00.00 spid1       never\n2026-01-01 00:00:00.00 spid1       once\n", encoding="utf-8"
    )
    assert [line.text for line in Server(server.directory).instance.error_log(1)] == ["once"]


def test_a_directory_that_there_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unusable, match=r"file cannot be used .* take another directory"):
        Server(tmp_path / "file")


def test_what_the_server_says_of_itself(server: Server) -> None:
    assert server.instance.property("ProductVersion") == "16.0.1000.0"
    assert server.instance.property("InstanceName") is None
    assert server.instance.property("nothing of the kind") is None
    assert server.instance.view("pubs", "sys", "nothing") is None
    assert server.instance.view("pubs", "dbo", "backupset") is None
    assert [row["name"] for row in view(server, "pubs", "sys", "filegroups")] == ["PRIMARY"]
    assert view(server, "pubs", "sys", "backup_devices") == []
    old = view(server, "master", "dbo", "sysdatabases")
    assert old == view(server, "pubs", "sys", "sysdatabases")
    assert {row["name"]: row["status"] for row in old}["pubs"] == 0x8
    assert len(view(server, "pubs", "sys", "all_columns")) >= 1000
    assert {row["database_id"] for row in view(server, "master", "sys", "master_files")} == {1, 2, 3, 4, 5}
