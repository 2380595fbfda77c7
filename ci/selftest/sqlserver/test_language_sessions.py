"""Sessions: who gets one, what each has for itself, what they hold against each other, and how they end."""

from __future__ import annotations

import importlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from selftest.sqlserver.asking import SA, Asking, Outcome, read
from vdi_conformance.sqlserver.language import parsing
from vdi_conformance.tds.answers import (
    DatabaseChanged,
    LoginRefused,
    Message,
    OutputValue,
    Parameter,
    ReturnStatus,
    SqlType,
    StatementEnd,
    TransactionBegun,
    TransactionEnded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.tds.answers import Session

INT, TEXT = SqlType("int"), SqlType("nvarchar", 50)
LONG = "WAITFOR DELAY '01:00:00'"


@pytest.fixture
def asking() -> Asking:
    return Asking()


@contextmanager
def running(session: Session, text: str) -> Iterator[Outcome]:
    """Run a batch on a thread of its own, from its first answer on; it has ended at the end of the block."""
    outcome, begun = Outcome(), threading.Event()

    def run() -> None:
        for answer in session.batch(f"PRINT 'begun' {text}"):
            outcome.answers.append(answer)
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    try:
        yield outcome
    finally:
        thread.join(60)
        assert not thread.is_alive()


def test_a_wrong_password_is_refused_and_logged(asking: Asking) -> None:
    for login in (SA._replace(password=""), SA._replace(user="nobody"), SA._replace(user="nobody", password="")):
        with pytest.raises(LoginRefused) as refused:
            asking.service.log_in(login)
        (message,) = refused.value.messages
        assert (message.number, message.severity, login.user in message.text) == (18456, 14, True)
    assert "18456" in asking.instance.lines[0].text
    assert "Reason" in asking.instance.lines[1].text


def test_the_name_of_a_login_is_taken_in_any_case(asking: Asking) -> None:
    assert asking.run("SELECT 1", session=asking.service.log_in(SA._replace(user="SA"))).value == 1


def test_a_login_begins_in_the_database_that_it_names(asking: Asking) -> None:
    session = asking.service.log_in(SA._replace(database="MSDB"))
    assert session.database == "msdb"
    with pytest.raises(LoginRefused) as refused:
        asking.service.log_in(SA._replace(database="nothing"))
    assert [message.number for message in refused.value.messages] == [4060, 18456]
    assert asking.run("SELECT COUNT(*) FROM sys.dm_exec_sessions", session=session).value == 2


def test_the_database_of_a_session_changes(asking: Asking) -> None:
    outcome = asking.succeed("USE MsDb")
    assert outcome.answers[0] == DatabaseChanged("msdb", "master")
    assert [(message.number, message.severity) for message in outcome.messages] == [(5701, 0)]
    assert asking.session.database == "msdb"
    asking.run("USE nothing")
    assert asking.session.database == "msdb"
    asking.session.reset()
    assert asking.session.database == "master"


def test_temporary_tables_are_each_sessions_own(asking: Asking) -> None:
    asking.succeed("CREATE TABLE #a (b int) CREATE TABLE ##a (b int) INSERT ##a VALUES (1)")
    other = asking.another()
    assert asking.run("SELECT * FROM #a", session=other).errors == [(208, 1)]
    assert asking.run("SELECT * FROM tempdb..##a", session=other).rows == [(1,)]
    asking.session.reset()
    assert asking.run("SELECT * FROM #a").errors == [(208, 1)]


def test_a_transaction_is_rolled_back(asking: Asking) -> None:
    asking.succeed("CREATE TABLE #a (b int) CREATE DATABASE d CREATE TABLE d.dbo.t (a int) INSERT d.dbo.t VALUES (1)")
    text = """BEGIN TRAN; BEGIN TRAN; COMMIT;
INSERT #a VALUES (1); DELETE d.dbo.t; INSERT d.dbo.t VALUES (2), (3); CREATE TABLE #b (c int);
SELECT @@TRANCOUNT, (SELECT COUNT(*) FROM d.dbo.t); ROLLBACK;
SELECT @@TRANCOUNT, (SELECT MIN(a) FROM d.dbo.t), (SELECT COUNT(*) FROM #a), OBJECT_ID('tempdb..#b')"""
    assert asking.succeed(text).results == [[(1, 2)], [(0, 1, 0, None)]]


def test_a_transaction_of_the_drivers_is_one_of_the_session(asking: Asking) -> None:
    first = asking.session.begin()
    assert first > 0
    assert asking.succeed("SELECT @@TRANCOUNT, XACT_STATE()").rows == [(1, 1)]
    asking.session.roll_back()
    asking.session.commit()
    assert asking.session.begin() > first
    asking.session.commit()
    assert asking.succeed("SELECT @@TRANCOUNT").value == 0


def test_with_implicit_transactions_what_touches_tables_begins_one(asking: Asking) -> None:
    text = (
        "SET IMPLICIT_TRANSACTIONS ON SELECT @@TRANCOUNT SELECT TOP 0 1 FROM sys.databases SELECT @@TRANCOUNT ROLLBACK"
    )
    assert asking.succeed(text).results == [[(0,)], [], [(1,)]]


def test_drivers_are_told_of_transactions_that_statements_begin_and_end(asking: Asking) -> None:
    def told(text: str) -> list[object]:
        return [one for one in asking.run(text).answers if isinstance(one, TransactionBegun | TransactionEnded)]

    (begun,) = told("BEGIN TRAN BEGIN TRAN COMMIT")
    assert isinstance(begun, TransactionBegun)
    assert told("COMMIT") == [TransactionEnded(begun.number, is_committed=True)]
    number = asking.session.begin()
    assert told("ROLLBACK") == [TransactionEnded(number, is_committed=False)]
    assert told("SET IMPLICIT_TRANSACTIONS ON CREATE TABLE #a (b int)") == [TransactionBegun(number + 1)]
    assert told("SET XACT_ABORT ON SELECT 1 / 0") == [TransactionEnded(number + 1, is_committed=False)]


def _lock(mode: str = "Exclusive", timeout: int = 0, owner: str = "Session") -> str:
    return f"DECLARE @r int EXEC @r = sp_getapplock N'r', '{mode}', '{owner}', {timeout} SELECT @r"


def test_application_locks_are_held_against_other_sessions(asking: Asking) -> None:
    other = asking.another()
    assert asking.succeed(_lock()).value == 0
    assert asking.run(_lock(), session=other).value == -1
    assert asking.run("SELECT APPLOCK_TEST('public', 'r', 'Shared', 'Session')", session=other).value == 0
    assert asking.run("SELECT APPLOCK_MODE('public', 'r', 'Session')").value == "Exclusive"
    assert asking.run("USE msdb " + _lock(), session=asking.another()).value == 0
    asking.succeed("EXEC sp_releaseapplock 'r', 'Session'")
    assert asking.run(_lock("Shared"), session=other).value == 0
    assert asking.succeed(_lock("Shared")).value == 0
    assert asking.succeed(_lock("Exclusive")).value == -1


def test_a_lock_ends_with_its_transaction_or_its_session(asking: Asking) -> None:
    other = asking.another()
    asking.succeed("BEGIN TRAN " + _lock(owner="Transaction"))
    assert asking.run(_lock(), session=other).value == -1
    asking.succeed("COMMIT")
    assert asking.run(_lock(), session=other).value == 0
    other.close()
    assert asking.succeed(_lock()).value == 0


def test_a_session_waits_for_a_lock_until_it_is_free(asking: Asking) -> None:
    asking.succeed(_lock())
    with running(asking.another(), _lock(timeout=-1)) as outcome:
        asking.succeed("EXEC sp_releaseapplock 'r', 'Session'")
    assert outcome.value == 1


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        _lock(timeout=-1),
        "DECLARE @i int = 0 WHILE 1 = 1 SET @i += 1",
        "SELECT 1 FROM sys.all_columns a, sys.all_columns b, sys.all_columns c, sys.all_columns d",
    ],
    ids=["WAITFOR", "lock", "WHILE", "SELECT"],
)
def test_what_runs_ends_when_it_is_cancelled(asking: Asking, text: str) -> None:
    asking.succeed(_lock())
    session = asking.another()
    with running(session, f"{text} PRINT 'not reached'") as outcome:
        session.cancel()
    assert outcome.printed == ["begun"]
    assert not outcome.errors
    assert asking.run("SELECT 1", session=session).value == 1


