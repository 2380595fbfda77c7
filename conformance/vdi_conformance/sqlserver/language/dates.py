"""Dates and times of SQL Server: read from texts, written in its styles, counted with."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.faults import fault

if TYPE_CHECKING:
    from collections.abc import Callable

BEGINNING: Final = datetime(1900, 1, 1)
"""What a time without a date is on, and number 0 as a datetime."""
_EARLIEST: Final = datetime(1753, 1, 1)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME: Final = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2}))?(?::(?P<second>\d{1,2}))?"
    r"(?:[.:](?P<fraction>\d{1,9}))?\s*(?P<half>[AaPp][Mm])?(?:\s*(?:Z|[+-]\d\d:\d\d))?"
)
_NAMED: Final = r"(?P<name>[A-Za-z]{3,9})"
_DATES: Final = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4})",
    rf"{_NAMED}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})",
    rf"(?P<day>\d{{1,2}})\s+{_NAMED}\s+(?P<year>\d{{4}})",
)
_DAY_FIRST: Final = r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})"
_DAY_FIRST_STYLES: Final = (103, 104, 105)
_FORMS: Final = tuple(re.compile(rf"{date}(?:(?:\s+|T){_TIME})?") for date in _DATES)
_DAY_FIRST_FORM: Final = re.compile(rf"{_DAY_FIRST}(?:\s+{_TIME})?")
_ONLY_TIME: Final = re.compile(_TIME)


def rounded(value: datetime) -> datetime:
    """Give the nearest value that a datetime can have, which counts in 300ths of a second."""
    whole = value.replace(microsecond=0)
    ticks = (value.microsecond * 3 + 5000) // 10000
    return whole + timedelta(milliseconds=(ticks * 10 + 1) // 3)


def read(text: str, style: int = 0) -> datetime:
    """Read a date, a time or both, or raise 241."""
    stripped = text.strip()
    if not stripped:
        return BEGINNING
    forms = (_DAY_FIRST_FORM, *_FORMS) if style in _DAY_FIRST_STYLES else _FORMS
    for form in (*forms, _ONLY_TIME):
        if found := form.fullmatch(stripped):
            if form is _ONLY_TIME and not (found["minute"] or found["half"]):
                break
            return _put_together(found.groupdict())
    raise fault(241)


def _put_together(parts: dict[str, str | None]) -> datetime:
    fraction = (parts["fraction"] or "0").ljust(6, "0")[:6]
    hour = int(parts["hour"] or 0)
    if half := parts["half"]:
        if not 1 <= hour <= 12:
            raise fault(241)
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    time = hour, int(parts["minute"] or 0), int(parts["second"] or 0), int(fraction)
    try:
        if "year" not in parts:
            return rounded(BEGINNING.replace(hour=time[0], minute=time[1], second=time[2], microsecond=time[3]))
        found = datetime(int(parts["year"] or 0), _month(parts), int(parts["day"] or 0), *time)
    except ValueError:
        raise fault(242, "varchar") from None
    if found < _EARLIEST:
        raise fault(242, "varchar")
    return rounded(found)


def _month(parts: dict[str, str | None]) -> int:
    if (name := parts.get("name")) is None:
        return int(parts["month"] or 0)
    short = name[:3].title()
    if short not in _MONTHS or not _FULL_MONTHS[_MONTHS.index(short)].lower().startswith(name.lower()):
        raise fault(241)
    return _MONTHS.index(short) + 1


def _usual(value: datetime) -> str:
    return f"{_MONTHS[value.month - 1]} {value.day:2} {value.year} {_twelve(value)}:{value:%M}{value:%p}"


def _twelve(value: datetime) -> str:
    return f"{value.hour % 12 or 12:2}"


def _milliseconds(value: datetime) -> str:
    return f"{value.microsecond // 1000:03}"


_STYLES: Final[dict[int, Callable[[datetime], str]]] = {
    0: _usual,
    100: _usual,
    1: lambda value: f"{value:%m/%d/%y}",
    101: lambda value: f"{value:%m/%d}/{value.year:04}",
    2: lambda value: f"{value:%y.%m.%d}",
    102: lambda value: f"{value.year:04}.{value:%m.%d}",
    3: lambda value: f"{value:%d/%m/%y}",
    103: lambda value: f"{value:%d/%m}/{value.year:04}",
    4: lambda value: f"{value:%d.%m.%y}",
    104: lambda value: f"{value:%d.%m}.{value.year:04}",
    105: lambda value: f"{value:%d-%m}-{value.year:04}",
    106: lambda value: f"{value:%d} {_MONTHS[value.month - 1]} {value.year:04}",
    107: lambda value: f"{_MONTHS[value.month - 1]} {value:%d}, {value.year:04}",
    8: lambda value: f"{value:%H:%M:%S}",
    108: lambda value: f"{value:%H:%M:%S}",
    109: lambda value: (
        f"{_MONTHS[value.month - 1]} {value.day:2} {value.year} {_twelve(value)}:{value:%M:%S}:{_milliseconds(value)}"
        f"{value:%p}"
    ),
    110: lambda value: f"{value:%m-%d}-{value.year:04}",
    11: lambda value: f"{value:%y/%m/%d}",
    111: lambda value: f"{value.year:04}/{value:%m/%d}",
    12: lambda value: f"{value:%y%m%d}",
    112: lambda value: f"{value.year:04}{value:%m%d}",
    113: lambda value: f"{value:%d} {_MONTHS[value.month - 1]} {value.year:04} {value:%H:%M:%S}:{_milliseconds(value)}",
    114: lambda value: f"{value:%H:%M:%S}:{_milliseconds(value)}",
    20: lambda value: f"{value.year:04}-{value:%m-%d %H:%M:%S}",
    120: lambda value: f"{value.year:04}-{value:%m-%d %H:%M:%S}",
    21: lambda value: f"{value.year:04}-{value:%m-%d %H:%M:%S}.{_milliseconds(value)}",
    121: lambda value: f"{value.year:04}-{value:%m-%d %H:%M:%S}.{_milliseconds(value)}",
    23: lambda value: f"{value.year:04}-{value:%m-%d}",
    126: lambda value: f"{value.year:04}-{value:%m-%dT%H:%M:%S}.{_milliseconds(value)}",
    127: lambda value: f"{value.year:04}-{value:%m-%dT%H:%M:%S}.{_milliseconds(value)}",
}


def write(value: datetime, style: int = 0) -> str:
    """Write a date and time in one of the styles of CONVERT, 0 where there is none of that number."""
    return _STYLES.get(style, _usual)(value)


_PARTS: Final = {
    "year": ("year", "yy", "yyyy"),
    "quarter": ("quarter", "qq", "q"),
    "month": ("month", "mm", "m"),
    "dayofyear": ("dayofyear", "dy", "y"),
    "day": ("day", "dd", "d"),
    "week": ("week", "wk", "ww"),
    "weekday": ("weekday", "dw", "w"),
    "hour": ("hour", "hh"),
    "minute": ("minute", "mi", "n"),
    "second": ("second", "ss", "s"),
    "millisecond": ("millisecond", "ms"),
    "microsecond": ("microsecond", "mcs"),
}
_BY_SHORT: Final = {short: part for part, names in _PARTS.items() for short in names}
_LENGTHS: Final = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "dayofyear": timedelta(days=1),
    "weekday": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
    "microsecond": timedelta(microseconds=1),
}
_MONTHS_IN: Final = {"year": 12, "quarter": 3, "month": 1}


def part_of(word: str, function: str) -> str:
    """Give the part of a date that a word such as dd stands for, or raise 155."""
    found = _BY_SHORT.get(word.lower())
    if found is None:
        raise fault(155, word, function)
    return found


def add(part: str, count: int, value: datetime) -> datetime:
    """Go on from a date by so many of a part; 242-like where that leaves the calendar."""
    try:
        if part in _MONTHS_IN:
            month = value.year * 12 + value.month - 1 + count * _MONTHS_IN[part]
            year, index = divmod(month, 12)
            return value.replace(year=year, month=index + 1, day=min(value.day, monthrange(year, index + 1)[1]))
        return rounded(value + count * _LENGTHS[part])
    except (ValueError, OverflowError):
        raise fault(8115, "expression", "datetime") from None


def difference(part: str, start: datetime, end: datetime) -> int:
    """Count the boundaries of a part between two dates."""
    if part in _MONTHS_IN:
        width = _MONTHS_IN[part]
        return (end.year * 12 + end.month - 1) // width - (start.year * 12 + start.month - 1) // width
    length = _LENGTHS[part]
    # Weeks begin with Sunday, which 1899-12-31 was.
    origin = BEGINNING - timedelta(days=1)
    return (end - origin) // length - (start - origin) // length


def number_of(part: str, value: datetime) -> int:
    """Give a part of a date as a number."""
    numbers: dict[str, Callable[[], int]] = {
        "quarter": lambda: (value.month + 2) // 3,
        "dayofyear": lambda: value.timetuple().tm_yday,
        "week": lambda: difference("week", value.replace(month=1, day=1), value) + 1,
        "weekday": lambda: value.isoweekday() % 7 + 1,
        "millisecond": lambda: value.microsecond // 1000,
    }
    if part in numbers:
        return numbers[part]()
    found: int = getattr(value, part)
    return found


def name_of_part(part: str, value: datetime) -> str:
    """Give a part of a date as DATENAME does."""
    if part == "month":
        return _FULL_MONTHS[value.month - 1]
    if part == "weekday":
        return _WEEKDAYS[value.weekday()]
    return str(number_of(part, value))
