"""What the parameters of a request may be: one function a kind, which gives the value or refuses it in a few words."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from vdi_conformance.contract import Argument
from vdi_conformance.untrusted.bounds import MOST_SEED
from vdi_conformance.vdi.structures import VDConfig
from vdi_conformance.versions import Version, read_version

Kind = Callable[[Any], Any]
_U32: Final = 0xFFFFFFFF
_LARGEST_SIZE: Final = (1 << 63) - 1
"""Bytes: no system takes a larger offset or length."""
_hex = re.compile("0x[0-9a-f]{1,16}").fullmatch


class Optional(NamedTuple):
    """A parameter that may be left out."""

    kind: Kind
    default: Any


def text(value: Any) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise ValueError("a string")
    return value


def name(value: Any) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a string that is not empty")
    return value


def names(value: Any) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list):
        raise ValueError("a list of names")
    return tuple(map(name, value))


def integer(value: Any) -> int:
    """Any whole number."""
    if type(value) is not int:
        raise ValueError("a whole number")
    return value


def seed(value: Any) -> int:
    """A number that contents follow from."""
    if type(value) is not int or not 0 <= value <= MOST_SEED:
        raise ValueError(f"a whole number from 0 to {MOST_SEED}")
    return value


def version(value: Any) -> Version:
    """A version of the protocol; a number alone is one that had no minors."""
    if (found := read_version(value)) is None:
        raise ValueError('a version such as "2.0"')
    return found


def u32(value: Any) -> int:
    """An unsigned 32-bit number."""
    if type(value) is not int or not 0 <= value <= _U32:
        raise ValueError("an unsigned 32-bit number")
    return value


def counts(least: int, most: int) -> Kind:
    """A list of at least `least` and at most `most` unsigned 32-bit numbers or nulls."""

    def kind(value: Any) -> tuple[int | None, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(f"a list of {least} to {most} unsigned 32-bit numbers or nulls")
        return tuple(map(nullable(u32), value))

    return kind


def boolean(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise ValueError("true or false")
    return value


def u64(value: Any) -> int:
    """An address or another 64-bit number, in hexadecimal."""
    if not isinstance(value, str) or not _hex(value):
        raise ValueError('a number like "0x7f00"')
    return int(value, 16)


def config(value: Any) -> VDConfig:
    """A VDConfig with all its fields."""
    if not isinstance(value, dict) or value.keys() != set(VDConfig._fields):
        raise ValueError("an object with the 11 fields of VDConfig")
    return VDConfig(**{field: u32(number) for field, number in value.items()})


def hex_bytes(most: int) -> Kind:
    """Up to `most` bytes in hexadecimal."""

    def kind(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) > 2 * most:
            raise ValueError(f"up to {most} bytes in hexadecimal")
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise ValueError(f"up to {most} bytes in hexadecimal") from None

    return kind


def arguments(most: int) -> Kind:
    """A list of at most `most` values, each with its size in bytes."""

    def one(value: Any) -> Argument:
        if not isinstance(value, dict) or value.keys() != {"value", "size"} or value["size"] not in (4, 8):
            raise ValueError("objects with a value and a size of 4 or 8")
        return Argument(u64(value["value"]), value["size"])

    def kind(value: Any) -> tuple[Argument, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise ValueError(f"a list of at most {most} values with their sizes")
        return tuple(map(one, value))

    return kind


def size(least: int, most: int = _LARGEST_SIZE) -> Kind:
    """A number of bytes."""

    def kind(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a number of bytes from {least} to {most}")
        return value

    return kind


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def kind(value: Any) -> str:
        if value not in choices:
            raise ValueError(" or ".join(choices))
        return str(value)

    return kind


def nullable(kind: Kind) -> Kind:
    """What another kind permits, or null."""
    return lambda value: None if value is None else kind(value)