def test_kill_ends_a_session_and_what_it_holds(asking: Asking) -> None:
    other = asking.another()
    assert asking.run(_lock(), session=other).value == 0
    with running(other, LONG) as outcome:
        asking.succeed("KILL 52")
    assert [(error.number, error.severity) for error in outcome.messages[1:]] == [(596, 21)]
    assert asking.succeed(_lock()).value == 0
    assert asking.run("SELECT 1", session=other).errors == [(596, 1)]
    assert asking.run("SELECT @@SPID", session=asking.another()).value == 52
    other.close()
    assert asking.succeed("SELECT COUNT(*) FROM sys.dm_exec_sessions").value == 2


def test_alter_database_ends_the_sessions_in_its_way(asking: Asking) -> None:
    asking.succeed("CREATE DATABASE d")
    other = asking.another()
    asking.run("USE d", session=other)
    assert asking.run("DROP DATABASE d").errors == [(3702, 1)]
    asking.succeed("ALTER DATABASE d SET SINGLE_USER WITH ROLLBACK IMMEDIATE DROP DATABASE d")
    assert asking.run("SELECT 1", session=other).errors == [(596, 1)]


def test_a_fatal_error_ends_the_session(asking: Asking) -> None:
    outcome = asking.run("RAISERROR('own', 20, 1) WITH LOG PRINT 'not reached'")
    assert [error.severity for error in outcome.messages] == [20, 21]
    assert not outcome.printed
    assert asking.instance.lines[-1].text == "own"


