"""Texts that can be written as UTF-8: half of a pair, which T-SQL can make, becomes a replacement character; pure."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def wellformed(value: T) -> T:
    """Give a text, or a tuple of whatever kind with all texts in it, as it can be kept."""
    made: Any = value
    if isinstance(value, str):
        made = _text(value)
    elif isinstance(value, tuple):
        parts = map(wellformed, value)
        made = type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return made  # type: ignore[no-any-return]


def _text(value: str) -> str:
    if value.isascii():
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
