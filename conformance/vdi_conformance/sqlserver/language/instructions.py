"""Statements as values, as the parser gives them; `line` is where each begins, from 1 within its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.language.tree import Expression, Name, Query, Source, Variable
    from vdi_conformance.sqlserver.seam import Change, FileSpec, TableDefinition
    from vdi_conformance.sqlserver.statements import BackupSubject, DeviceKind, RestoreSubject
    from vdi_conformance.tds.answers import SqlType


class Instruction(Protocol):
    """A statement, of one of the kinds below; `line` counts from 1 within the batch."""

    @property
    def line(self) -> int:
        """Where it begins."""
        ...


class Use(NamedTuple):
    """USE."""

    line: int
    database: str


class Assign(NamedTuple):
    """SET @variable; the operator is = or one like +=."""

    line: int
    variable: str
    operator: str
    expression: Expression


class SetOptions(NamedTuple):
    """SET of options of the session, whose names are in capitals; the value is what was written."""

    line: int
    names: tuple[str, ...]
    value: str
    table: Name | None = None


class Declaration(NamedTuple):
    """One variable of DECLARE, with the value that it begins with; a table variable has columns."""

    name: str
    type: SqlType
    value: Expression | None = None
    table: TableColumns | None = None


class Declare(NamedTuple):
    """DECLARE of variables."""

    line: int
    declarations: tuple[Declaration, ...]


class DeclareCursor(NamedTuple):
    """DECLARE of a cursor."""

    line: int
    name: str
    query: Query


class CursorAction(NamedTuple):
    """OPEN, FETCH, CLOSE or DEALLOCATE of a cursor; FETCH may have variables."""

    line: int
    action: Literal["OPEN", "FETCH", "CLOSE", "DEALLOCATE"]
    name: str
    variables: tuple[str, ...] = ()


class If(NamedTuple):
    """IF with one statement for each outcome."""

    line: int
    condition: Expression
    then: Instruction
    otherwise: Instruction | None


class While(NamedTuple):
    """WHILE with its statement."""

    line: int
    condition: Expression
    body: Instruction


class Block(NamedTuple):
    """BEGIN and END with statements between."""

    line: int
    statements: tuple[Instruction, ...]


class Try(NamedTuple):
    """BEGIN TRY and BEGIN CATCH."""

    line: int
    tried: tuple[Instruction, ...]
    caught: tuple[Instruction, ...]


class Leave(NamedTuple):
    """BREAK, CONTINUE or RETURN."""

    line: int
    how: Literal["BREAK", "CONTINUE", "RETURN"]
    value: Expression | None = None


class Print(NamedTuple):
    """PRINT."""

    line: int
    expression: Expression


class RaiseError(NamedTuple):
    """RAISERROR with its arguments and options."""

    line: int
    arguments: tuple[Expression, ...]
    options: tuple[str, ...]


class Throw(NamedTuple):
    """THROW, with a number, a text and a state, or none to raise again what was caught."""

    line: int
    arguments: tuple[Expression, ...]


class WaitFor(NamedTuple):
    """WAITFOR DELAY or TIME."""

    line: int
    kind: Literal["DELAY", "TIME"]
    value: Expression


class Kill(NamedTuple):
    """KILL."""

    line: int
    session: Expression


class Transaction(NamedTuple):
    """BEGIN, COMMIT, ROLLBACK or SAVE TRANSACTION; the name is as written."""

    line: int
    action: Literal["BEGIN", "COMMIT", "ROLLBACK", "SAVE"]
    name: str = ""


class Argument(NamedTuple):
    """An argument of EXEC; the name is empty where it goes by its place."""

    name: str
    value: Expression
    is_output: bool = False


class Execute(NamedTuple):
    """EXEC of a procedure, whose name may be in a variable; `result` is the variable that takes its status."""

    line: int
    procedure: Name | Variable
    arguments: tuple[Argument, ...] = ()
    result: str | None = None


class ExecuteText(NamedTuple):
    """EXEC (text)."""

    line: int
    text: Expression


class TableColumns(NamedTuple):
    """The columns of a new table, and the values that they have where none is given, by name."""

    definition: TableDefinition
    defaults: tuple[tuple[str, Expression], ...] = ()


class CreateTable(NamedTuple):
    """CREATE TABLE."""

    line: int
    name: Name
    columns: TableColumns


class DropTables(NamedTuple):
    """DROP TABLE, of which some may be missing."""

    line: int
    names: tuple[Name, ...]
    if_exists: bool


class CreateDatabase(NamedTuple):
    """CREATE DATABASE."""

    line: int
    name: str
    files: tuple[FileSpec, ...]
    collation: str | None


class AlterDatabase(NamedTuple):
    """ALTER DATABASE, of the current one where the name is None."""

    line: int
    name: str | None
    changes: tuple[Change, ...]


class DropDatabases(NamedTuple):
    """DROP DATABASE, of which some may be missing."""

    line: int
    names: tuple[str, ...]
    if_exists: bool


class Insert(NamedTuple):
    """INSERT of values, of a query or of what EXEC gives; no columns means all, no rows one of defaults."""

    line: int
    table: Name
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Expression | None, ...], ...] = ()
    query: Query | None = None
    execute: Execute | ExecuteText | None = None


class Update(NamedTuple):
    """UPDATE; each assignment has the name of a column or variable, and the operator."""

    line: int
    table: Name
    assignments: tuple[tuple[str, str, Expression], ...]
    source: Source | None
    condition: Expression | None


class Delete(NamedTuple):
    """DELETE, and TRUNCATE TABLE."""

    line: int
    table: Name
    source: Source | None = None
    condition: Expression | None = None
    truncates: bool = False


class Select(NamedTuple):
    """A query whose rows go to the client, a table or variables."""

    line: int
    query: Query


class Device(NamedTuple):
    """A device of BACKUP or RESTORE, whose name may be in a variable."""

    kind: DeviceKind
    name: Expression
    line: int


class WithOption(NamedTuple):
    """An option of BACKUP or RESTORE, whose values may be in variables."""

    name: str
    values: tuple[Expression, ...]
    line: int


class Backup(NamedTuple):
    """BACKUP; the name of the database may be in a variable."""

    line: int
    subject: BackupSubject
    database: str | Variable
    devices: tuple[Device, ...]
    options: tuple[WithOption, ...]


class Restore(NamedTuple):
    """RESTORE; the name of the database may be in a variable."""

    line: int
    subject: RestoreSubject
    database: str | Variable | None
    devices: tuple[Device, ...]
    options: tuple[WithOption, ...]


class Maintenance(NamedTuple):
    """CHECKPOINT or DBCC, whose name is in capitals."""

    line: int
    name: str
    arguments: tuple[Expression, ...] = ()


INSTRUCTIONS: Final = (
    Use,
    Assign,
    SetOptions,
    Declare,
    DeclareCursor,
    CursorAction,
    If,
    While,
    Block,
    Try,
    Leave,
    Print,
    RaiseError,
    Throw,
    WaitFor,
    Kill,
    Transaction,
    Execute,
    ExecuteText,
    CreateTable,
    DropTables,
    CreateDatabase,
    AlterDatabase,
    DropDatabases,
    Insert,
    Update,
    Delete,
    Select,
    Backup,
    Restore,
    Maintenance,
)
"""Every kind of statement."""
