"""Functions of dates and times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.language import dates
from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.faults import SqlError
from vdi_conformance.sqlserver.language.functions.registry import function, simple
from vdi_conformance.sqlserver.language.sqltypes import BIGINT, DATETIME, INT, NVARCHAR_MAX
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.expressions import Frame
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value


def _now(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    return Computed(DATETIME, lambda frame: dates.rounded(session.instance.now()))


def _utc_now(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    def run(frame: Frame) -> Value:
        universal = session.instance.now().astimezone(UTC).replace(tzinfo=None)
        return dates.rounded(universal)

    return Computed(DATETIME, run)


for _name in ("GETDATE", "SYSDATETIME", "SYSDATETIMEOFFSET"):
    function(_name, 0)(_now)
for _name in ("GETUTCDATE", "SYSUTCDATETIME"):
    function(_name, 0)(_utc_now)


def _add(part: str, count: int, value: datetime) -> datetime:
    return dates.add(dates.part_of(part, "dateadd"), count, value)


def _difference(part: str, start: datetime, end: datetime) -> int:
    return dates.difference(dates.part_of(part, "datediff"), start, end)


def _counted(result: SqlType) -> Callable[[str, datetime, datetime], Value]:
    return lambda part, start, end: convert(_difference(part, start, end), BIGINT, result)


def _number(part: str, value: datetime) -> int:
    return dates.number_of(dates.part_of(part, "datepart"), value)


def _named(part: str, value: datetime) -> str:
    return dates.name_of_part(dates.part_of(part, "datename"), value)


def _last_day(value: datetime) -> datetime:
    first = value.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return dates.add("day", -1, dates.add("month", 1, first))


simple("DATEADD", "sid", DATETIME, _add)
simple("DATEDIFF", "sdd", INT, _counted(INT))
simple("DATEDIFF_BIG", "sdd", BIGINT, _counted(BIGINT))
simple("DATEPART", "sd", INT, _number)
simple("DATENAME", "sd", SqlType("nvarchar", 30), _named)
simple("YEAR", "d", INT, lambda value: value.year)
simple("MONTH", "d", INT, lambda value: value.month)
simple("DAY", "d", INT, lambda value: value.day)
simple("EOMONTH", "d", DATETIME, _last_day)


@function("ISDATE", 1)
def _is_date(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    text = arguments[0].as_type(NVARCHAR_MAX)

    def run(frame: Frame) -> Value:
        try:
            return int(convert(text(frame), NVARCHAR_MAX, DATETIME) is not None)
        except SqlError:
            return 0

    return Computed(INT, run)
