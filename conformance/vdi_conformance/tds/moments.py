"""Dates and times as TDS has them."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Final

from vdi_conformance.tds.malformed import Malformed

_DAY_0: Final = datetime(1900, 1, 1)
_DAY_1: Final = datetime(1, 1, 1)
_TICKS: Final = 300
"""Of a second."""
_DATETIME: Final = struct.Struct("<iI")
_SMALLDATETIME: Final = struct.Struct("<HH")
_FINEST: Final = 7
"""Digits after the second."""


def read_datetime(data: bytes) -> datetime:
    """Read datetime (8 bytes) or smalldatetime (4)."""
    if len(data) == _SMALLDATETIME.size:
        days, minutes = _SMALLDATETIME.unpack(data)
        return _after(_DAY_0, days=days, minutes=minutes)
    if len(data) != _DATETIME.size:
        raise Malformed(f"there is no datetime of {len(data)} bytes")
    days, ticks = _DATETIME.unpack(data)
    return _after(_DAY_0, days=days, milliseconds=round(ticks * 1000 / _TICKS))


def write_datetime(value: datetime) -> bytes:
    """Give a moment as datetime, to the third part of a hundredth of a second."""
    since = value.replace(tzinfo=None) - _DAY_0
    ticks = round((since.seconds + since.microseconds / 1e6) * _TICKS)
    days, ticks = divmod(since.days * 86_400 * _TICKS + ticks, 86_400 * _TICKS)
    return _DATETIME.pack(days, ticks)


def read_date(data: bytes) -> datetime:
    """Read the days since the first day of the year 1."""
    return _after(_DAY_1, days=int.from_bytes(data, "little"))


def read_time(data: bytes, scale: int, day: datetime = _DAY_0) -> datetime:
    """Read a time of day, of which `scale` digits are after the second; where none else is told, of 1900-01-01."""
    units = int.from_bytes(data, "little") * 10 ** (_FINEST - scale)
    return _after(day, microseconds=units // 10)


def read_offset(data: bytes, scale: int) -> datetime:
    """Read datetimeoffset as the moment that it is where it is: time and date in UTC, and minutes to add."""
    minutes = int.from_bytes(data[-2:], "little", signed=True)
    return _after(read_datetime2(data[:-2], scale), minutes=minutes)


def read_datetime2(data: bytes, scale: int) -> datetime:
    """Read a time of day with its date."""
    return read_time(data[:-3], scale, read_date(data[-3:]))


def time_size(scale: int) -> int:
    """Give the bytes of a time of day."""
    if not 0 <= scale <= _FINEST:
        raise Malformed(f"a time has at most {_FINEST} digits after the second, not {scale}")
    return 3 + (scale > 2) + (scale > 4)


def _after(day: datetime, **span: int) -> datetime:
    try:
        return day + timedelta(**span)
    except OverflowError:
        raise Malformed("a moment is not within the years 1 to 9999") from None
