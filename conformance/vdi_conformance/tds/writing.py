"""Writes the fields that tokens are made of."""

from __future__ import annotations

from typing import Final

LONGEST_SHORT_TEXT: Final = 255
"""16-bit characters."""


def encoded(text: str) -> bytes:
    """Give a text as UTF-16; halves of characters become question marks."""
    return text.encode("utf-16-le", "replace")


def clipped(text: str, most: int) -> bytes:
    """Give at most so many 16-bit characters of a text, none of which is cut in two."""
    data = encoded(text)
    return data if len(data) <= 2 * most else encoded(data[: 2 * most].decode("utf-16-le", "ignore"))


def short_text(text: str) -> bytes:
    """Give a text with its length in one byte (B_VARCHAR)."""
    data = clipped(text, LONGEST_SHORT_TEXT)
    return bytes([len(data) // 2]) + data


def short_bytes(data: bytes) -> bytes:
    """Give bytes with their length in one byte (B_VARBYTE)."""
    return bytes([len(data)]) + data


def long_text(text: str, most: int) -> bytes:
    """Give a text with its length in two bytes (US_VARCHAR)."""
    data = clipped(text, most)
    return (len(data) // 2).to_bytes(2, "little") + data


def token(code: int, content: bytes) -> bytes:
    """Give a token whose length is in two bytes."""
    return bytes([code]) + len(content).to_bytes(2, "little") + content
