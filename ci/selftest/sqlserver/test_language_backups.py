"""BACKUP and RESTORE reach the instance as values, in every form, and what it answers reaches the client."""

from __future__ import annotations

import pytest

from selftest.sqlserver.asking import Asking
from vdi_conformance.sqlserver.statements import BackupStatement, Medium, Option, RestoreStatement, RestoreSubject
from vdi_conformance.tds.answers import Column, Columns, Message, Row, SqlType, StatementEnd

VARIABLES = "DECLARE @d sysname = N'master', @v nvarchar(99) = N'it''s', @n int = 4, @when datetime = '2024-01-02';"


def _option(name: str, *values: int | str | None) -> Option:
    return Option(name, values)


STATEMENTS = [
    ("BACKUP DATABASE master TO VIRTUAL_DEVICE='a'", BackupStatement("database", "master", (Medium("virtual", "a"),))),
    (
        "backup log [master] to virtual_device = N'a', Virtual_Device = @v with norecovery;",
        BackupStatement("log", "master", (Medium("virtual", "a"), Medium("virtual", "it's")), (_option("NORECOVERY"),)),
    ),
    (
        """BACKUP DATABASE @d TO DISK = @v, DISK = 'b' WITH FORMAT, STATS = @n, STATS, NAME = @v, BLOCKSIZE = 512,
            DIFFERENTIAL, DESCRIPTION = N'd', EXPIREDATE = @when, RETAINDAYS = 5""",
        BackupStatement(
            "database",
            "master",
            (Medium("disk", "it's"), Medium("disk", "b")),
            (
                _option("FORMAT"),
                _option("STATS", 4),
                _option("STATS"),
                _option("NAME", "it's"),
                _option("BLOCKSIZE", 512),
                _option("DIFFERENTIAL"),
                _option("DESCRIPTION", "d"),
                _option("EXPIREDATE", "2024-01-02T00:00:00.000"),
                _option("RETAINDAYS", 5),
            ),
        ),
    ),
    (
        "BACKUP DATABASE master TO dump WITH ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = c), CHECKSUM",
        BackupStatement(
            "database", "master", (Medium("logical", "dump"),), (_option("ENCRYPTION"), _option("CHECKSUM"))
        ),
    ),
    (
        """RESTORE DATABASE @d FROM VIRTUAL_DEVICE = 'a' WITH MOVE N'l' TO @v, MOVE 'm' TO 'p', REPLACE, FILE = 2,
            STOPATMARK = 'x' AFTER '2024', STANDBY = @v, NORECOVERY""",
        RestoreStatement(
            "database",
            "master",
            (Medium("virtual", "a"),),
            (
                _option("MOVE", "l", "it's"),
                _option("MOVE", "m", "p"),
                _option("REPLACE"),
                _option("FILE", 2),
                _option("STOPATMARK", "x", "2024"),
                _option("STANDBY", "it's"),
                _option("NORECOVERY"),
            ),
        ),
    ),
    ("RESTORE DATABASE master WITH RECOVERY", RestoreStatement("database", "master", (), (_option("RECOVERY"),))),
    (
        "RESTORE LOG master FROM URL = 'u' WITH STOPAT = @when",
        RestoreStatement("log", "master", (Medium("url", "u"),), (_option("STOPAT", "2024-01-02T00:00:00.000"),)),
    ),
]
SUBJECTS: list[RestoreSubject] = ["filelistonly", "headeronly", "labelonly", "verifyonly"]


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.mark.parametrize(("text", "statement"), STATEMENTS, ids=[text[:50] for text, _ in STATEMENTS])
def test_a_statement_is_read(asking: Asking, text: str, statement: BackupStatement | RestoreStatement) -> None:
    asking.succeed(f"{VARIABLES} {text}")
    statements: list[BackupStatement | RestoreStatement] = [*asking.instance.backups, *asking.instance.restores]
    (found,) = statements
    options = tuple(option._replace(line=1) for option in found.options)
    assert found._replace(options=options) == statement


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_a_medium_says_of_itself_is_asked_for(asking: Asking, subject: RestoreSubject) -> None:
    asking.succeed(f"RESTORE {subject.title()} FROM TAPE = 't' WITH NOUNLOAD")
    wanted = RestoreStatement(subject, None, (Medium("tape", "t"),), (_option("NOUNLOAD"),))
    assert asking.instance.restores == [wanted]


