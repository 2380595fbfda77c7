"""Values of tables as JSON can have them, and back; pure."""

from __future__ import annotations

import base64
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from vdi_conformance.sqlserver.databases.contents import types_of
from vdi_conformance.sqlserver.wellformed import wellformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vdi_conformance.sqlserver.databases.contents import Stored, StoredRows, StoredTable
    from vdi_conformance.tds.answers import Value


def stored(types: Iterable[str], rows: Iterable[tuple[Value, ...]]) -> StoredRows:
    """Turn rows into what is kept of them."""
    ways: list[Callable[[Any], Stored]] = [_STORING.get(name, _as_it_is) for name in types]
    return tuple(
        tuple(None if value is None else way(value) for way, value in zip(ways, row, strict=True)) for row in rows
    )


def restored(types: Iterable[str], rows: StoredRows) -> Iterable[tuple[Value, ...]]:
    """Turn what is kept into rows."""
    ways: list[Callable[[Any], Value]] = [_RESTORING.get(name, _as_it_is) for name in types]
    return (tuple(None if value is None else way(value) for way, value in zip(ways, row, strict=True)) for row in rows)


def are_sound(tables: Iterable[StoredTable]) -> bool:
    """Tell whether every row can be restored."""
    try:
        for table in tables:
            for _ in restored(types_of(table), table.rows):
                pass
    except (ArithmeticError, TypeError, ValueError):
        return False
    return True


def _as_it_is(value: Any) -> Any:
    return value


def _bytes_to_text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_STORING: Final[Mapping[str, Callable[[Any], Stored]]] = {
    **dict.fromkeys(("char", "varchar", "nchar", "nvarchar"), wellformed),
    "numeric": str,
    "datetime": datetime.isoformat,
    "uniqueidentifier": str,
    "binary": _bytes_to_text,
    "varbinary": _bytes_to_text,
}
_RESTORING: Final[Mapping[str, Callable[[Any], Value]]] = {
    "numeric": Decimal,
    "datetime": datetime.fromisoformat,
    "uniqueidentifier": UUID,
    "binary": base64.b64decode,
    "varbinary": base64.b64decode,
}
