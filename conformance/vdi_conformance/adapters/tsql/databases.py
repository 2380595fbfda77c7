"""T-SQL around a statement: databases are made, filled, readied for their log's way back, and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vdi_conformance.adapters.tsql.quoting import bracketed, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vdi_conformance.contract import Database

PREFIX: Final = "vdi_conformance_"
LOG_PREFIX: Final = f"{PREFIX}log_"
DIGITS: Final = 16
"""So many hexadecimal digits follow a prefix in the name of a disposable database."""
FILES: Final = (f"{PREFIX}data", f"{PREFIX}log")
"""The logical names of the files of a disposable database."""
_PAGE: Final = 8192
_MODEL: Final = f"N'{PREFIX}model'"
_BEGIN: Final = "USE [master];\nSET NOCOUNT ON;"
_DATA_PATH: Final = "CONVERT(nvarchar(4000), SERVERPROPERTY(N'InstanceDefaultDataPath'))"


class Batch(NamedTuple):
    """One batch of T-SQL, and what it is for."""

    purpose: str
    text: str


class Moves(NamedTuple):
    """Where the files of a restored database go: what declares the variables, and which file goes to which."""

    declarations: str
    pairs: tuple[tuple[str, str], ...]


def session(instance: str | None) -> Batch:
    """Begin: the login and the instance must fit, and the time is kept for the error log."""
    text = f"""{_BEGIN}
IF ISNULL(IS_SRVROLEMEMBER(N'sysadmin'), 0) <> 1
    THROW 50000, N'BACKUP and RESTORE over virtual devices need a login with the role sysadmin.', 1;
IF ISNULL(CONVERT(nvarchar(128), SERVERPROPERTY(N'InstanceName')), N'')
    <> {literal(instance or "")} COLLATE Latin1_General_CI_AS
    THROW 50000, N'The connection leads to another instance than that of the virtual device set.', 1;
SELECT GETDATE() AS began INTO #vdi_conformance;"""
    return Batch("look at the login and the instance", text)


def version() -> Batch:
    """Ask which server it is, such as 16.0.4165.4 Developer Edition (64-bit)."""
    text = """SELECT CONCAT(CONVERT(nvarchar(128), SERVERPROPERTY(N'ProductVersion')), N' ',
    CONVERT(nvarchar(128), SERVERPROPERTY(N'Edition')));"""
    return Batch("ask for the version of the server", text)


def second_session() -> Batch:
    """Begin to clean up, in a session that nothing has happened to."""
    return Batch("go on in a new session", _BEGIN)


def own(name: str) -> Batch:
    """Mark a disposable database as used, for as long as this session lives."""
    text = f"EXEC sp_getapplock {literal(name)}, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0;"
    return Batch("mark the name of the disposable database as used", text)


def create(name: str, recovery: Literal["SIMPLE", "FULL"]) -> Batch:
    """Make an empty database whose files have known logical names.

    Each copies the database model, of which a server makes one copy at a time: who comes second gets an error there.
    """
    database, (data, log) = bracketed(name), map(literal, FILES)
    text = f"""DECLARE @locked int;
EXEC @locked = sp_getapplock {_MODEL}, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 20000;
IF @locked < 0
    THROW 50000, N'Other sessions have been making databases for too long.', 1;
CREATE DATABASE {database};
EXEC sp_releaseapplock {_MODEL}, @LockOwner = N'Session';
ALTER DATABASE {database}
    MODIFY FILE (NAME = {literal(name)}, NEWNAME = {data});
ALTER DATABASE {database}
    MODIFY FILE (NAME = {literal(f"{name}_log")}, NEWNAME = {log});
ALTER DATABASE {database} SET RECOVERY {recovery};"""
    return Batch("make a disposable database", text)


