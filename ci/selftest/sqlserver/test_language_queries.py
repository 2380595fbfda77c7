"""Queries give what SQL Server gives: values with their types, groups, joins, orders, and what variables take."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from selftest.sqlserver.asking import Asking
from vdi_conformance.tds.answers import Column, Columns, DatabaseChanged, OutputValue, Parameter, SqlType

INT, TEXT = SqlType("int"), SqlType("nvarchar", 50)
TABLE = """CREATE TABLE #t (number int NOT NULL, word nvarchar(20) NULL);
INSERT #t VALUES (1, N'one'), (2, N'Two'), (3, NULL), (1, N'uno');
"""
VALUES = [
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("-7 / 2", -3),
    ("-7 % 4", -3),
    ("7 / 2.0", Decimal("3.500000")),
    ("1.10 * 2", Decimal("2.20")),
    ("0.1 + 0.2", Decimal("0.3")),
    ("5 & 3 | 8 ^ 1", 8),
    ("~5", -6),
    ("1e2", 100.0),
    ("0x0aF", b"\x00\xaf"),
    ("'a' + N'b'", "ab"),
    ("'it''s'", "it's"),
    ("1 + NULL", None),
    ("'5' + 3", 8),
    ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'bc' END", "bc"),
    ("CASE WHEN NULL = NULL THEN 1 ELSE 0 END", 0),
    ("IIF('a ' = 'A', 1, 0)", 1),
    ("IIF('abc' LIKE '[a-c]_%', 1, 0)", 1),
    ("IIF('a_c' LIKE 'a[_]c', 1, 0)", 1),
    ("IIF('abc' LIKE 'a[_]c', 1, 0)", 0),
    ("IIF('a%c' LIKE 'a!%c' ESCAPE '!', 1, 0)", 1),
    ("IIF('a' LIKE 'A' COLLATE Latin1_General_CS_AS, 1, 0)", 0),
    ("IIF(1 NOT IN (2, NULL), 1, 0)", 0),
    ("IIF(2 BETWEEN 1 AND 3 AND NOT 1 = 2 OR 1 = 0, 1, 0)", 1),
    ("COALESCE(NULL, NULL, 5)", 5),
    ("ISNULL(NULL, N'x')", "x"),
    ("NULLIF(1, 1)", None),
    ("LEN(N'abc  ')", 3),
    ("DATALENGTH(N'abc')", 6),
    ("UPPER(LEFT('abcdef', 3)) + RIGHT('abcdef', 2)", "ABCef"),
    ("SUBSTRING('abcdef', 2, 3)", "bcd"),
    ("REPLACE('aXbx', 'x', '-')", "a-b-"),
    ("STUFF('abcdef', 2, 3, 'Z')", "aZef"),
    ("CHARINDEX('C', 'abcabc', 4)", 6),
    ("PATINDEX('%c[a-z]%', 'abcabc')", 3),
    ("PATINDEX('%bc', 'abcabc')", 5),
    ("PATINDEX('%b%b%', 'abcabc')", 2),
    ("PATINDEX('%c%a%c%', 'abcabc')", 3),
    ("PATINDEX('%c%a%c%', 'abcab')", 0),
    ("PATINDEX('a%c', 'abcabc')", 1),
    ("PATINDEX('b%', 'abc')", 0),
    ("PATINDEX('%', 'abc')", 1),
    ("IIF('aXbXc' LIKE 'a%b%c', 1, 0)", 1),
    ("IIF('ab' LIKE 'ab%b', 1, 0)", 0),
    ("IIF('abab' LIKE '%ab', 1, 0)", 1),
    ("IIF('' LIKE '%', 1, 0)", 1),
    ("IIF(REPLICATE('a', 8000) LIKE '%a%a%a%a%a%a%b', 1, 0)", 0),
    ("PATINDEX('%a%a%a%b%', REPLICATE('a', 8000))", 0),
    ("STR(1.5, 2147483647, 1)", None),
    ("QUOTENAME('a]b')", "[a]]b]"),
    ("PARSENAME('a.[b].c', 2)", "b"),
    ("CONCAT('a', NULL, 1, 2.50)", "a12.50"),
    ("REPLICATE('ab', 3)", "ababab"),
    ("LEN(REPLICATE('ab', 10000))", 8000),
    ("CONVERT(char(8), HASHBYTES('MD5', 'a'), 2)", "0CC175B9"),
    ("CONVERT(varchar(10), 0x1F, 1)", "0x1F"),
    ("CONVERT(varbinary(2), '0x1F', 1)", b"\x1f"),
    ("CAST(N'ab' AS varbinary(4))", b"a\x00b\x00"),
    ("CAST(258 AS binary(4))", b"\x00\x00\x01\x02"),
    ("CAST(1.255 AS decimal(5, 2))", Decimal("1.26")),
    ("CAST('abc' AS char(5))", "abc  "),
    ("CAST(123456 AS varchar(3))", "*"),
    ("CAST('12345678-1234-1234-1234-123456789abc' AS uniqueidentifier)", UUID("12345678-1234-1234-1234-123456789abc")),
    ("CAST(5 AS bit)", True),
    ("TRY_CONVERT(int, 'x')", None),
    ("CAST('20240102 03:04:05.678' AS datetime)", datetime(2024, 1, 2, 3, 4, 5, 677000)),
    ("CAST('Jan 2 2024 3:04PM' AS datetime)", datetime(2024, 1, 2, 15, 4)),
    ("CONVERT(datetime, '02/01/2024', 103)", datetime(2024, 1, 2)),
    ("CONVERT(varchar(30), CAST('2024-01-02T13:04:05' AS datetime))", "Jan  2 2024  1:04PM"),
    ("CONVERT(varchar(30), CAST('2024-01-02T13:04:05' AS datetime), 126)", "2024-01-02T13:04:05.000"),
    ("DATEADD(MONTH, 1, '2024-01-31')", datetime(2024, 2, 29)),
    ("DATEDIFF(DAY, '2023-12-31 23:59', '2024-01-01')", 1),
    ("DATEDIFF(YEAR, '2023-12-31', '2024-01-01')", 1),
    ("DATEPART(dw, '2024-01-07')", 1),
    ("DATENAME(MONTH, '2024-01-07')", "January"),
    ("ROUND(2.55, 1)", Decimal("2.60")),
    ("CEILING(1.2) + FLOOR(-1.2)", Decimal("0")),
    ("POWER(2, 10)", 1024),
    ("@@SPID", 51),
    ("@@SERVERNAME", "EMULATED"),
    ("SERVERPROPERTY('productversion')", "16.0.4165.4"),
    ("SERVERPROPERTY('EngineEdition')", 3),
    ("SERVERPROPERTY('nothing')", None),
    ("DB_NAME() + N'/' + DB_NAME(4)", "master/msdb"),
    ("DB_ID('MSDB')", 4),
    ("DB_ID('nothing')", None),
    ("IS_SRVROLEMEMBER('sysadmin')", 1),
    ("IS_SRVROLEMEMBER('nothing')", None),
    ("SUSER_SNAME() + '/' + APP_NAME() + '/' + HOST_NAME()", "sa/selftest/here"),
    ("OBJECT_ID('tempdb..#nothing')", None),
    ("FORMATMESSAGE('%s has %05d: %x%%', 'a', 42, 255)", "a has 00042: ff%"),
    ("(SELECT MAX(database_id) FROM sys.databases)", 4),
]
QUERIES = [
    (
        "SELECT number, COUNT(*), MAX(word) FROM #t GROUP BY number ORDER BY 2 DESC, 1 DESC",
        [(1, 2, "uno"), (3, 1, None), (2, 1, "Two")],
    ),
    ("SELECT COUNT(word), COUNT(DISTINCT number), SUM(number), AVG(number), MIN(word) FROM #t", [(3, 3, 7, 1, "one")]),
    ("SELECT SUM(number), COUNT(*) FROM #t WHERE 1 = 0", [(None, 0)]),
    ("SELECT number FROM #t WHERE 1 = 0 GROUP BY number", []),
    ("SELECT number FROM #t GROUP BY number HAVING COUNT(*) > 1", [(1,)]),
    ("SELECT number % 2, COUNT(*) FROM #t GROUP BY number % 2 ORDER BY number % 2", [(0, 1), (1, 3)]),
    ("SELECT STRING_AGG(word, '+') FROM #t", [("one+Two+uno",)]),
    ("SELECT word FROM #t ORDER BY word", [(None,), ("one",), ("Two",), ("uno",)]),
    ("SELECT TOP 1 word AS w FROM #t ORDER BY w DESC", [("uno",)]),
    ("SELECT TOP (1) WITH TIES number FROM #t ORDER BY number", [(1,), (1,)]),
    ("SELECT TOP 50 PERCENT number FROM #t ORDER BY number DESC", [(3,), (2,)]),
    ("SELECT DISTINCT number FROM #t ORDER BY number DESC", [(3,), (2,), (1,)]),
    ("SELECT number FROM #t ORDER BY number OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY", [(1,), (2,)]),
    (
        "SELECT a.word, b.word FROM #t a JOIN #t b ON a.number = b.number + 1 ORDER BY 1, 2",
        [(None, "Two"), ("Two", "one"), ("Two", "uno")],
    ),
    (
        "SELECT a.number, b.word FROM #t a LEFT JOIN #t b ON a.number + 2 = b.number WHERE a.word LIKE 'o%'",
        [(1, None)],
    ),
    ("SELECT COUNT(*) FROM #t a RIGHT JOIN #t b ON a.number = 9", [(4,)]),
    ("SELECT COUNT(*) FROM #t a FULL OUTER JOIN #t b ON a.number = b.number + 1", [(6,)]),
    ("SELECT COUNT(*) FROM #t a, #t b CROSS JOIN #t c", [(64,)]),
    (
        "SELECT x.n FROM #t a CROSS APPLY (SELECT COUNT(*) n FROM #t b WHERE b.number > a.number) x WHERE word = 'two'",
        [(1,)],
    ),
    (
        "SELECT number FROM #t a WHERE EXISTS (SELECT * FROM #t b WHERE b.number = a.number + 1 AND b.word = 'two')",
        [(1,), (1,)],
    ),
    ("SELECT number FROM #t WHERE number IN (SELECT number FROM #t GROUP BY number HAVING COUNT(*) = 1)", [(2,), (3,)]),
    ("SELECT (SELECT COUNT(*) FROM #t b WHERE b.number < a.number) FROM #t a WHERE a.number = 3", [(3,)]),
    (
        "SELECT ROW_NUMBER() OVER (PARTITION BY number ORDER BY word DESC) AS r, word FROM #t WHERE number = 1",
        [(2, "one"), (1, "uno")],
    ),
    (
        "SELECT TOP (2) ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) FROM sys.all_columns a CROSS JOIN sys.all_columns b",
        [(1,), (2,)],
    ),
    (
        "SELECT RANK() OVER (ORDER BY number), DENSE_RANK() OVER (ORDER BY number) FROM #t WHERE number > 1",
        [(1, 1), (2, 2)],
    ),
    ("SELECT number, SUM(number) OVER (PARTITION BY number) FROM #t WHERE number < 2", [(1, 2), (1, 2)]),
    ("WITH q (n) AS (SELECT number FROM #t), r AS (SELECT MAX(n) AS m FROM q) SELECT m FROM r", [(3,)]),
    ("SELECT number FROM #t UNION SELECT 9 ORDER BY number DESC", [(9,), (3,), (2,), (1,)]),
    ("SELECT number FROM #t UNION ALL SELECT number FROM #t WHERE number = 3", [(1,), (2,), (3,), (1,), (3,)]),
    ("SELECT number FROM #t EXCEPT SELECT 1", [(2,), (3,)]),
    ("SELECT number FROM #t INTERSECT SELECT 1", [(1,)]),
    ("SELECT v.b FROM (VALUES (1, 'x'), (2, 'y')) AS v (a, b) WHERE v.a = 2", [("y",)]),
    ("SELECT d.n FROM (SELECT number AS n FROM #t) d WHERE d.n = 3", [(3,)]),
    ("SELECT STUFF((SELECT ',' + word FROM #t ORDER BY number FOR XML PATH('')), 1, 1, '')", [("one,uno,Two",)]),
    (
        "SELECT number, word + '<' AS w FROM #t WHERE number > 1 FOR XML PATH ('r'), TYPE",
        [("<r><number>2</number><w>Two&lt;</w></r><r><number>3</number></r>",)],
    ),
    ("SELECT number FROM #t WHERE 1 = 0 FOR XML PATH", [(None,)]),
    ("SELECT value FROM STRING_SPLIT('a,b', ',')", [("a",), ("b",)]),
    ("SELECT name FROM master.sys.databases WHERE database_id < 3 ORDER BY name", [("master",), ("tempdb",)]),
    ("SELECT [databases].name FROM sys.databases WHERE name = N'MSDB'", [("msdb",)]),
]


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.mark.parametrize(("expression", "value"), VALUES, ids=[expression for expression, _ in VALUES])
def test_an_expression_has_its_value(asking: Asking, expression: str, value: object) -> None:
    found = asking.succeed(f"SELECT {expression}").value
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("text", "rows"), QUERIES, ids=[text[:60] for text, _ in QUERIES])
def test_a_query_gives_its_rows(asking: Asking, text: str, rows: list[tuple[object, ...]]) -> None:
    outcome = asking.succeed(TABLE + text)
    assert outcome.rows == rows
    assert outcome.counts[-1] == len(rows)


def test_a_number_that_was_given_to_a_row_is_told(asking: Asking) -> None:
    asking.succeed("CREATE TABLE #i (id int IDENTITY(1, 1), word varchar(9)) INSERT #i VALUES ('a'), ('b')")
    assert asking.succeed("SELECT SCOPE_IDENTITY(), @@IDENTITY").rows == [(2, 2)]


def test_columns_have_names_and_types_before_there_are_rows(asking: Asking) -> None:
    asking.succeed(TABLE)
    text = """SELECT number, word AS w, 'x' = 1, NULL AS n, number + 0.5 AS d, COUNT(*) OVER () AS c, GETDATE() t,
        CONCAT(word, 'a') FROM #t WHERE 1 = 0"""
    (columns,) = (answer for answer in asking.succeed(text).answers if isinstance(answer, Columns))
    assert columns.columns == (
        Column("number", INT, nullable=False),
        Column("w", SqlType("nvarchar", 20)),
        Column("x", INT, nullable=False),
        Column("n", INT),
        Column("d", SqlType("numeric", 0, 12, 1)),
        Column("c", INT),
        Column("t", SqlType("datetime")),
        Column("", SqlType("nvarchar", 4000)),
    )


