"""The least value of each message type, so that there is an example of every message without a list of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXTS: Final = ("a", "0x10000", "2.0", "00", "a" * 64)


def sample(kind: Any) -> Any:
    """Give a value of a type, as plain data."""
    return _sample(inspect.type_info(kind))


def _text(info: inspect.StrType) -> str:
    found = next(text for text in _TEXTS if re.search(info.pattern or "", text))
    return found * (info.min_length or 1)


def _of_members(info: inspect.StructType | inspect.DataclassType) -> dict[str, Any]:
    return {one.encode_name: _sample(one.type) for one in info.fields}


def _list(info: inspect.ListType | inspect.VarTupleType | inspect.FrozenSetType) -> list[Any]:
    return [_sample(info.item_type)] * (info.min_length or 1)


def _dict(info: inspect.DictType) -> dict[str, Any]:
    return {_sample(info.key_type): _sample(info.value_type)}


_SAMPLES: Final[dict[type, Callable[[Any], Any]]] = {
    inspect.AnyType: lambda _: {},
    inspect.NoneType: lambda _: None,
    inspect.BoolType: lambda _: True,
    inspect.IntType: lambda info: info.ge or (0 if info.gt is None else info.gt + 1),
    inspect.FloatType: lambda _: 1.0,
    inspect.StrType: _text,
    inspect.LiteralType: lambda info: info.values[0],
    inspect.ListType: _list,
    inspect.VarTupleType: _list,
    inspect.FrozenSetType: _list,
    inspect.TupleType: lambda info: [_sample(one) for one in info.item_types],
    inspect.DictType: _dict,
    inspect.StructType: _of_members,
    inspect.DataclassType: _of_members,
    inspect.UnionType: lambda info: _sample(info.types[0]),
    inspect.Metadata: lambda info: _sample(info.type),
}


def _sample(info: inspect.Type) -> Any:
    return _SAMPLES[type(info)](info)


def encoded(value: Any) -> bytes:
    """Give plain data as JSON."""
    return msgspec.json.encode(value)
