"""The command lines of sqlcmd and osql, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Program = Literal["sqlcmd", "osql"]

EVERYTHING: Final = 0
"""From this severity on all messages go to standard error."""
_NUMBER: Final = re.compile("-?[0-9]{1,10}")
_TITLES: Final = MappingProxyType({"sqlcmd": "Sqlcmd", "osql": "Osql"})


class WrongUsage(Exception):
    """The command line cannot be obeyed; the text is what the program says of it."""


class HelpWanted(Exception):
    """The summary of the options is asked for."""


@dataclass(frozen=True)
class Options:
    """What a command line asks for; widths in characters, times in seconds (0: no limit)."""

    program: Program = "sqlcmd"
    server: str = ""
    user: str = ""
    password: str = ""
    is_trusted: bool = False
    database: str = ""
    host: str = ""
    query: str | None = None
    exits_after_query: bool = False
    inputs: tuple[str, ...] = ()
    output: str | None = None
    rows_per_header: int = 0
    """0: one header for each result; below 0: none at all."""
    separator: str = " "
    width: int = 0
    trims: bool = False
    errors_from: int | None = None
    """The lowest severity that goes to standard error; None: nothing does."""
    echoes: bool = False
    stops_on_error: bool = False
    shown_from: int | None = None
    exit_from: int | None = None
    """The lowest severity of an error that becomes the exit code (-V)."""
    login_timeout: int = 8
    query_timeout: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    substitutes: bool = True
    terminator: str = "GO"
    longest_variable: int = 256
    """So many characters are shown of a type whose length is max; 0 shows all."""
    longest_fixed: int = 0
    """So many are shown of other texts; 0 shows all."""
    numbers_lines: bool = False

    @property
    def title(self) -> str:
        """What the program calls itself in its own messages."""
        return _TITLES[self.program]


def _text(name: str) -> Callable[[Options, str], Options]:
    return lambda options, value: replace(options, **{name: value})  # type: ignore[arg-type]


def _number(name: str, least: int, most: int) -> Callable[[Options, str], Options]:
    def read(options: Options, value: str) -> Options:
        if not (_NUMBER.fullmatch(value) and least <= int(value) <= most):
            raise WrongUsage(f"'{value}': Invalid argument. Enter a number from {least} to {most}.")
        return replace(options, **{name: int(value)})  # type: ignore[arg-type]

    return read


def _flag(**changes: bool | str) -> Callable[[Options, str], Options]:
    return lambda options, _: replace(options, **changes)  # type: ignore[arg-type]


def _query(exits: bool) -> Callable[[Options, str], Options]:
    return lambda options, value: replace(options, query=value, exits_after_query=exits)


def _inputs(options: Options, value: str) -> Options:
    named = value.split(",") if options.program == "sqlcmd" else [value]
    return replace(options, inputs=(*options.inputs, *named))


def _variable(options: Options, value: str) -> Options:
    name, equals, text = value.partition("=")
    if not equals or not name:
        raise WrongUsage(f"'{value}': Invalid argument. Write a variable as name=value.")
    return replace(options, variables={**options.variables, name.upper(): text.strip('"')})


def _to_standard_error(options: Options, value: str) -> Options:
    lowest = 17 if options.program == "osql" else 11
    return replace(options, errors_from=EVERYTHING if value == "1" else lowest)


def _ignored(options: Options, _: str) -> Options:
    return options


def _help(_: Options, _value: str) -> Options:
    raise HelpWanted


_VALUES: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType(
    {
        "S": _text("server"),
        "U": _text("user"),
        "P": _text("password"),
        "d": _text("database"),
        "H": _text("host"),
        "q": _query(exits=False),
        "Q": _query(exits=True),
        "i": _inputs,
        "o": _text("output"),
        "h": _number("rows_per_header", -1, 2**31 - 1),
        "s": _text("separator"),
        "w": _number("width", 9, 65535),
        "l": _number("login_timeout", 0, 65534),
        "t": _number("query_timeout", 0, 65534),
        "c": _text("terminator"),
        "m": _number("shown_from", -1, 25),
        "a": _ignored,
    }
)
_OF_SQLCMD: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType(
    {
        **_VALUES,
        "v": _variable,
        "V": _number("exit_from", 0, 25),
        "y": _number("longest_variable", 0, 8000),
        "Y": _number("longest_fixed", 0, 8000),
        "f": _ignored,
        "K": _ignored,
    }
)
_OF_OSQL: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType({**_VALUES, "D": _text("server")})
_FLAGS: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType(
    {
        "E": _flag(is_trusted=True),
        "b": _flag(stops_on_error=True),
        "e": _flag(echoes=True),
        "r": _to_standard_error,
        "?": _help,
        **dict.fromkeys("IRup", _ignored),
    }
)
_FLAGS_OF_SQLCMD: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType(
    {**_FLAGS, "W": _flag(trims=True), "x": _flag(substitutes=False), **dict.fromkeys("CNMkA", _ignored)}
)
_FLAGS_OF_OSQL: Final[Mapping[str, Callable[[Options, str], Options]]] = MappingProxyType(
    {**_FLAGS, "n": _flag(numbers_lines=False), "O": _ignored}
)
_ENDINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"r": ("", "0", "1"), "p": ("", "1"), "k": ("", "1", "2"), "N": ("", "s", "m", "o"), "?": ("",)}
)
"""What may follow a flag at once."""
_SEVERAL: Final = frozenset("iv")
"""Options whose values may be several words, up to the next option."""
_USAGE: Final = {
    "sqlcmd": (
        "usage: Sqlcmd [-S server] [-U login id] [-P password] [-E trusted connection]\n"
        "  [-d database] [-l login timeout] [-t query timeout] [-H hostname]\n"
        "  [-q query] [-Q query, then exit] [-i input files] [-o output file]\n"
        "  [-h rows per header, -1 for none] [-s column separator] [-w screen width]\n"
        "  [-W remove trailing spaces] [-y and -Y longest values] [-e echo input]\n"
        "  [-b exit on an error] [-V severity of the exit code] [-m severity shown]\n"
        "  [-r[0|1] messages to standard error] [-v name=value ...] [-x no variables]\n"
        "  [-c batch terminator] [-C and -N, without effect here] [-? this]\n"
    ),
    "osql": (
        "usage: osql [-S server] [-U login id] [-P password] [-E trusted connection]\n"
        "  [-d database] [-l login timeout] [-t query timeout] [-H hostname]\n"
        "  [-q query] [-Q query, then exit] [-i input file] [-o output file]\n"
        "  [-h rows per header, -1 for none] [-s column separator] [-w screen width]\n"
        "  [-b exit on an error] [-m severity with headers] [-r[0|1] messages to standard error]\n"
        "  [-n no line numbers] [-e echo input] [-c batch terminator] [-? this]\n"
    ),
}


def usage(program: Program) -> str:
    """Give the summary of the options."""
    return _USAGE[program]


def parse(program: Program, arguments: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Read a command line; WrongUsage or HelpWanted where nothing is to be run."""
    options = _beginning(program, environment)
    values, flags = (_OF_SQLCMD, _FLAGS_OF_SQLCMD) if program == "sqlcmd" else (_OF_OSQL, _FLAGS_OF_OSQL)
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if len(word) < 2 or word[0] not in "-/":
            raise WrongUsage(f"'{word}': Unexpected argument. Enter '-?' for help.")
        letter, rest = word[1], word[2:]
        if letter in flags and rest in _ENDINGS.get(letter, ("",)):
            options = flags[letter](options, rest)
        elif letter in values:
            options = _with_values(options, values[letter], letter, rest, waiting)
        else:
            raise WrongUsage(f"'{word}': Unknown Option. Enter '-?' for help.")
    return _checked(options, arguments)