def test_variables_take_the_values_of_each_row(asking: Asking) -> None:
    asking.succeed(TABLE)
    text = """DECLARE @all nvarchar(max) = N'', @last int, @none int = 5;
SELECT @all += ISNULL(word, N'?') + N',', @last = number FROM #t ORDER BY number;
SELECT @none = number FROM #t WHERE 1 = 0;
SELECT @all, @last, @none, @@ROWCOUNT;"""
    assert asking.succeed(text).rows == [("one,uno,Two,?,", 3, 5, 0)]


def test_statements_decide_and_repeat(asking: Asking) -> None:
    text = """DECLARE @i int = 0;
WHILE 1 = 1
BEGIN
    SET @i += 1;
    IF @i = 2 CONTINUE;
    IF @i > 3 BREAK ELSE PRINT @i;
END
IF @i = 4 PRINT 'four'; ELSE PRINT 'other'"""
    assert asking.succeed(text).printed == ["1", "3", "four"]


def test_return_ends_the_batch_or_the_text_that_it_is_in(asking: Asking) -> None:
    text = "EXEC (N'PRINT N''a'' RETURN PRINT N''b'' ') PRINT 'c' WHILE 1 = 1 RETURN PRINT 'd' "
    assert asking.succeed(text).printed == ["a", "c"]