def test_close_is_enough_once_and_ends_the_sessions_of_a_service(asking: Asking) -> None:
    other = asking.another()
    other.close()
    other.close()
    asking.service.close()
    assert asking.run("SELECT 1").errors == [(596, 1)]


def test_a_procedure_that_is_called_gives_its_status_and_what_it_gives_back(asking: Asking) -> None:
    parameters = (
        Parameter("", TEXT, "HKEY_LOCAL_MACHINE"),
        Parameter("@key", TEXT, "Software"),
        Parameter("@VALUE_NAME", TEXT, "BackupDirectory"),
        Parameter("@value", TEXT, None, is_output=True),
    )
    outcome = read(asking.session.call("[master].dbo.xp_instance_regread", parameters))
    assert outcome.answers == [
        ReturnStatus(0),
        OutputValue("@value", SqlType("nvarchar"), "/backup"),
        StatementEnd(),
    ]
    assert read(asking.session.call("nothing", ())).errors == [(2812, 1)]
    locked = read(asking.session.call("sp_getapplock", (Parameter("@Resource", TEXT, "r"),)))
    assert locked.errors == [(201, 1)]


def test_drivers_learn_the_types_of_the_server(asking: Asking) -> None:
    outcome = read(asking.session.call("sp_datatype_info_100", (Parameter("@data_type", INT, 4),)))
    assert [row[:3] for row in outcome.rows] == [("int", 4, 10)]
    assert len(outcome.columns) == 20


@pytest.mark.parametrize(
    "text",
    [
        "SET TEXTSIZE 2147483647",
        "set quoted_identifier on set ansi_nulls, ansi_padding on set lock_timeout -1 set datefirst 7",
        "set transaction isolation level read committed set dateformat mdy set language us_english",
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; SET STATISTICS TIME OFF; SET CONTEXT_INFO 0x01",
        "select @@microsoftversion, @@language, @@max_precision, @@options",
        "DBCC TRACEON (3605, -1) WITH NO_INFOMSGS; CHECKPOINT",
        "EXEC sp_server_info; EXEC sp_databases; EXEC sp_helpdb 'master'; EXEC sp_who2 'active'",
    ],
)
def test_what_drivers_and_tools_send_by_themselves_is_taken(asking: Asking, text: str) -> None:
    asking.succeed(text)


def test_raiserror_below_an_error_informs(asking: Asking) -> None:
    (message,) = asking.succeed("RAISERROR(N'%d per cent of %s', 10, 7, 5, N'it') WITH NOWAIT").messages
    assert message == Message(50000, "5 per cent of it", 0, 7, 1)


def test_without_its_parser_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    parsing.grammar.cache_clear()
    try:
        with pytest.raises(parsing.LarkMissing, match=r"pip install vdi-conformance\[emulator\]"):
            Asking()
    finally:
        parsing.grammar.cache_clear()
