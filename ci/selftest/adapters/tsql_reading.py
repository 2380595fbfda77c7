"""A reader of T-SQL's strings and delimited identifiers, written from the grammar alone."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """A piece of T-SQL: its kind (string, identifier or plain) and what it means."""

    kind: str
    value: str


def tokens(text: str) -> list[Token]:
    """Read a batch; what is neither white space nor within quotes is a plain token of one word or sign."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text.startswith("N'", at) or text[at] == "'":
            start = at + (2 if text[at] == "N" else 1)
            value, at = _until(text, start, "'")
            found.append(Token("string", value.replace("\\\r\n", "").replace("\\\n", "")))
        elif text[at] == "[":
            value, at = _until(text, at + 1, "]")
            found.append(Token("identifier", value))
        elif text[at].isspace():
            at += 1
        else:
            end = at + 1
            while text[at].isalnum() and end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            found.append(Token("plain", text[at:end]))
            at = end
    return found


def strings(text: str) -> list[str]:
    """Give the values of all strings."""
    return [token.value for token in tokens(text) if token.kind == "string"]


def identifiers(text: str) -> list[str]:
    """Give the values of all delimited identifiers."""
    return [token.value for token in tokens(text) if token.kind == "identifier"]


def words(text: str) -> str:
    """Give the plain tokens, with what is within quotes left out."""
    return " ".join(token.value for token in tokens(text) if token.kind == "plain")


def _until(text: str, at: int, quote: str) -> tuple[str, int]:
    value = ""
    while True:
        if at >= len(text):
            raise ValueError(f"no closing {quote}")
        if text[at] == quote:
            if text[at + 1 : at + 2] != quote:
                return value, at + 1
            at += 1
        value += text[at]
        at += 1