def test_rows_are_inserted_changed_and_deleted(asking: Asking) -> None:
    text = """CREATE TABLE #a (id int IDENTITY(1, 1) PRIMARY KEY, word varchar(9) NOT NULL DEFAULT 'none');
INSERT INTO #a (word) VALUES ('a'), (DEFAULT);
INSERT #a DEFAULT VALUES;
INSERT #a (word) SELECT word + 'x' FROM #a WHERE id < 3;
UPDATE #a SET word = UPPER(word), word += '!' WHERE id = 1;
DELETE FROM #a WHERE word = 'none';
UPDATE a SET word = b.w FROM #a AS a JOIN (VALUES (4, 'joined')) AS b (i, w) ON a.id = b.i;
SELECT id, word, @@IDENTITY FROM #a;"""
    outcome = asking.succeed(text)
    assert outcome.rows == [(1, "a!", 5), (4, "joined", 5), (5, "nonex", 5)]
    assert outcome.counts == [None, 2, 1, 2, 1, 2, 1, 3]


def test_a_table_of_a_database_keeps_what_is_stored(asking: Asking) -> None:
    asking.succeed("CREATE DATABASE d CREATE TABLE d.dbo.t (a int, b nvarchar(5)) INSERT d..t VALUES (1, N'x')")
    asking.session = asking.another()
    asking.succeed("USE d; INSERT t (b) VALUES ('y'); UPDATE dbo.t SET a = 2 WHERE b = 'y'; DELETE t WHERE a = 1")
    assert asking.succeed("SELECT * FROM d.dbo.t").rows == [(2, "y")]
    asking.succeed("TRUNCATE TABLE d.dbo.t")
    assert asking.succeed("SELECT COUNT(*) FROM d.dbo.t").value == 0


