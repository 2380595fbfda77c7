"""FOR XML PATH: the rows of a query as one text, which is how scripts put names together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from vdi_conformance.sqlserver.language.dates import write
from vdi_conformance.sqlserver.language.plans import Plan
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX
from vdi_conformance.sqlserver.language.values import as_text, need_room
from vdi_conformance.tds.answers import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.sqlserver.language.expressions import Frame
    from vdi_conformance.tds.answers import Value

_NAME: Final = "XML_F52E2B61-18A1-11d1-B105-00805F49916B"
"""The name that SQL Server gives to the only column; drivers know it by that."""
_ISO_STYLE: Final = 126


def as_xml(plan: Plan, element: str) -> Plan:
    """Give a query whose only row has all rows of another; NULL where that has none."""

    def rows(frame: Frame | None) -> list[tuple[Value, ...]]:
        parts = [_row(plan.columns, row, element) for row in plan.rows(frame)]
        need_room(sum(map(len, parts)))
        return [("".join(parts) if parts else None,)]

    return Plan((Column(_NAME, NVARCHAR_MAX),), rows)


def _row(columns: Iterable[Column], row: Iterable[Value], element: str) -> str:
    inner = "".join(_cell(column.name, value) for column, value in zip(columns, row, strict=True) if value is not None)
    return f"<{element}>{inner}</{element}>" if element else inner


def _cell(name: str, value: Value) -> str:
    """Write a value, within an element where its column has a name."""
    assert value is not None
    text = escape(write(value, _ISO_STYLE) if isinstance(value, datetime) else as_text(value))
    return text if name in ("", "*", "text()") else f"<{name}>{text}</{name}>"
