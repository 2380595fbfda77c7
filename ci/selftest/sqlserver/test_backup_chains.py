"""Full, differential and log backups after each other, and what of that can be restored."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from selftest.sqlserver.servers import Server, backup, disk, elsewhere, options, restore
from vdi_conformance.sqlserver.seam import FileSpec, SetOption, TableName
from vdi_conformance.sqlserver.statements import Option, RestoreStatement

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.statements import BackupSubject, RestoreSubject

FULL, LOG, LATER, DIFFERENTIAL = (disk(name) for name in ("full.bak", "log.bak", "later.bak", "differential.bak"))


@pytest.fixture
def chained(server: Server) -> Server:
    """A server whose pubs has a full backup with one row, and a log backup and a differential one with two."""
    server.instance.alter_database("pubs", SetOption("RECOVERY", "FULL"), server.asker())
    server.fill("pubs", "one")
    for statement in (
        backup("pubs", FULL),
        backup("pubs", LOG, "log"),
        backup("pubs", DIFFERENTIAL, DIFFERENTIAL=True),
        backup("pubs", LATER, "log"),
    ):
        assert server.run(statement).numbers[-1] == 3014
        server.fill("pubs", f"after {statement.media[0].name}")
    return server


def back(server: Server, media: Any, subject: RestoreSubject = "database", **told: Any) -> list[int]:
    """Restore to the database copy, and leave it restoring."""
    where = {} if subject == "log" else {"MOVE": elsewhere("copy")}
    return server.run(restore("copy", media, subject, **{"NORECOVERY": True, **where, **told})).numbers


@pytest.mark.parametrize(
    ("recovery", "subject", "told", "number"),
    [
        ("SIMPLE", "log", {}, 4208),
        ("FULL", "log", {}, 4214),
        ("FULL", "database", {"DIFFERENTIAL": True}, 3035),
        ("FULL", "log", {"DIFFERENTIAL": True}, 3032),
    ],
)
def test_what_needs_a_full_backup_first(
    server: Server, recovery: str, subject: BackupSubject, told: dict[str, Any], number: int
) -> None:
    server.instance.alter_database("pubs", SetOption("RECOVERY", recovery), server.asker())
    assert server.run(backup("pubs", disk(), "database", COPY_ONLY=True)).numbers[-1] == 3014
    assert server.run(backup("pubs", disk(), subject, **told)).numbers == [number, 3013]


def test_a_log_goes_on_where_the_full_backup_ended(chained: Server) -> None:
    assert back(chained, FULL)[-1] == 3014
    assert chained.state("copy") == "RESTORING"
    assert back(chained, LATER, "log") == [4305, 3013]
    assert back(chained, LOG, "log")[-1] == 3014
    assert back(chained, LATER, "log", RECOVERY=True, NORECOVERY=True) == [3031, 3013]
    assert chained.run(restore("copy", LATER, "log")).numbers[-1] == 3014
    assert chained.contents("copy") == ["one", "after full.bak", "after log.bak", "after differential.bak"]
    assert back(chained, LATER, "log") == [3117, 3013]


def test_a_log_that_the_database_has_passed_is_too_early(chained: Server) -> None:
    assert back(chained, FULL)[-1] == 3014
    assert back(chained, LOG, "log")[-1] == 3014
    assert back(chained, LATER, "log")[-1] == 3014
    assert back(chained, LOG, "log") == [4326, 3013]


def test_a_differential_backup_goes_on_from_its_base_alone(chained: Server) -> None:
    assert back(chained, DIFFERENTIAL) == [3118, 3013]
    assert back(chained, FULL)[-1] == 3014
    assert back(chained, DIFFERENTIAL)[-1] == 3014
    assert back(chained, LATER, "log")[-1] == 3014
    assert chained.run(restore("copy", (), RECOVERY=True)).numbers == [3014]
    assert chained.contents("copy") == ["one", "after full.bak", "after log.bak", "after differential.bak"]
    assert chained.run(restore("copy", (), RECOVERY=True)).numbers == [3153, 3013]
    other = disk("other.bak")
    assert chained.run(backup("pubs", other)).numbers[-1] == 3014
    assert back(chained, other, REPLACE=True)[-1] == 3014
    assert back(chained, DIFFERENTIAL) == [3136, 3013]


def test_stop_at_leaves_out_what_came_later(chained: Server) -> None:
    rows = TableName("copy", "dbo", "words")
    begin = chained.instance.now() - timedelta(hours=1)
    assert back(chained, FULL)[-1] == 3014
    stop_at = begin.isoformat(sep=" ")
    assert back(chained, LOG, "log", STOPAT=stop_at)[-1] == 3014
    assert chained.run(restore("copy", (), RECOVERY=True)).numbers == [3014]
    assert [row[1] for row in chained.instance.rows(rows)] == ["one"]
    assert back(chained, FULL, STOPAT="soon") == [241, 3013]


def test_standby_can_be_read_and_goes_on(chained: Server) -> None:
    where = options({"MOVE": elsewhere("copy"), "STANDBY": "/x/undo"})
    assert chained.run(RestoreStatement("database", "copy", FULL, where)).numbers[-1] == 3014
    found = chained.instance.database("copy")
    assert found is not None
    assert (found.state, found.is_read_only) == ("ONLINE", True)
    assert chained.contents("copy") == ["one"]
    assert back(chained, LOG, "log")[-1] == 3014
    assert chained.state("copy") == "RESTORING"


def test_copy_only_leaves_no_trace(chained: Server) -> None:
    before = chained.run(backup("pubs", disk("a.bak"), "log", COPY_ONLY=True))
    assert before.numbers[-1] == 3014
    assert chained.run(backup("pubs", disk("b.bak"), COPY_ONLY=True)).numbers[-1] == 3014
    assert chained.run(backup("pubs", disk("c.bak"), "log")).numbers[-1] == 3014
    rows = [chained.run(restore(None, disk(name), "headeronly")).rows[0] for name in ("a.bak", "c.bak")]
    assert rows[0]["FirstLSN"] == rows[1]["FirstLSN"]
    assert [row["IsCopyOnly"] for row in rows] == [True, False]


def test_the_tail_of_a_log_is_guarded(chained: Server) -> None:
    assert chained.run(restore("pubs", FULL)).numbers == [3159, 3013]
    tail = disk("tail.bak")
    assert chained.run(backup("pubs", tail, "log", NORECOVERY=True)).numbers[-1] == 3014
    assert chained.state("pubs") == "RESTORING"
    assert chained.run(backup("pubs", tail)).numbers == [927, 3013]
    assert chained.run(restore("pubs", FULL, NORECOVERY=True)).numbers[-1] == 3014
    for media in (LOG, LATER, tail):
        assert chained.run(restore("pubs", media, "log", NORECOVERY=True)).numbers[-1] == 3014
    assert chained.run(restore("pubs", (), RECOVERY=True)).numbers == [3014]
    assert chained.contents("pubs")[-1] == "after later.bak"


def test_kinds_are_not_taken_for_each_other(chained: Server) -> None:
    assert back(chained, LOG) == [3135, 3013]
    assert back(chained, FULL, "log") == [3135, 3013]
    assert chained.run(restore("copy", LOG, "log")).numbers == [3118, 3013]


def test_a_log_of_another_recovery_path_is_refused(chained: Server) -> None:
    assert back(chained, FULL, NORECOVERY=True)[-1] == 3014
    assert chained.run(restore("copy", (), RECOVERY=True)).numbers == [3014]
    assert chained.run(backup("copy", disk("forked.bak"), "log")).numbers[-1] == 3014
    assert back(chained, FULL, REPLACE=True)[-1] == 3014
    assert back(chained, disk("forked.bak"), "log") == [4330, 3013]


def test_over_which_database_a_backup_goes(chained: Server) -> None:
    chained.instance.create_database("other", (), None, chained.asker())
    assert chained.run(restore("other", FULL)).numbers == [3154, 3013]
    assert chained.run(restore("other", FULL, REPLACE=True)).numbers == [1834, 3156, 1834, 3156, 3119, 3013]
    assert chained.state("other") == "ONLINE"
    result = chained.run(restore("other", FULL, REPLACE=True, MOVE=elsewhere("other")))
    assert result.numbers[-1] == 3014
    assert chained.contents("other") == ["one"]
    wrong = {"none": "/x", **elsewhere("new")}
    assert chained.run(restore("new", FULL, MOVE=wrong)).numbers == [3234, 3013]
    assert chained.state("new") is None


def test_a_database_in_use_is_not_restored(chained: Server) -> None:
    assert chained.run(restore("pubs", FULL, REPLACE=True), database="pubs").numbers == [3102, 3013]
    chained.sessions.databases[60] = "pubs"
    assert chained.run(restore("pubs", FULL, REPLACE=True)).numbers == [3101, 3013]


@pytest.mark.parametrize(
    ("database", "told", "number"),
    [("none", {}, 911), ("tempdb", {}, 3147), ("master", {"DIFFERENTIAL": True}, 3024), ("pubs", {"NAMES": 1}, 155)],
)
def test_backups_that_there_cannot_be(server: Server, database: str, told: dict[str, Any], number: int) -> None:
    assert server.run(backup(database, disk(), **told)).numbers == [number, 3013]
    assert any("Error: 3041" in line.text for line in server.instance.error_log())


def test_master_and_tempdb_are_not_restored(server: Server) -> None:
    assert server.run(restore("master", disk())).numbers == [3108, 3013]
    assert server.run(restore("tempdb", disk())).numbers == [3147, 3013]
    assert server.run(restore("none", (), RECOVERY=True)).numbers == [911, 3013]


def test_a_transaction_has_no_backup(server: Server) -> None:
    result = server.run(backup("pubs", disk()), in_transaction=True)
    assert result.numbers == [3021, 3013]
    assert result.messages[0].state == 0


@pytest.mark.parametrize(
    ("option", "number"),
    [
        (Option("BLOCKSIZE", (1000,)), 3250),
        (Option("MAXTRANSFERSIZE", (65537,)), 3250),
        (Option("MAXTRANSFERSIZE", (0,)), 3250),
        (Option("BUFFERCOUNT", (0,)), 3250),
        (Option("BLOCKSIZE"), 3250),
        (Option("NAME", (3,)), 3250),
        (Option("NAME", ("x" * 300,)), 3250),
        (Option("PASSWORD", ("secret",)), 40514),
        (Option("REPLACE"), 3032),
        (Option("EXPIREDATE", ("never",)), 241),
    ],
)
def test_options_that_cannot_be(server: Server, option: Option, number: int) -> None:
    statement = backup("pubs", disk())
    assert server.run(statement._replace(options=(option,))).numbers == [number, 3013]


def test_a_label_has_no_room_for_any_number_of_files(server: Server) -> None:
    files = [FileSpec("data", f"{number:0120d}", f"/x/{number:0250d}") for number in range(150)]
    server.instance.create_database("many", files, None, server.asker())
    assert server.run(backup("many", disk(), MAXTRANSFERSIZE=65536)).numbers == [40514, 3013]
    assert server.run(backup("many", disk(), MAXTRANSFERSIZE=1 << 20)).numbers[-1] == 3014


def test_a_password_and_checksums_that_are_not_there(server: Server) -> None:
    server.run(backup("pubs", disk()))
    assert server.run(restore("pubs", disk(), PASSWORD="x")).numbers == [3279, 3013]  # noqa: S106
    assert server.run(restore("pubs", disk(), CHECKSUM=True)).numbers == [3187, 3013]
    assert server.run(restore(None, disk(), "verifyonly", CHECKSUM=True)).numbers == [3187, 3013]


def test_what_is_ignored_is_told(server: Server) -> None:
    result = server.run(backup("pubs", disk(), COMPRESSION=True, NOUNLOAD=True, REWIND=True))
    assert result.numbers == [0, 4035, 4035, 3014]
    assert "COMPRESSION" in result.messages[0].text