def test_what_exec_gives_is_inserted(asking: Asking) -> None:
    text = """DECLARE @t table (name sysname NULL, size numeric(20, 0));
INSERT @t EXEC ('RESTORE FILELISTONLY FROM VIRTUAL_DEVICE = ''x''');
SELECT name, size FROM @t;"""
    assert asking.succeed(text).rows == [("contents", None)]


def test_a_text_runs_with_parameters_and_gives_values_back(asking: Asking) -> None:
    text = """DECLARE @twice int, @sql nvarchar(100) = N'SET @o = @i * 2; SELECT @i';
EXEC sp_executesql @sql, N'@i int, @o int OUTPUT', @i = 4, @o = @twice OUTPUT;
SELECT @twice;"""
    assert asking.succeed(text).results == [[(4,)], [(8,)]]


def test_a_text_has_variables_of_its_own_and_leaves_the_database_as_it_was(asking: Asking) -> None:
    assert asking.run("DECLARE @a int = 1 EXEC ('SELECT @a')").errors == [(137, 1)]
    outcome = asking.succeed("EXEC ('USE msdb; SELECT DB_NAME()') SELECT DB_NAME()")
    assert outcome.results == [[("msdb",)], [("master",)]]
    changes = [answer for answer in outcome.answers if isinstance(answer, DatabaseChanged)]
    assert changes == [DatabaseChanged("msdb", "master"), DatabaseChanged("master", "msdb")]


