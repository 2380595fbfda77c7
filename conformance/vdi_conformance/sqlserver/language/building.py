"""Statements, put together from what the parser has found: one method for each rule of tsql.lark."""

from __future__ import annotations

from typing import Any, Final, cast

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building_queries import QueryBuilder, condition, first_line, scalar, type_of
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX
from vdi_conformance.sqlserver.language.tokens import name_of, string_of
from vdi_conformance.sqlserver.seam import (
    FileSpec,
    ModifyFile,
    ModifyName,
    SetCollation,
    SetOption,
    TableDefinition,
)
from vdi_conformance.tds.answers import Column, SqlType

_UNITS: Final = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_DEVICES: Final = {"VIRTUAL_DEVICE": "virtual", "DISK": "disk", "URL": "url", "TAPE": "tape"}


def _written(token: Any) -> str:
    """Give the text of a word that is a name or a string."""
    return string_of(token) if token.type in ("STRING", "NSTRING") else name_of(token)


class FlowBuilder(QueryBuilder):
    """The session and the flow of control."""

    def start(self, parts: list[Any]) -> tuple[Any, ...]:
        """A batch."""
        return tuple(parts)

    def use(self, parts: list[Any]) -> does.Use:
        """USE."""
        return does.Use(parts[0].line, name_of(parts[1]))

    def assignment(self, parts: list[Any]) -> str:
        """The operator of an assignment."""
        return str(parts[0])

    def assign(self, parts: list[Any]) -> does.Assign:
        """SET of a variable."""
        word, variable, operator, expression = parts
        return does.Assign(word.line, str(variable), operator, scalar(expression))

    def set_name(self, parts: list[Any]) -> tuple[str, tree.Name | None]:
        """The name of an option, and the table that it is about."""
        if len(parts) == 2 and isinstance(parts[1], tree.Name):
            return "IDENTITY_INSERT", parts[1]
        return " ".join(name_of(part).upper() for part in parts), None

    def set_value(self, parts: list[Any]) -> str:
        """What an option is set to."""
        return "".join(_written(part) for part in parts if part is not None)

    def set_options(self, parts: list[Any]) -> does.SetOptions:
        """SET of options."""
        word, *names, value = parts
        return does.SetOptions(word.line, tuple(name for name, _ in names), value, names[0][1])

    def set_isolation(self, parts: list[Any]) -> does.SetOptions:
        """SET TRANSACTION ISOLATION LEVEL."""
        level = " ".join(str(part).upper() for part in parts[1:])
        return does.SetOptions(parts[0].line, ("TRANSACTION ISOLATION LEVEL",), level)

    def initial(self, parts: list[Any]) -> Any:
        """The value that a variable begins with."""
        return scalar(parts[1])

    def declared_scalar(self, parts: list[Any]) -> does.Declaration:
        """A variable."""
        return does.Declaration(str(parts[0]), type_of(parts[1]), parts[2])

    def declared_table(self, parts: list[Any]) -> does.Declaration:
        """A table variable."""
        return does.Declaration(str(parts[0]), NVARCHAR_MAX, table=parts[1])

    def declare(self, parts: list[Any]) -> does.Declare:
        """DECLARE."""
        return does.Declare(parts[0].line, tuple(parts[1:]))

    def cursor_word(self, parts: list[Any]) -> None:
        """A property of a cursor, which changes nothing here."""

    def declare_cursor(self, parts: list[Any]) -> does.DeclareCursor:
        """DECLARE CURSOR."""
        (query,) = (part for part in parts if isinstance(part, tree.Query))
        return does.DeclareCursor(parts[0].line, name_of(parts[1]), query)

    def cursor_action(self, parts: list[Any]) -> does.CursorAction:
        """OPEN, CLOSE and DEALLOCATE."""
        return does.CursorAction(parts[0].line, cast("Any", parts[0].type), name_of(parts[1]))

    def variable_list(self, parts: list[Any]) -> tuple[str, ...]:
        """Variables."""
        return tuple(map(str, parts))

    def fetch(self, parts: list[Any]) -> does.CursorAction:
        """FETCH."""
        word, _, name, variables = parts
        return does.CursorAction(word.line, "FETCH", name_of(name), variables or ())

    def if_(self, parts: list[Any]) -> does.If:
        """IF."""
        word, tested, then, otherwise = parts
        return does.If(word.line, condition(tested, word.line, word), then, otherwise)

    def while_(self, parts: list[Any]) -> does.While:
        """WHILE."""
        word, tested, body = parts
        return does.While(word.line, condition(tested, word.line, word), body)

    def block(self, parts: list[Any]) -> does.Block:
        """BEGIN and END; between them is a statement at least."""
        if len(parts) == 1:
            raise fault(156, "END", line=parts[0].line)
        return does.Block(parts[0].line, tuple(parts[1:]))

    def try_(self, parts: list[Any]) -> does.Try:
        """BEGIN TRY."""
        return does.Try(parts[0].line, tuple(parts[1:-1]), parts[-1])

    def caught(self, parts: list[Any]) -> tuple[Any, ...]:
        """BEGIN CATCH."""
        return tuple(parts[1:])

    def leave(self, parts: list[Any]) -> does.Leave:
        """BREAK, CONTINUE and RETURN."""
        value = scalar(parts[1]) if len(parts) == 2 and parts[1] is not None else None
        return does.Leave(parts[0].line, cast("Any", parts[0].type), value)

    def print_(self, parts: list[Any]) -> does.Print:
        """PRINT."""
        return does.Print(parts[0].line, scalar(parts[1]))

    def word_list(self, parts: list[Any]) -> tuple[str, ...]:
        """Words in capitals."""
        return tuple(str(part).upper() for part in parts)

    def raiserror(self, parts: list[Any]) -> does.RaiseError:
        """RAISERROR."""
        return does.RaiseError(parts[0].line, parts[1], parts[2] or ())

    def throw(self, parts: list[Any]) -> does.Throw:
        """THROW."""
        return does.Throw(parts[0].line, tuple(part for part in parts[1:] if part is not None))

    def waitfor(self, parts: list[Any]) -> does.WaitFor:
        """WAITFOR."""
        return does.WaitFor(parts[0].line, cast("Any", parts[1].type), parts[2])

    def kill(self, parts: list[Any]) -> does.Kill:
        """KILL."""
        return does.Kill(parts[0].line, parts[1])

    def transaction_name(self, parts: list[Any]) -> str:
        """The name of a transaction."""
        return name_of(parts[0]) if parts else ""

    def transaction(self, parts: list[Any]) -> does.Transaction:
        """BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION."""
        return does.Transaction(parts[0].line, cast("Any", parts[0].type), parts[1] or "")

    def checkpoint(self, parts: list[Any]) -> does.Maintenance:
        """CHECKPOINT."""
        return does.Maintenance(parts[0].line, "CHECKPOINT")

    def dbcc(self, parts: list[Any]) -> does.Maintenance:
        """DBCC."""
        return does.Maintenance(parts[0].line, name_of(parts[1]).upper(), parts[2] or ())

    def bare_word(self, parts: list[Any]) -> tree.Constant:
        """A word that stands for a string."""
        text = name_of(parts[0])
        return tree.Constant(text, SqlType("nvarchar", max(len(text), 1)))

    def named(self, parts: list[Any]) -> str:
        """The parameter that an argument is for, or the variable that takes a result."""
        return str(parts[0])

    def argument(self, parts: list[Any]) -> does.Argument:
        """An argument of EXEC; DEFAULT is taken for NULL."""
        name, value, output = parts
        return does.Argument(name or "", value or self.null([]), output is not None)

    def argument_list(self, parts: list[Any]) -> tuple[does.Argument, ...]:
        """Arguments of EXEC."""
        return tuple(parts)

    def procedure(self, parts: list[Any]) -> Any:
        """A procedure, or the variable that has its name."""
        found = parts[0]
        return found if isinstance(found, tree.Name) else tree.Variable(str(found), found.line)

    def execute(self, parts: list[Any]) -> does.Execute:
        """EXEC of a procedure."""
        word, result, procedure, arguments = parts
        return does.Execute(word.line, procedure, arguments or (), result)

    def execute_first(self, parts: list[Any]) -> does.Execute:
        """A procedure at the beginning of a batch, where EXEC may be left out."""
        return does.Execute(parts[0].line, parts[1], parts[2] or ())

    def execute_text(self, parts: list[Any]) -> does.ExecuteText:
        """EXEC of a text."""
        return does.ExecuteText(parts[0].line, scalar(parts[1]))