def _beginning(program: Program, environment: Mapping[str, str]) -> Options:
    """Take what the environment says, as the options that it stands for."""
    if program == "osql":
        return Options(
            program,
            server=environment.get("OSQLSERVER", ""),
            user=environment.get("OSQLUSER", ""),
            password=environment.get("OSQLPASSWORD", ""),
            width=80,
            numbers_lines=True,
        )
    options = Options(
        program,
        server=environment.get("SQLCMDSERVER", ""),
        user=environment.get("SQLCMDUSER", ""),
        password=environment.get("SQLCMDPASSWORD", ""),
        database=environment.get("SQLCMDDBNAME", ""),
        separator=environment.get("SQLCMDCOLSEP", " "),
    )
    for letter, name in (("w", "SQLCMDCOLWIDTH"), ("h", "SQLCMDHEADERS"), ("m", "SQLCMDERRORLEVEL")):
        if environment.get(name, "0") != "0":
            options = _OF_SQLCMD[letter](options, environment[name])
    return options


def _with_values(
    options: Options, read: Callable[[Options, str], Options], letter: str, rest: str, waiting: list[str]
) -> Options:
    if not rest and not waiting:
        raise WrongUsage(f"'-{letter}': Missing argument. Enter '-?' for help.")
    options = read(options, rest or waiting.pop(0))
    while letter in _SEVERAL and waiting and waiting[0][:1] not in ("-", "/"):
        options = read(options, waiting.pop(0))
    return options


def _checked(options: Options, arguments: Sequence[str]) -> Options:
    named = {word[1] for word in arguments if len(word) > 1 and word[0] in "-/"}
    if options.is_trusted and named & {"U", "P"}:
        raise WrongUsage("The -E and the -U/-P options are mutually exclusive.")
    if options.query is not None and options.inputs:
        raise WrongUsage("The -i and the -Q/-q options are mutually exclusive.")
    if not options.user:
        return replace(options, is_trusted=True)
    return options
