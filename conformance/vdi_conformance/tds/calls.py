"""Calls of procedures as they come [MS-TDS 2.2.6.6]."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from vdi_conformance.tds.answers import Parameter
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.parameter_values import read_typed_value
from vdi_conformance.tds.reading import FieldReader, after_headers, decoded

_BY_NUMBER: Final = 0xFFFF
_NEXT_CALL: Final = 0xFF
"""What stands between two calls in one message, where a parameter's name has its length."""
_LONGEST_NAME: Final = 128
"""Characters of a parameter's name."""
_BY_REFERENCE: Final = 1


class SpecialProcedure(IntEnum):
    """Procedures that are called by number, or by a name that is the same as here."""

    SP_CURSOR = 1
    SP_CURSOROPEN = 2
    SP_CURSORPREPARE = 3
    SP_CURSOREXECUTE = 4
    SP_CURSORPREPEXEC = 5
    SP_CURSORUNPREPARE = 6
    SP_CURSORFETCH = 7
    SP_CURSOROPTION = 8
    SP_CURSORCLOSE = 9
    SP_EXECUTESQL = 10
    SP_PREPARE = 11
    SP_EXECUTE = 12
    SP_PREPEXEC = 13
    SP_PREPEXECRPC = 14
    SP_UNPREPARE = 15


class TooManyParameters(Exception):
    """A call has more parameters than a procedure can have."""


class Call(NamedTuple):
    """A call; `special` is set where it is of a procedure that drivers prepare and run statements with."""

    procedure: str
    special: SpecialProcedure | None
    parameters: tuple[Parameter, ...]


def read_calls(payload: bytes, most: int) -> tuple[Call, ...]:
    """Read the calls of one message, of which each has at most so many parameters."""
    reader = after_headers(payload)
    calls = []
    while reader.has_more:
        calls.append(_call(reader, most))
    if not calls:
        raise Malformed("a message of calls has none")
    return tuple(calls)


def _call(reader: FieldReader, most: int) -> Call:
    length = reader.number(2)
    if length == _BY_NUMBER:
        number = reader.number(2)
        if number not in frozenset(SpecialProcedure):
            raise Malformed(f"there is no procedure of number {number}")
        special: SpecialProcedure | None = SpecialProcedure(number)
        procedure = SpecialProcedure(number).name.lower()
    else:
        procedure = decoded(reader.take(2 * length))
        special = _special(procedure)
    reader.number(2)
    return Call(procedure, special, _parameters(reader, most))


def _special(procedure: str) -> SpecialProcedure | None:
    name = procedure.rsplit(".", 1)[-1].strip().removeprefix("[").removesuffix("]").upper()
    return SpecialProcedure[name] if name in SpecialProcedure.__members__ else None


def _parameters(reader: FieldReader, most: int) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    while reader.has_more:
        if (length := reader.byte()) == _NEXT_CALL:
            break
        if len(found) == most:
            raise TooManyParameters
        if length > _LONGEST_NAME:
            raise Malformed(f"the name of a parameter has at most {_LONGEST_NAME} characters, not {length}")
        name = decoded(reader.take(2 * length))
        flags = reader.byte()
        typed = read_typed_value(reader)
        found.append(Parameter(name, typed.type, typed.value, bool(flags & _BY_REFERENCE)))
    return tuple(found)