class DefinitionBuilder(FlowBuilder):
    """Databases and tables, and what is in them."""

    def setting(self, parts: list[Any]) -> tuple[str, str | int]:
        """A setting of a file; sizes in bytes, in per cents where that is meant."""
        name, _, value, *unit = parts
        if value.type != "INTEGER":
            return name_of(name).upper(), _written(value)
        factor = _UNITS.get(str(unit[0]).upper(), 1) if unit and unit[0] is not None else _UNITS["MB"]
        return name_of(name).upper(), int(value) * factor

    def file_spec(self, parts: list[Any]) -> dict[str, str | int]:
        """The settings of a file."""
        return dict(parts)

    def file_list(self, parts: list[Any]) -> list[Any]:
        """Files."""
        return parts

    def data_files(self, parts: list[Any]) -> tuple[FileSpec, ...]:
        """Files of data."""
        return tuple(_file("data", settings, parts[0].line) for settings in parts[-1])

    def log_files(self, parts: list[Any]) -> tuple[FileSpec, ...]:
        """Files of the log."""
        return tuple(_file("log", settings, parts[0].line) for settings in parts[-1])

    def create_database(self, parts: list[Any]) -> does.CreateDatabase:
        """CREATE DATABASE."""
        word, _, name, data, log, collation = parts
        files = (*(data or ()), *(log or ()))
        return does.CreateDatabase(word.line, name_of(name), files, None if collation is None else name_of(collation))

    def alter_target(self, parts: list[Any]) -> str | None:
        """A database, or the current one."""
        return None if parts[0].type == "CURRENT" else name_of(parts[0])

    def alter_database(self, parts: list[Any]) -> does.AlterDatabase:
        """ALTER DATABASE."""
        word, _, name, changes = parts
        return does.AlterDatabase(word.line, name, changes)

    def maybe_equal(self, parts: list[Any]) -> None:
        """An equals sign that says nothing."""

    def option_setting(self, parts: list[Any]) -> str:
        """What an option of a database is set to."""
        return "" if not parts else str(parts[0]).upper() if parts[0].type != "STRING" else string_of(parts[0])

    def in_parentheses(self, parts: list[Any]) -> None:
        """Details of an option of a database, which change nothing here."""

    setting_word = maybe_equal

    def database_option(self, parts: list[Any]) -> SetOption:
        """An option of a database."""
        return SetOption(name_of(parts[0]).upper(), parts[2])

    def termination(self, parts: list[Any]) -> bool:
        """What becomes of other sessions: whether they are rolled back."""
        return bool(parts[0].type == "ROLLBACK")

    def set_database(self, parts: list[Any]) -> tuple[SetOption, ...]:
        """ALTER DATABASE SET."""
        _, *options, rolls_back = parts
        return tuple(option._replace(rolls_back=bool(rolls_back)) for option in options)

    def modify_file(self, parts: list[Any]) -> tuple[ModifyFile, ...]:
        """ALTER DATABASE MODIFY FILE."""
        settings = parts[1]
        return (
            ModifyFile(
                settings.get("NAME", ""), settings.get("NEWNAME"), settings.get("FILENAME"), settings.get("SIZE")
            ),
        )

    def modify_name(self, parts: list[Any]) -> tuple[ModifyName, ...]:
        """ALTER DATABASE MODIFY NAME."""
        if str(parts[0]).upper() != "NAME":
            raise fault(102, str(parts[0]), line=parts[0].line)
        return (ModifyName(name_of(parts[2])),)

    def collate_database(self, parts: list[Any]) -> tuple[SetCollation, ...]:
        """ALTER DATABASE COLLATE."""
        return (SetCollation(name_of(parts[0])),)

    def drop_database(self, parts: list[Any]) -> does.DropDatabases:
        """DROP DATABASE."""
        word, _, if_exists, *names = parts
        return does.DropDatabases(word.line, tuple(map(name_of, names)), if_exists is not None)

    def drop_table(self, parts: list[Any]) -> does.DropTables:
        """DROP TABLE."""
        word, if_exists, *names = parts
        return does.DropTables(word.line, tuple(names), if_exists is not None)

    def create_table(self, parts: list[Any]) -> does.CreateTable:
        """CREATE TABLE."""
        return does.CreateTable(parts[0].line, parts[1], parts[2])

    def _flag(word: str) -> Any:  # noqa: N805
        def method(self: object, parts: list[Any]) -> tuple[str, Any]:
            """A property of a column."""
            return word, parts[-1] if parts else None

        return method

    allows_null, denies_null, is_key, is_unique = _flag("null"), _flag("not null"), _flag("key"), _flag("unique")
    counts, has_default, has_collation = _flag("identity"), _flag("default"), _flag("collation")

    def key_column(self, parts: list[Any]) -> str:
        """A column of a key."""
        return name_of(parts[0])

    def index_kind(self, parts: list[Any]) -> None:
        """How an index is kept, which changes nothing here."""

    def key(self, parts: list[Any]) -> tuple[str, ...]:
        """The primary key of a table."""
        return tuple(part for part in parts if isinstance(part, str) and not hasattr(part, "type"))

    def unique_key(self, parts: list[Any]) -> None:
        """A key that changes nothing here."""

    def column(self, parts: list[Any]) -> tuple[Column, dict[str, Any]]:
        """A column of a table."""
        name, sql_type, *options = parts
        told = dict(options)
        nullable = not ({"not null", "key", "identity"} & told.keys())
        return Column(name_of(name), type_of(sql_type), nullable), told

    def column_definitions(self, parts: list[Any]) -> does.TableColumns:
        """The columns of a table."""
        columns = [part for part in parts if part and isinstance(part[0], Column)]
        keys = [part for part in parts if part and isinstance(part[0], str)]
        key = keys[0] if keys else tuple(column.name for column, told in columns if "key" in told)
        identity = next((column.name for column, told in columns if "identity" in told), None)
        lower = {name.lower() for name in key}
        found = tuple(
            column._replace(nullable=column.nullable and column.name.lower() not in lower) for column, _ in columns
        )
        defaults = tuple((column.name, scalar(told["default"])) for column, told in columns if "default" in told)
        return does.TableColumns(TableDefinition(found, key, identity), defaults)

    def insert(self, parts: list[Any]) -> does.Insert:
        """INSERT."""
        word, table, columns, *what = parts
        insert = does.Insert(word.line, table, columns or ())
        found = what[-1] if what else None
        if isinstance(found, tree.Query):
            return insert._replace(query=found)
        if isinstance(found, does.Execute | does.ExecuteText):
            return insert._replace(execute=found)
        return insert._replace(rows=found if isinstance(found, tuple) else ())

    def set_clause(self, parts: list[Any]) -> tuple[str, str, Any]:
        """An assignment of UPDATE."""
        what, operator, value = parts
        return (what.last if isinstance(what, tree.Name) else str(what)), operator, scalar(value)

    def update(self, parts: list[Any]) -> does.Update:
        """UPDATE."""
        word, table, _, *assignments, source, tested = parts
        found = None if tested is None else condition(tested, word.line, "WHERE")
        return does.Update(word.line, table, tuple(assignments), source, found)

    def delete(self, parts: list[Any]) -> does.Delete:
        """DELETE."""
        word, table, source, tested = parts
        found = None if tested is None else condition(tested, word.line, "WHERE")
        return does.Delete(word.line, table, source, found)

    def truncate(self, parts: list[Any]) -> does.Delete:
        """TRUNCATE TABLE."""
        return does.Delete(parts[0].line, parts[1], truncates=True)

    def select_statement(self, parts: list[Any]) -> does.Select:
        """A query by itself."""
        *common, query = (part for part in parts if part is not None)
        return does.Select(first_line(query), query._replace(common=tuple(common)))


