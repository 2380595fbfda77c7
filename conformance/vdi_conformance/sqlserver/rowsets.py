"""Rows of the server's own: their columns are data, and so is what a column has where nothing else is said."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from vdi_conformance.data_tables import shipped
from vdi_conformance.sqlserver.seam import Rows
from vdi_conformance.tds.answers import Column, Columns, Row, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vdi_conformance.tds.answers import Answer, TypeName, Value

_TYPE: Final = re.compile(r"(\w+)(?:\((\d+)(?:,(\d+))?\))?")


class _Known(NamedTuple):
    columns: tuple[Column, ...]
    otherwise: Mapping[str, Value]


def rows_of(name: str, rows: Iterable[Mapping[str, Value]]) -> Rows:
    """Give rows, each told by the names of its columns."""
    known = _rowsets()[name]
    return Rows(known.columns, (_row(known, row) for row in rows))


def answers_of(name: str, rows: Iterable[Mapping[str, Value]]) -> Iterator[Answer]:
    """Give the same as answers of a statement."""
    columns, found = rows_of(name, rows)
    yield Columns(columns)
    for row in found:
        yield Row(row)


def _row(known: _Known, told: Mapping[str, Value]) -> tuple[Value, ...]:
    if unknown := told.keys() - known.otherwise.keys():
        raise ValueError(f"there are no columns {', '.join(unknown)}")
    values = {**known.otherwise, **told}
    return tuple(_of_type(column.type, values[column.name]) for column in known.columns)


def _of_type(type_: SqlType, value: Value) -> Value:
    """Give a value as its column has it; a text that is too long for it is cut."""
    if type_.name == "numeric" and isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str) and type_.length:
        return value[: type_.length]
    return value


@cache
def _rowsets() -> Mapping[str, _Known]:
    columns: defaultdict[str, list[Column]] = defaultdict(list)
    otherwise: defaultdict[str, dict[str, Value]] = defaultdict(dict)
    for line in shipped("vdi_conformance.sqlserver", "columns.tsv"):
        type_ = _type(line["type"])
        columns[line["rowset"]].append(Column(line["column"], type_))
        otherwise[line["rowset"]][line["column"]] = _value(type_, line["otherwise"])
    return {name: _Known(tuple(columns[name]), otherwise[name]) for name in columns}


def _type(text: str) -> SqlType:
    """Read a type such as nvarchar(128) or numeric(25,0)."""
    found = _TYPE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no type")
    name = cast("TypeName", found[1])
    if found[3] is not None:
        return SqlType(name, precision=int(found[2]), scale=int(found[3]))
    return SqlType(name, int(found[2] or 0))


def _value(type_: SqlType, text: str) -> Value:
    if not text:
        return None
    if type_.name == "bit":
        return text == "1"
    if type_.name == "varbinary":
        return bytes.fromhex(text)
    return text if type_.name.endswith("char") else int(text)
