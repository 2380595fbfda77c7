"""Errors have SQL Server's numbers, severities and lines, and a mistake that can be seen beforehand runs nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftest.sqlserver.asking import Asking
from vdi_conformance.tds.answers import StatementEnd

if TYPE_CHECKING:
    from collections.abc import Sequence

BEFOREHAND = [
    ("SELECT\n1 +", [(102, 2)]),
    ("SELECT 1 FROM\nFROM t", [(156, 2)]),
    ("SELECT (1", [(102, 1)]),
    ("SELECT 1 > 2", [(102, 1)]),
    ("PRINT 'x'\nIF 1 PRINT 'y'", [(4145, 2)]),
    ("PRINT 'x'\nSELECT 'abc", [(105, 2), (102, 2)]),
    ("PRINT 'x' /* no end /* here */", [(113, 1)]),
    ("PRINT 'x'\nPRINT @nothing", [(137, 2)]),
    ("PRINT 'x' SET @nothing = 1", [(137, 1)]),
    ("DECLARE @a int\nDECLARE @A int", [(134, 2)]),
    ("PRINT 'x'\nSELECT nothing(1)", [(195, 2)]),
    ("PRINT 'x' SELECT LEN()", [(174, 1)]),
    ("PRINT 'x' SELECT CHARINDEX('a')", [(189, 1)]),
    ("PRINT 'x'\nBREAK", [(135, 2)]),
    ("PRINT 'x' CONTINUE", [(136, 1)]),
    ("PRINT 'x' RETURN 5", [(178, 1)]),
    ("DECLARE @a nothing", [(243, 1)]),
    ("SELECT 1 AS", [(156, 1)]),
    ("PRINT 'x'\nBACKUP DATABASE a TO VIRTUAL_DEVICE = 'b'\nWITH FORMAT,\nNOTHING", [(155, 4)]),
    ("PRINT 'x' BACKUP DATABASE a TO VIRTUAL_DEVICE = 'b' WITH MOVE 'c' TO 'd'", [(155, 1)]),
    ("RESTORE DATABASE a FROM VIRTUAL_DEVICE = 'b' WITH COPY_ONLY", [(155, 1)]),
    ("PRINT 'x' BACKUP LOG a TO VIRTUAL_DEVICE = 'b' WITH TRUNCATE_ONLY", [(155, 1)]),
    ("BACKUP DATABASE a TO NOTHING = 'b'", [(102, 1)]),
    ("BACKUP DATABASE a\nFROM DISK = 'b'", [(156, 2)]),
    ("BACKUP NOTHING a TO DISK = 'b'", [(102, 1)]),
    ("BACKUP DATABASE TO DISK = 'b'", [(156, 1)]),
    ("BACKUP DATABASE a TO VIRTUAL_DEVICE = 5", [(102, 1)]),
    ("BACKUP DATABASE a TO VIRTUAL_DEVICE = 'b',", [(102, 1)]),
    ("BACKUP DATABASE a TO VIRTUAL_DEVICE = @b", [(137, 1)]),
    ("RESTORE FILELISTONLY", [(102, 1)]),
    ("BEGIN PRINT 'x'", [(102, 1)]),
    ("SET NOTHING ON", [(195, 1)]),
    ("SELECT 1\nGO\nSELECT 2 FROM", [(156, 3)]),
    ("PRINT 'x'\nKILL 1e999", [(168, 2)]),
    ("PRINT 'x' SELECT " + "9" * 39, [(1007, 1)]),
    ("PRINT 'x' SELECT " + "9" * 5000, [(1007, 1)]),
    ("PRINT 'x' SELECT 0." + "9" * 39, [(1007, 1)]),
    ("DECLARE @a varchar(\u00b2)", [(102, 1)]),
]
RUNNING = [
    ("PRINT 'x'\nSELECT 1 FROM nothing", [(208, 2)]),
    ("SELECT 1 FROM nowhere.dbo.nothing", [(208, 1)]),
    ("SELECT 1 FROM #nothing", [(208, 1)]),
    ("SELECT 1 FROM @nothing", [(1087, 1)]),
    ("SELECT nothing FROM sys.databases", [(207, 1)]),
    ("SELECT nothing.name FROM sys.databases", [(4104, 1)]),
    ("SELECT name FROM sys.databases a, sys.databases b", [(209, 1)]),
    ("SELECT name, COUNT(*) FROM sys.databases", [(8120, 1)]),
    ("SELECT nothing.* FROM sys.databases", [(107, 1)]),
    ("SELECT *", [(263, 1)]),
    ("USE nothing", [(911, 1)]),
    ("EXEC nothing", [(2812, 1)]),
    ("EXEC sp_getapplock", [(201, 1)]),
    ("EXEC sp_who 1, 2", [(8144, 1)]),
    ("EXEC sp_who @nothing = 1", [(8145, 1)]),
    ("EXEC sp_getapplock 'a', 'Exclusive', 'Transaction'", [(15600, 1)]),
    ("EXEC sp_releaseapplock 'a', 'Session'", [(1223, 1)]),
    ("EXEC xp_cmdshell 'a'", [(15281, 1)]),
    ("SELECT CAST('a' AS int)", [(245, 1)]),
    ("SELECT CAST('99999999999' AS int)", [(248, 1)]),
    ("SELECT CAST('a' AS datetime)", [(241, 1)]),
    ("SELECT CAST('2024-02-30' AS datetime)", [(242, 1)]),
    ("SELECT CAST('a' AS uniqueidentifier)", [(8169, 1)]),
    ("SELECT CAST('a' AS numeric(3, 1))", [(8114, 1)]),
    ("SELECT CAST(1000 AS numeric(3, 1))", [(8115, 1)]),
    ("SELECT 2147483647 + 1", [(8115, 1)]),
    ("SELECT 1 / 0", [(8134, 1)]),
    ("SELECT INTEGER", [(207, 1)]),
    ("SELECT 1 + DECIMAL", [(207, 1)]),
    ("SELECT EXP(1000)", [(8115, 1)]),
    ("SELECT 1e308 * 10", [(8115, 1)]),
    ("SELECT CAST('nan' AS float)", [(8114, 1)]),
    ("SELECT CAST('1e999' AS float)", [(8114, 1)]),
    ("SELECT CAST('1_0' AS float)", [(8114, 1)]),
    ("SELECT REPLICATE(CAST('x' AS varchar(max)), 2147483647)", [(7119, 1)]),
    ("RAISERROR('own %*s', 16, 1, '\u00b2', 'x')", [(2787, 1)]),
    ("SELECT 'a' - 'b'", [(8117, 1)]),
    ("SELECT CASE WHEN 1 = (SELECT 1 UNION SELECT 2) THEN 1 END", [(512, 1)]),
    ("SELECT 1 WHERE 1 IN (SELECT 1, 2)", [(116, 1)]),
    ("SELECT 1 UNION SELECT 1, 2", [(205, 1)]),
    ("SELECT TOP (-1) 1", [(127, 1)]),
    ("COMMIT", [(3902, 1)]),
    ("ROLLBACK", [(3903, 1)]),
    ("BEGIN TRAN BACKUP DATABASE master TO DISK = 'a'", [(3021, 1), (3013, 1)]),
    ("SET IMPLICIT_TRANSACTIONS ON RESTORE DATABASE a FROM DISK = 'a'", [(3021, 1), (3013, 1)]),
    ("CREATE DATABASE MASTER", [(1801, 1)]),
    ("DROP DATABASE nothing", [(3701, 1)]),
    ("KILL 51", [(6104, 1)]),
    ("KILL 5000", [(6106, 1)]),
    ("WAITFOR DELAY 'soon'", [(148, 1)]),
    ("THROW 50001, N'own', 2", [(50001, 1)]),
    ("THROW 40000, N'own', 2", [(35100, 1)]),
    ("THROW", [(10704, 1)]),
    ("RAISERROR('own %s', 16, 1, 'x')", [(50000, 1)]),
    ("RAISERROR('own %d', 16, 1, 'x')", [(2786, 1)]),
    ("RAISERROR('own', 19, 1)", [(2754, 1)]),
    ("CREATE TABLE #a (b int, B int)", [(2705, 1)]),
    ("CREATE TABLE #a (b int) CREATE TABLE #A (b int)", [(2714, 1)]),
    ("DROP TABLE #nothing", [(3701, 1)]),
    ("CREATE TABLE #a (b varchar(2)) INSERT #a VALUES ('abc')", [(2628, 1)]),
    ("CREATE TABLE #a (b int NOT NULL) INSERT #a VALUES (NULL)", [(515, 1)]),
    ("CREATE TABLE #a (b int PRIMARY KEY) INSERT #a VALUES (1), (1)", [(2627, 1)]),
    ("CREATE TABLE #a (b int) INSERT #a VALUES (1, 2)", [(213, 1)]),
    ("CREATE TABLE #a (b int) INSERT #a (b) VALUES (1, 2)", [(110, 1)]),
    ("CREATE TABLE #a (b int, c int) INSERT #a (b, c) SELECT 1", [(120, 1)]),
    ("CREATE TABLE #a (b int) INSERT #a (c) VALUES (1)", [(207, 1)]),
    ("CREATE TABLE #a (b int IDENTITY) INSERT #a (b) VALUES (1)", [(544, 1)]),
    ("OPEN nothing", [(16916, 1)]),
    ("DECLARE a CURSOR FOR SELECT 1 FETCH a", [(16917, 1)]),
    ("DECLARE @a int SELECT @a = 1, 2", [(141, 1)]),
]
ON = "PRINT 'on'"


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.mark.parametrize(("text", "errors"), BEFOREHAND, ids=[text[:40] for text, _ in BEFOREHAND])
def test_a_mistake_that_can_be_seen_beforehand_runs_nothing(
    asking: Asking, text: str, errors: list[tuple[int, int]]
) -> None:
    outcome = asking.run(f"{text}")
    assert outcome.errors == errors
    assert not outcome.printed
    assert outcome.answers[-1] == StatementEnd(None, failed=True)
    assert {message.severity for message in outcome.messages} <= {15, 16}
    assert asking.succeed("SELECT 1").value == 1


@pytest.mark.parametrize(("text", "errors"), RUNNING, ids=[text[:40] for text, _ in RUNNING])
def test_a_statement_that_fails_says_why(asking: Asking, text: str, errors: list[tuple[int, int]]) -> None:
    assert asking.run(text).errors == errors


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("SELECT 1 / 0", True),
        ("RAISERROR('own', 16, 1)", True),
        ("EXEC nothing", True),
        ("BACKUP DATABASE nothing TO DISK = 'a'", True),
        ("EXEC ('SELECT FROM')", True),
        ("SELECT CAST('a' AS int)", False),
        ("SELECT 1 FROM nothing", False),
        ("THROW 50001, N'own', 1", False),
        ("USE nothing", False),
    ],
)
def test_some_errors_end_the_batch(asking: Asking, text: str, goes_on: bool) -> None:
    assert asking.run(f"{text};\n{ON}").printed == ["on"] * goes_on


def test_the_number_of_the_last_error_is_kept_until_the_next_statement(asking: Asking) -> None:
    asking.run("SELECT 1 / 0")
    assert asking.run("SELECT @@ERROR SELECT @@ERROR").results == [[(8134,)], [(0,)]]


def test_an_error_within_try_goes_to_catch_alone(asking: Asking) -> None:
    text = """BEGIN TRY
    SELECT 1 / 0;
    PRINT 'not reached';
