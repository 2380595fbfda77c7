"""T-SQL: batches of any words, on a session of an instance in memory."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fuzzing.mutation import wordwise
from fuzzing.target import Broken, Target
from fuzzing.targets.cancelling import Canceller
from selftest.sqlserver.asking import Asking
from selftest.sqlserver.test_language_backups import STATEMENTS, VARIABLES
from selftest.sqlserver.test_language_errors import BEFOREHAND, RUNNING
from selftest.sqlserver.test_language_queries import QUERIES, TABLE, VALUES
from vdi_conformance.sqlserver.language.functions.registry import functions
from vdi_conformance.sqlserver.language.parsing import grammar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fuzzing.target import Read

_FURTHER: Final = (
    "DECLARE @a nvarchar(max) = N'x', @b int = 1 WHILE @b < 9 BEGIN SET @a = @a + @a SET @b += 1 END SELECT LEN(@a)",
    "SELECT CONVERT(varchar(30), GETDATE(), 121), CAST('2024-02-29T12:00:00' AS datetime), DATEADD(dd, 1, 0)",
    "SELECT TOP (3) name, ROW_NUMBER() OVER (ORDER BY name) FROM sys.databases WHERE name LIKE '%a[^b]_%' ESCAPE '!'",
    "SELECT COUNT(*), MAX(name) FROM sys.databases GROUP BY state_desc HAVING COUNT(*) > 0 ORDER BY 1 DESC",
    "CREATE TABLE #a (b int IDENTITY PRIMARY KEY, c nvarchar(9) NULL) INSERT #a (c) VALUES ('x') SELECT * FROM #a",
    "BEGIN TRY BEGIN TRAN SELECT 1 / 0 COMMIT END TRY BEGIN CATCH ROLLBACK; SELECT ERROR_MESSAGE() END CATCH",
    "DECLARE c CURSOR FOR SELECT name FROM sys.databases OPEN c FETCH NEXT FROM c CLOSE c DEALLOCATE c",
    "BACKUP DATABASE master TO VIRTUAL_DEVICE = 'a', VIRTUAL_DEVICE = 'b' WITH BLOCKSIZE = 4096, STATS = 10, FORMAT",
    "RESTORE DATABASE pubs FROM DISK = N'x' WITH MOVE 'a' TO 'b', REPLACE, NORECOVERY, STOPAT = '2024-01-01'",
    "EXEC sp_executesql N'SELECT @x', N'@x int', @x = 5; EXEC ('PRINT 1'); RAISERROR('%d %s', 16, 1, 5, 'x')",
    "SELECT REPLICATE('ab', 3), SUBSTRING('abc', 2, 1), PATINDEX('%b%', 'abc'), STUFF('abc', 1, 1, 'x'), NCHAR(55296)",
    "SELECT POWER(2.0, 8), ROUND(12.345, 2), EXP(1), SQRT(2), CAST(1.5 AS numeric(38, 10)) * 3, 0x1F, 1e3, $5",
)
_WORDS: Final = (
    *(
        "@a",
        "@b",
        "@@ERROR",
        "#a",
        "(",
        ")",
        ",",
        ";",
        "=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "<",
        "<>",
        "&",
        "~",
        ".",
        "..",
        "::",
    ),
    *(
        "0",
        "1",
        "-1",
        "2147483647",
        "2147483648",
        "9223372036854775808",
        "9" * 60,
        "1e308",
        "1e999",
        "0x",
        "$1",
        "1.",
        ".5",
    ),
    *("''", "'x'", "N'\ud83d'", "'%'", "'%a%a%a%a%a%a%b'", "'[^'", "'2024-02-30'", "'0001-01-01'", "NULL", "'1e400'"),
    *("[a]", '"a"', "[", "'", '"', "/*", "*/", "--", "\n", "\0", "\u202e", "x" * 200, "(" * 40, "1+" * 40 + "1", "max"),
    *("varchar(max)", "numeric(38, 38)", "float", "datetime", "uniqueidentifier", "varbinary(8000)", "sysname", "xml"),
)
_TOKEN: Final = re.compile(r"N?'(?:[^']|'')*'|\[[^\]]*\]|@*#*\w+|\s+|.", re.DOTALL)


def _batches() -> Sequence[bytes]:
    values = (f"SELECT {text}" for text, _ in VALUES)
    queries = (f"{TABLE}{text}" for text, _ in QUERIES)
    statements = (f"{VARIABLES}{text}" for text, _ in STATEMENTS)
    errors = (text for text, _ in (*BEFOREHAND, *RUNNING))
    texts = (*_FURTHER, *values, *queries, *statements, *errors)
    return [text.encode() for text in texts]


def _words_of(text: str) -> Sequence[str]:
    return [word for word in _TOKEN.findall(text) if word.strip() or word == "\n"]


def _known_words() -> Sequence[str]:
    return [*_WORDS, *sorted(grammar().terminals), *sorted(functions())]


def _text_of(data: bytes) -> str:
    """Read a batch, which may have halves of characters as texts of T-SQL may."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


@contextmanager
def _session(_: Path) -> Iterator[Read]:
    canceller = Canceller()

    def read(data: bytes) -> bool:
        asking = Asking()
        with canceller.ending(asking.session.cancel):
            outcome = asking.run(_text_of(data))
        if not all(message.text and message.line >= 0 for message in outcome.messages):
            raise Broken("a message says nothing, or not where")
        return not outcome.errors

    try:
        yield read
    finally:
        canceller.close()


TARGETS: Final = (Target("t-sql", "batches of T-SQL", _batches, wordwise(_known_words(), _words_of), _session),)
