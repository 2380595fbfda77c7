"""Databases and tables, and what is in them."""

from __future__ import annotations

from typing import Any, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building.expressions import condition, first_line, scalar
from vdi_conformance.sqlserver.language.building.flow import FlowBuilder, written
from vdi_conformance.sqlserver.language.building.literals import type_of
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.tokens import name_of, string_of
from vdi_conformance.sqlserver.seam import FileSpec, ModifyFile, ModifyName, SetCollation, SetOption, TableDefinition
from vdi_conformance.tds.answers import Column

_UNITS: Final = {"KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def _property(word: str) -> Any:
    """Make the method for a property of a column, which has what stands last in it."""

    def method(self: object, parts: list[Any]) -> tuple[str, Any]:
        return word, parts[-1] if parts else None

    return method


class DefinitionBuilder(FlowBuilder):
    """Databases and tables, and what is in them."""

    def setting(self, parts: list[Any]) -> tuple[str, str | int]:
        """A setting of a file; sizes in bytes, in per cents where that is meant."""
        name, _, value, *unit = parts
        if value.type != "INTEGER":
            return name_of(name).upper(), written(value)
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

    allows_null, denies_null, is_key, is_unique = map(_property, ("null", "not null", "key", "unique"))
    counts, has_default, has_collation = map(_property, ("identity", "default", "collation"))

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