def test_a_cursor_goes_through_its_rows(asking: Asking) -> None:
    text = """DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT name FROM sys.databases WHERE database_id > 2;
DECLARE @name sysname;
OPEN c;
FETCH NEXT FROM c INTO @name;
WHILE @@FETCH_STATUS = 0
BEGIN
    PRINT @name;
    FETCH NEXT FROM c INTO @name;
END
CLOSE c;
DEALLOCATE c;"""
    assert asking.succeed(text).printed == ["model", "msdb"]


def test_parameters_of_a_batch_are_variables_and_come_back(asking: Asking) -> None:
    parameters = (Parameter("@a", INT, 4), Parameter("@b", TEXT, None, is_output=True))
    outcome = asking.run("SET @b = CONCAT(@a, 'x'); SELECT @a", parameters)
    assert outcome.rows == [(4,)]
    assert outcome.answers[-1] == OutputValue("@b", TEXT, "4x")


def test_a_procedure_is_called_without_exec_at_the_beginning_alone(asking: Asking) -> None:
    assert asking.succeed("sp_who 51").rows[0][0] == 51
    assert asking.run("SELECT 1\nsp_who 51").errors == [(102, 2)]


def test_words_that_are_no_keywords_are_names(asking: Asking) -> None:
    text = """DECLARE @t table (log int, [order] int, output int, time int, first int, row int, "key" int, modify int);
INSERT @t VALUES (1, 2, 3, 4, 5, 6, 7, 8);
SELECT log, [order], output AS offset, time, first row, row AS first, "key", modify partition FROM @t ORDER BY time"""
    outcome = asking.succeed(text)
    assert outcome.rows == [(1, 2, 3, 4, 5, 6, 7, 8)]
    assert outcome.columns == ["log", "order", "offset", "time", "row", "first", "key", "partition"]


def test_options_that_change_what_a_query_gives(asking: Asking) -> None:
    assert asking.succeed("SET NOCOUNT ON SELECT 1").counts == [None, None]
    assert asking.succeed("SET NOCOUNT OFF SET ROWCOUNT 2 SELECT name FROM sys.databases SET ROWCOUNT 0").counts[2] == 2
    only_columns = asking.succeed("SET FMTONLY ON SELECT name FROM sys.databases SET FMTONLY OFF")
    assert (only_columns.columns, only_columns.rows) == (["name"], [])
    assert asking.succeed("SET QUOTED_IDENTIFIER OFF").counts == [None]
    assert asking.succeed('SELECT "a"').value == "a"
