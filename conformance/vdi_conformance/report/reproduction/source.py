"""Writes a program down in a language, on the machinery of its template.

Nothing that others wrote gets out of its literals and comments.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from vdi_conformance.report.reproduction.judging import EARLY
from vdi_conformance.report.reproduction.numbers import expression
from vdi_conformance.report.reproduction.program import (
    Argument,
    Bytes,
    Fields,
    Invocation,
    Joined,
    Known,
    Program,
    Sized,
)
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi import completion, hresult, identifiers, methods
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.report.reproduction.program import Event, Fact, Number, Step

Language = Literal["python", "cpp"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
SUFFIXES: Final[dict[Language, str]] = {"python": ".py", "cpp": ".cpp"}


class _Writing(Protocol):
    """What languages write in their own way."""

    def text(self, text: str) -> str: ...

    def number(self, number: int) -> str: ...

    def word(self, value: bool | None) -> str: ...


class _Python:
    def text(self, text: str) -> str:
        return ascii(text)

    def number(self, number: int) -> str:
        return str(number) if number < 1 << 16 else hex(number)

    def word(self, value: bool | None) -> str:
        return str(value)


class _Cpp:
    def text(self, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return '"' + "".join(map(_in_a_literal, data)) + '"'

    def number(self, number: int) -> str:
        return str(number) if number < 1 << 16 else f"{number:#x}ull"

    def word(self, value: bool | None) -> str:
        return {True: "true", False: "false", None: "nullptr"}[value]


def _in_a_literal(byte: int) -> str:
    """Write a byte; a question mark by its number, so that no trigraph comes about."""
    if byte in _ESCAPED:
        return _ESCAPED[byte]
    return chr(byte) if 0x20 <= byte < 0x7F and byte != ord("?") else f"\\{byte:03o}"


_ESCAPED: Final = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n"}


_WRITING: Final[dict[Language, _Writing]] = {"python": _Python(), "cpp": _Cpp()}


class Source:
    """Writes the parts of a program; what a template calls."""

    def __init__(self, language: Language) -> None:
        self._writing = _WRITING[language]

    def text(self, text: str) -> str:
        """Write a literal."""
        return self._writing.text(text)

    def comment(self, text: str) -> str:
        """Give a text that can stand in a comment of one line: a backslash at its end would go on to the next."""
        told = shown(text)
        return f"{told} ." if told.endswith("\\") else told

    def invoked(self, step: Step) -> str:
        """Write what a step does."""
        made = step.invocation
        arguments = ", ".join(map(self._argument, made.arguments))
        if made.kind == "function":
            return f"{made.function}({arguments})"
        return f"{self._object(made)}.{made.function}({arguments})"

    def _object(self, made: Invocation) -> str:
        return f"{made.kind}({self.text(made.object)})"

    def _argument(self, argument: Argument) -> str:
        match argument:
            case bool() | None:
                return self._writing.word(argument)
            case str():
                return self.text(argument)
            case int() | Known():
                return self._number(argument)
            case Sized():
                return f"arg{argument.size}({self._number(argument.number)})"
            case Fields():
                return f"config({', '.join(map(self._writing.number, argument.numbers))})"
            case Bytes():
                return self._bytes(argument)
            case Joined():
                return self._joined(argument)

    def _number(self, number: Number) -> str:
        if isinstance(number, Known):
            return expression(number).replace(number.name, f"v({self.text(number.name)})", 1)
        return self._writing.number(number)

    def _bytes(self, given: Bytes) -> str:
        parts: list[str] = []
        at = 0
        for offset, word in sorted(given.words.items()):
            if offset > at:
                parts.append(f"hex_bytes({self.text(given.data[2 * at : 2 * offset])})")
            parts.append(f"word({self._number(word)})")
            at = offset + 8
        rest = given.data[2 * at :]
        if rest or not parts:
            parts.append(f"hex_bytes({self.text(rest)})")
        return " + ".join(parts)

    def _joined(self, given: Joined) -> str:
        parts: list[str] = []
        run = ""
        for part in given.parts:
            if isinstance(part, str):
                run += part
                continue
            parts += [f"text({self.text(run)})", f"as_hex({self._number(part)})"]
            run = ""
        return " + ".join([*parts, f"text({self.text(run)})"])

    def event(self, event: Event) -> str:
        """Write what comes next: the number of a call that begins, its negative where it ends."""
        return str(event.call if event.kind == "begins" else -event.call)

    def pairs(self, texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Write names and values as literals."""
        return [(self.text(name), self.text(value)) for name, value in texts]

    def fact(self, fact: Fact) -> tuple[str, str, str]:
        """Write what is known of a member of the answer."""
        return self.text(fact.key), self.text(fact.text), self.text(fact.name)


def source(program: Program, language: Language, protocol: str) -> str:
    """Write a program; `protocol` is the version of the host protocol that it speaks to a host of a server."""
    template = _environment().get_template(f"reproduce{SUFFIXES[language]}.j2")
    return template.render(
        program=program,
        source=Source(language),
        protocol=protocol,
        early=EARLY,
        names=sorted(hresult.NAMES.items()),
        completions=completion.NAMES,
        fields=VDConfig._fields,
        slots=methods.SLOTS,
        symbols=methods.LINUX_SYMBOLS,
        identifiers=identifiers,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("vdi_conformance.report"),
        autoescape=False,  # noqa: S701, what is made is a program, and every text passes Source
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