def test_sixty_four_devices_are_read(asking: Asking) -> None:
    devices = ", ".join(f"VIRTUAL_DEVICE = 'd{number}'" for number in range(64))
    asking.succeed(f"BACKUP DATABASE master TO {devices} WITH FORMAT")
    assert [medium.name for medium in asking.instance.backups[0].media] == [f"d{number}" for number in range(64)]


def test_the_lines_of_a_statement_are_those_of_its_batch(asking: Asking) -> None:
    asking.instance.answers = [Message(4035, "pages", 0), Message(3202, "write", 16), Message(3013, "end", 16)]
    outcome = asking.run(
        "PRINT 'a'\n\nBACKUP DATABASE master\nTO VIRTUAL_DEVICE = 'a',\nVIRTUAL_DEVICE = 'b'\nWITH INIT"
    )
    assert [(message.number, message.line) for message in outcome.messages] == [(0, 1), (4035, 3), (3202, 3), (3013, 3)]
    assert outcome.answers[-1] == StatementEnd(None, failed=True)
    (statement,) = asking.instance.backups
    assert (statement.line, [medium.line for medium in statement.media], statement.options[0].line) == (3, [4, 5], 6)


def test_a_failed_backup_is_told_apart_from_one_that_informs(asking: Asking) -> None:
    assert asking.succeed("BACKUP DATABASE master TO DISK = 'a' SELECT @@ERROR").value == 0
    asking.instance.answers = [Message(3271, "i/o", 16), Message(3013, "end", 16)]
    assert asking.run("BACKUP DATABASE master TO DISK = 'a' SELECT @@ERROR").rows == [(3013,)]
    caught = asking.run(
        "BEGIN TRY BACKUP DATABASE master TO DISK = 'a' END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH"
    )
    assert (caught.value, caught.errors) == (3013, [])


def test_the_messages_of_a_backup_come_while_it_runs(asking: Asking) -> None:
    seen: list[str] = []

    def told() -> object:
        for number in (10, 20):
            seen.append(f"computed {number}")
            yield Message(3211, f"{number} percent", 0)

    asking.instance.answers = told()  # type: ignore[assignment]
    for answer in asking.session.batch("BACKUP DATABASE master TO DISK = 'a'"):
        if isinstance(answer, Message):
            seen.append(f"told {answer.text}")
    assert seen == ["computed 10", "told 10 percent", "computed 20", "told 20 percent"]


def test_the_rows_of_a_restore_reach_the_client(asking: Asking) -> None:
    outcome = asking.succeed("RESTORE FILELISTONLY FROM VIRTUAL_DEVICE = 'a'")
    assert outcome.answers == [
        Columns((Column("LogicalName", SqlType("nvarchar", 128)), Column("Size", SqlType("numeric", 0, 20, 0)))),
        Row(("contents", None)),
        StatementEnd(),
    ]


def test_sp_who_tells_of_a_backup_that_runs(asking: Asking) -> None:
    asking.instance.answers = [Message(3211, "10 percent", 0), Message(3014, "done", 0)]
    running = asking.session.batch("BACKUP DATABASE master TO DISK = 'a'")
    next(running)
    text = "SELECT command FROM sys.dm_exec_requests WHERE session_id = 51"
    assert asking.run(text, session=asking.another()).value == "BACKUP DATABASE"
    list(running)
    assert asking.run("SELECT cmd FROM master..sysprocesses WHERE spid = 51", session=asking.another()).value == (
        "AWAITING COMMAND"
    )
