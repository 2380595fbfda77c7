"""Values of a wrong form that can be told for what they were meant to be. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

_UNSIGNED: Final = 1 << 32
_SIGNED: Final = frozenset({"code", "handle", "completion_code", "refused"})
_ADDRESSES: Final = frozenset({"address", "buffer", "position", "stack", "heap", "unmapped"})
_DIGESTS: Final = frozenset({"sha256"})
_hex_digest = re.compile("[0-9a-f]{64}").fullmatch

Odd = list[tuple[str, str]]
"""Mistakes, each with what came."""


def tolerated(result: Any) -> tuple[Any, Odd]:
    """Give a result as it was meant, and what was odd about it."""
    odd: Odd = []
    return _meant(result, odd), odd


def _meant(value: Any, odd: Odd) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _member(name, one, odd) for name, one in value.items()}


def _member(name: str, value: Any, odd: Odd) -> Any:
    if name in _SIGNED and type(value) is int and -(_UNSIGNED >> 1) <= value < 0:
        odd.append(("code-is-signed", f"the {name} {value}"))
        return value + _UNSIGNED
    if (name in _ADDRESSES or (name == "data" and type(value) is int)) and type(value) is int and value >= 0:
        odd.append(("address-is-number", f"the {name} {value}, a number"))
        return hex(value)
    if name in _DIGESTS and isinstance(value, str) and not _hex_digest(value):
        return _digest(value, odd)
    return _meant(value, odd)


def _digest(value: str, odd: Odd) -> str:
    if _hex_digest(lowered := value.lower()):
        odd.append(("digest-form", "a digest with capital letters"))
        return lowered
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    if len(decoded) != 32:
        return value
    odd.append(("digest-form", "a digest in base64"))
    return decoded.hex()