def fill(name: str, contents: Database) -> Batch:
    """Store contents that follow from the seed: a row of its own fills each page."""
    rows = max(1, -(-contents.size // _PAGE))
    table = f"{bracketed(name)}.dbo.contents"
    text = f"""CREATE TABLE {table} (number int NOT NULL PRIMARY KEY, content char(7936) NOT NULL);
INSERT INTO {table} (number, content)
SELECT number, REPLICATE(CONVERT(char(128), HASHBYTES('SHA2_512', CONCAT('{contents.seed:d}/', number)), 2), 62)
FROM (
    SELECT TOP ({rows:d}) ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS number
    FROM sys.all_columns AS a CROSS JOIN sys.all_columns AS b
) AS numbers;"""
    return Batch("fill it", text)


def moves(name: str, files: Iterable[str]) -> Moves:
    """Put files of these logical names where the server keeps its data, under names of the new database."""
    variables = [(logical, f"@file{number}") for number, logical in enumerate(files, 1)]
    declarations = "\n".join(
        f"DECLARE {variable} nvarchar(4000) = {_DATA_PATH} + {literal(f'{name}_{variable[1:]}')};"
        for _, variable in variables
    )
    return Moves(declarations, tuple(variables))


def start_log(name: str, restored: str) -> Batch:
    """Begin the chain of log backups, and ready a second database that the log can be restored to."""
    declarations, pairs = moves(restored, FILES)
    moving = "".join(f",\n    MOVE {literal(logical)} TO {variable}" for logical, variable in pairs)
    text = f"""{_base(name)}
{declarations}
BACKUP DATABASE {bracketed(name)} TO DISK = @base WITH FORMAT, NO_COMPRESSION;
RESTORE DATABASE {bracketed(restored)} FROM DISK = @base WITH NORECOVERY, REPLACE{moving};"""
    return Batch("begin its log, and make the database that a RESTORE LOG will go on with", text)


def forget_base(name: str) -> Batch:
    """Delete the file with which the chain of log backups began."""
    return Batch("delete the file between the two", f"{_base(name)}\nEXEC master.sys.xp_delete_file 0, @base;")


def _base(name: str) -> str:
    return f"DECLARE @base nvarchar(4000) = {_DATA_PATH} + {literal(f'{name}.bak')};"


def require(name: str, sentence: str) -> Batch:
    """Refuse to go on, with that sentence, where there is no database of that name."""
    text = f"IF DB_ID({literal(name)}) IS NULL\n    THROW 50000, {literal(sentence)}, 1;"
    return Batch("look whether the database is there", text)


def drop(name: str) -> Batch:
    """Drop a disposable database, and what the server noted of its backups."""
    database, quoted = bracketed(name), literal(name)
    text = f"""EXEC msdb.dbo.sp_delete_database_backuphistory @database_name = {quoted};
IF DATABASEPROPERTYEX({quoted}, N'Status') = N'ONLINE'
    ALTER DATABASE {database} SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
IF DB_ID({quoted}) IS NOT NULL
    DROP DATABASE {database};"""
    return Batch("drop the disposable database", text)


def sweep() -> Batch:
    """Drop disposable databases of sessions that are gone; those that await a RESTORE LOG have a day."""
    text = f"""DECLARE @drop nvarchar(max) = N'';
SELECT @drop += N'DROP DATABASE ' + QUOTENAME(name) + N';'
FROM sys.databases
WHERE name LIKE {_pattern(PREFIX)}
    AND APPLOCK_TEST(N'public', name, N'Exclusive', N'Session') = 1
    OR name LIKE {_pattern(LOG_PREFIX)}
    AND create_date < DATEADD(DAY, -1, GETDATE());
EXEC (@drop);"""
    return Batch("drop what interrupted runs left behind", text)


def _pattern(prefix: str) -> str:
    return f"{literal(prefix.replace('_', '[_]'))} + REPLICATE(N'[0-9a-f]', {DIGITS})"


def error_log() -> Batch:
    """Read what the error log got since the session began."""
    text = """DECLARE @began datetime = (SELECT began FROM #vdi_conformance);
EXEC master.sys.xp_readerrorlog 0, 1, NULL, NULL, @began, NULL, N'asc';"""
    return Batch("read the error log", text)


def files_of(name: str) -> Batch:
    """Ask for the logical names of the files of a database."""
    text = f"SELECT name FROM sys.master_files WHERE database_id = DB_ID({literal(name)}) ORDER BY file_id;"
    return Batch("ask which files it has", text)


def written_out(batches: Iterable[Batch]) -> Iterator[str]:
    """Give batches as a script for a query tool."""
    for batch in batches:
        yield f"-- {batch.purpose}\n{batch.text}\nGO"