def _file(kind: Any, settings: dict[str, Any], line: int) -> FileSpec:
    if "NAME" not in settings:
        raise fault(102, ")", line=line)
    return FileSpec(kind, str(settings["NAME"]), settings.get("FILENAME"), settings.get("SIZE"))


class Builder(DefinitionBuilder):
    """BACKUP and RESTORE, and all others."""

    def database(self, parts: list[Any]) -> str | tree.Variable:
        """The database of BACKUP or RESTORE."""
        word = parts[0]
        return tree.Variable(str(word), word.line) if word.type == "VARIABLE" else name_of(word)

    def device(self, parts: list[Any]) -> does.Device:
        """A device with its kind."""
        word, _, name = parts
        kind = _DEVICES.get(str(word).upper())
        if kind is None:
            raise fault(102, str(word), line=word.line)
        return does.Device(cast("Any", kind), name, word.line)

    def logical_device(self, parts: list[Any]) -> does.Device:
        """A device by the name that the server has for it."""
        word = parts[0]
        name: Any = self.variable(parts) if word.type == "VARIABLE" else self.bare_word(parts)
        return does.Device("logical", name, word.line)

    def devices(self, parts: list[Any]) -> tuple[does.Device, ...]:
        """Devices."""
        return tuple(parts)

    def option_word(self, parts: list[Any]) -> Any:
        """The name of an option."""
        return parts[0]

    def option(self, parts: list[Any]) -> does.WithOption:
        """An option with its values."""
        word, *values = (part for part in parts if getattr(part, "type", "") != "EQ")
        return does.WithOption(name_of(word).upper(), tuple(values), word.line)

    def option_in_parentheses(self, parts: list[Any]) -> does.WithOption:
        """An option with details, which are not told."""
        return does.WithOption(name_of(parts[0]).upper(), (), parts[0].line)

    def options(self, parts: list[Any]) -> tuple[does.WithOption, ...]:
        """Options."""
        return tuple(parts)

    def backup_database(self, parts: list[Any]) -> does.Backup:
        """BACKUP DATABASE."""
        *_, database, devices, options = parts
        return does.Backup(parts[0].line, "database", database, devices, options or ())

    def backup_log(self, parts: list[Any]) -> does.Backup:
        """BACKUP LOG."""
        return self.backup_database(parts)._replace(subject="log")

    def restore_database(self, parts: list[Any]) -> does.Restore:
        """RESTORE DATABASE."""
        *_, database, devices, options = parts
        return does.Restore(parts[0].line, "database", database, devices or (), options or ())

    def restore_log(self, parts: list[Any]) -> does.Restore:
        """RESTORE LOG."""
        return self.restore_database(parts)._replace(subject="log")

    def restore_other(self, parts: list[Any]) -> does.Restore:
        """RESTORE of what a medium says of itself."""
        word, subject, devices, options = parts
        return does.Restore(word.line, cast("Any", str(subject).lower()), None, devices, options or ())