END TRY
BEGIN CATCH
    SELECT ERROR_NUMBER(), ERROR_LINE(), ERROR_SEVERITY(), ERROR_MESSAGE();
END CATCH
SELECT ERROR_NUMBER()"""
    outcome = asking.run(text)
    assert not outcome.errors
    (_, caught, after) = outcome.results
    assert caught == [(8134, 2, 16, "Divide by zero error encountered.")]
    assert after == [(None,)]
    assert not outcome.printed


def test_of_the_errors_of_a_backup_the_last_is_caught_and_thrown_again(asking: Asking) -> None:
    text = "BEGIN TRY BEGIN TRAN BACKUP DATABASE master TO DISK = 'a' END TRY BEGIN CATCH ROLLBACK; THROW END CATCH"
    assert asking.run(text).errors == [(3013, 1)]


def test_xact_abort_rolls_back(asking: Asking) -> None:
    asking.succeed("CREATE TABLE #a (b int)")
    asking.run("SET XACT_ABORT ON BEGIN TRAN INSERT #a VALUES (1) SELECT 1 / 0 PRINT 1")
    assert asking.succeed("SELECT COUNT(*), @@TRANCOUNT FROM #a").rows == [(0, 0)]


WORDS = re.findall(
    r"\S+",
    """SELECT FROM WHERE 1 'a' N'b' @a @@SPID ( ) , ; . = + - * / < > a [b] "c" AS AND OR NOT NULL IS IN LIKE
    BETWEEN CASE WHEN THEN ELSE END IF WHILE BEGIN BREAK TRY CATCH PRINT DECLARE int SET EXEC sp_who
    sys.databases name TOP ORDER BY GROUP COUNT(*) BACKUP DATABASE TO VIRTUAL_DEVICE WITH FORMAT RESTORE MOVE
    LOG INSERT INTO VALUES UPDATE DELETE JOIN ON LEFT EXISTS UNION ALL CAST CONVERT ROW_NUMBER() OVER 0x 1e 1. $
    /* */ -- ' " [ ] \\ ~ % ^ & | :""",
)


@given(st.lists(st.sampled_from(WORDS), max_size=14))
@settings(max_examples=150)
def test_whatever_the_words_each_batch_ends_in_answers(words: Sequence[str]) -> None:
    outcome = SOUP.run(" ".join(words))
    assert all(message.text and message.line >= 1 for message in outcome.messages)
    assert SOUP.succeed("SELECT 1").value == 1


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_whatever_the_text_each_batch_ends_in_answers(text: str) -> None:
    assert all(message.line >= 1 for message in SOUP.run(text).messages)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 5000,
        "SELECT " + "1+" * 5000 + "1",
        "SELECT " + "~" * 3 + "(" * 4000 + "1" + ")" * 4000,
        "BEGIN " * 3000 + "PRINT 'a'" + " END" * 3000,
        "IF 1=1 " * 3000 + "PRINT 'a'",
    ],
)
def test_a_batch_that_is_nested_without_end_has_an_answer(asking: Asking, text: str) -> None:
    outcome = asking.run(text)
    assert {number for number, _ in outcome.errors} <= {102, 191}
    assert asking.succeed("SELECT 1").value == 1


SOUP = Asking()
