"""The texts of RAISERROR: %s, %d and their kin, as in C."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.values import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.tds.answers import Value

LONGEST: Final = 2047
"""So many characters of a text does a message keep."""
_DIGITS: Final = 4
_PLACE: Final = re.compile(
    r"%(?:%|(?P<flags>[-+0# ]*)(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*))?(?P<size>h|l|I64)?(?P<type>.)?)"
)
_WHOLE: Final = "diouxX"


def formatted(text: str, values: Sequence[Value]) -> str:
    """Put values in their places; one that is missing or NULL reads (null)."""
    left = iter(values)
    return _PLACE.sub(lambda found: _filled(found, left), text)[:LONGEST]


def _filled(found: re.Match[str], left: Iterator[Value]) -> str:
    if found[0] == "%%":
        return "%"
    kind = found["type"] or ""
    if kind not in f"s{_WHOLE}" or not kind:
        raise fault(2787, found[0])
    width = next(left, None) if found["width"] == "*" else found["width"]
    precision = next(left, None) if found["precision"] == "*" else found["precision"]
    value = next(left, None)
    if value is None:
        return "(null)"
    if kind == "s":
        if not isinstance(value, str):
            raise fault(2786, 1)
        cut = value if precision is None else value[: _number(precision)]
        return f"%{found['flags']}{_digits(width)}s" % cut
    if isinstance(value, bool) or not isinstance(value, int):
        raise fault(2786, 1)
    number = value % 2**32 if kind in "ouxX" and value < 0 else value
    digits = "" if precision is None else f".{_digits(precision)}"
    return f"%{found['flags']}{_digits(width)}{digits}{'d' if kind in 'iu' else kind}" % number


def _number(given: Value) -> int:
    """Give a width or precision, which a value may stand for."""
    text = as_text(given) if given is not None else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS or int(text) > LONGEST:
        raise fault(2787, text)
    return int(text)


def _digits(given: Value) -> str:
    return "" if given is None else str(_number(given))
