"""Literals, names and types."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.sqltypes import BOUNDS, FLOAT, INT, LONGEST_NUMBER, NULL, named_type
from vdi_conformance.sqlserver.language.tokens import name_of, string_of
from vdi_conformance.tds.answers import SqlType

_LONGEST_PLAIN: Final = 8000
_LONGEST_NATIONAL: Final = 4000


class LiteralBuilder:
    """Literals and names."""

    def integer(self, parts: list[Any]) -> tree.Constant:
        """A whole number, which is numeric where an int cannot have it."""
        digits = str(parts[0]).lstrip("0")
        if len(digits) > LONGEST_NUMBER:
            raise fault(1007, digits[:64], LONGEST_NUMBER, line=parts[0].line)
        number = int(digits or "0")
        if number <= BOUNDS["int"][1]:
            return tree.Constant(number, INT)
        return tree.Constant(Decimal(number), SqlType("numeric", 0, len(digits), 0))

    def decimal(self, parts: list[Any]) -> tree.Constant:
        """A number with a point."""
        whole, _, fraction = str(parts[0]).partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        if digits > LONGEST_NUMBER:
            raise fault(1007, str(parts[0])[:64], LONGEST_NUMBER, line=parts[0].line)
        return tree.Constant(Decimal(str(parts[0]) or "0"), SqlType("numeric", 0, max(digits, 1), len(fraction)))

    def float_(self, parts: list[Any]) -> tree.Constant:
        """A number with an exponent, which may be empty."""
        text = str(parts[0])
        number = float(text if text[-1].isdigit() else f"{text}0")
        if not math.isfinite(number):
            raise fault(168, text[:64], line=parts[0].line)
        return tree.Constant(number, FLOAT)

    def money(self, parts: list[Any]) -> tree.Constant:
        """An amount of money."""
        text = str(parts[0])[1:]
        return tree.Constant(Decimal(text if any(map(str.isdigit, text)) else "0"), SqlType("numeric", 0, 19, 4))

    def string(self, parts: list[Any]) -> tree.Constant:
        """A string of one byte a character."""
        text = string_of(parts[0])
        return tree.Constant(text, SqlType("varchar", 0 if len(text) > _LONGEST_PLAIN else max(len(text), 1)))

    def national(self, parts: list[Any]) -> tree.Constant:
        """A Unicode string."""
        text = string_of(parts[0])
        return tree.Constant(text, SqlType("nvarchar", 0 if len(text) > _LONGEST_NATIONAL else max(len(text), 1)))

    def hexadecimal(self, parts: list[Any]) -> tree.Constant:
        """Bytes."""
        digits = str(parts[0])[2:]
        value = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
        return tree.Constant(value, SqlType("varbinary", 0 if len(value) > _LONGEST_PLAIN else max(len(value), 1)))

    def null(self, parts: list[Any]) -> tree.Constant:
        """NULL, which is an int until something else is said."""
        return tree.Constant(None, NULL)

    def negative(self, parts: list[Any]) -> tree.Unary:
        """A number with a minus."""
        return tree.Unary("-", parts[-1])

    def positive(self, parts: list[Any]) -> Any:
        """A number with a plus."""
        return parts[-1]

    def variable(self, parts: list[Any]) -> tree.Variable:
        """A variable."""
        return tree.Variable(str(parts[0]), parts[0].line)

    def global_(self, parts: list[Any]) -> tree.Global:
        """A function such as @@VERSION."""
        return tree.Global(str(parts[0]), parts[0].line)

    def name(self, parts: list[Any]) -> tree.Name:
        """The first part of a name."""
        return tree.Name((name_of(parts[0]),), parts[0].line)

    def longer_name(self, parts: list[Any]) -> tree.Name:
        """A name with one part more."""
        return tree.Name((*parts[0].parts, name_of(parts[1])), parts[0].line)

    def longest_name(self, parts: list[Any]) -> tree.Name:
        """A name with one part more, and an empty one before."""
        return tree.Name((*parts[0].parts, "", name_of(parts[2])), parts[0].line)

    def type_name(self, parts: list[Any]) -> tree.Name:
        """The name of a type."""
        return parts[0] if isinstance(parts[0], tree.Name) else tree.Name(("float",), parts[0].line)

    def type(self, parts: list[Any]) -> tuple[tree.Name, int | None, int | None]:
        """A type, whose length without parentheses depends on where it stands."""
        name, size, scale = parts
        if size is not None and str(size).upper() != "MAX" and not str(size).isdecimal():
            raise fault(102, str(size), line=size.line)
        length = None if size is None else 0 if str(size).upper() == "MAX" else int(size)
        return name, length, None if scale is None else int(scale)


def type_of(found: tuple[tree.Name, int | None, int | None], default_length: int = 1) -> SqlType:
    """Give the type that was found."""
    name, size, scale = found
    return named_type(name.last, size, scale, name.line, default_length)
