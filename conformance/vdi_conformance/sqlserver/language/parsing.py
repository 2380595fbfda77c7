"""From the text of a batch to its statements; a parser made by lark does it, and nothing runs before all is read."""

from __future__ import annotations

import importlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.contract import Unavailable
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.tokens import KINDS, words

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.language.instructions import Instruction
    from vdi_conformance.sqlserver.language.tokens import Word

_NAMES: Final = ("BRACKETED", "QUOTED")
_PUNCTUATION: Final = {"SEMI": "_SEMI", "COMMA": "_COMMA", "DOT": "_DOT", "LPAR": "_LPAR", "RPAR": "_RPAR"}
_OWN_KINDS: Final = {"IDENT", "IMPLICIT_EXEC"}
_SYNONYMS: Final = {"EXECUTE": "EXEC", "TRANSACTION": "TRAN", "OUT": "OUTPUT", "PROC": "PROCEDURE"}


class LarkMissing(Unavailable):
    """The parser library is not installed; the text says how to."""


class Grammar(NamedTuple):
    """The parser, what it raises, and which words stand for which terminals."""

    parser: Any
    token: Any
    unexpected: type[Exception]
    reserved: frozenset[str]
    terminals: dict[str, str]


@cache
def grammar() -> Grammar:
    """Make the parser once, which takes half a second, or raise LarkMissing."""
    try:
        lark = importlib.import_module("lark")
    except ModuleNotFoundError as error:
        raise LarkMissing(
            f"the parser library lark is needed and missing here ({error}): "
            "install it with: python -m pip install vdi-conformance[emulator]"
        ) from None
    from vdi_conformance.sqlserver.language.building.builder import Builder

    here = resources.files(__package__)
    parser = lark.Lark(
        here.joinpath("tsql.lark").read_bytes().decode("utf-8"),
        parser="lalr",
        lexer="basic",
        maybe_placeholders=True,
        transformer=Builder(),
    )
    reserved = frozenset(here.joinpath("data/reserved.txt").read_bytes().decode("utf-8").split())
    symbols = {symbol for rule in parser.rules for symbol in rule.expansion if symbol.is_term}
    # A word that is called like a kind of words, such as INTEGER, is a name as any other.
    keywords = (symbol.name for symbol in symbols if symbol.name.lstrip("_") not in KINDS | _OWN_KINDS)
    terminals = {name.lstrip("_"): name for name in keywords}
    return Grammar(parser, lark.Token, lark.UnexpectedToken, reserved, terminals)


def parse(text: str, quoted_identifiers: bool = True) -> tuple[Instruction, ...]:
    """Read a batch; what is not T-SQL is a SqlError with the line on which it is."""
    known = grammar()
    reading = known.parser.parse_interactive()
    last: Word | None = None
    for word in words(text, quoted_identifiers):
        kind = _kind(known, reading, word)
        if last is None and kind == "IDENT":
            reading.feed_token(known.token("IMPLICIT_EXEC", "", line=word.line))
        _feed(known, reading, known.token(kind, word.text, line=word.line), word)
        last = word
    return () if last is None else tuple(_feed(known, reading, known.token("$END", "", line=last.line), last))


def _feed(known: Grammar, reading: Any, token: Any, word: Word) -> Any:
    """Give the parser one word more; `word` is the one that an error is near."""
    try:
        return reading.feed_token(token)
    except known.unexpected:
        raise _syntax_fault(known, word) from None
    except SqlError as error:
        raise error.at(word.line) from None


def _kind(known: Grammar, reading: Any, word: Word) -> str:
    """Tell which terminal a word is; one that is a keyword in some places alone is one where no name can be."""
    if word.kind in _NAMES:
        return "IDENT"
    if word.kind != "WORD":
        return _PUNCTUATION.get(word.kind, word.kind)
    written = word.text.upper()
    meant = _SYNONYMS.get(written, written)
    terminal = known.terminals.get(meant)
    if written in known.reserved:
        return terminal or meant
    if terminal is None or terminal not in reading.choices():
        return "IDENT"
    if "IDENT" in reading.choices() and "IDENT" in reading.accepts():
        return "IDENT"
    return terminal


def _syntax_fault(known: Grammar, word: Word) -> SqlError:
    if word.kind == "WORD" and word.text.upper() in known.reserved:
        return fault(156, word.text, line=word.line)
    return fault(102, word.text.strip("[]\"'")[:128] if word.kind != "WORD" else word.text, line=word.line)
