"""Texts that others wrote, made fit to be shown: what is not printable is spelled out, and the length is bounded.

Hosts, adapters, servers and files may say anything. Whatever is drawn from them, on a terminal, into a report or into a
sentence, passes here. `shown` and `shown_lines` leave alone what they have made, so that a text may pass twice.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final

LINE: Final = 1000
"""So many characters has a text in one line at the most: a name, an id, a value."""
TEXT: Final = 50_000
"""So many has a text of several lines: a sentence with all that a server said, a traceback."""

_HIDDEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that nobody sees, although Python calls them printable."""
_SUSPECT: Final = re.compile("[^\x20-\x7e]")
# What programs that show logs take for a command, such as ::error in a line of its own, or ##[error] anywhere.
_COMMAND: Final = re.compile(
    r"(?:(?<=\s)|^):(?=:)"
    r"|:(?=:(?:error|warning|notice|debug|group|endgroup|add-\w+|set-\w+|save-\w+|stop-\w+|remove-\w+|echo)(?: |::))"
    r"|#(?=#(?:\[|vso\[|teamcity\[))",
    re.MULTILINE,
)
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|~&@!])|:(?=//)")


def shown(text: str, limit: int = LINE) -> str:
    """Give a text in one line of at most `limit` characters; what is left out is counted at its end."""
    # Nearly every text is plain, and a report shows many of them.
    if len(text) <= limit and text.isascii() and text.isprintable() and len(told := _defused(text)) <= limit:
        return told
    return _bounded(text, limit, lambda part: _defused(_SUSPECT.sub(_spelled, part)))


def shown_lines(text: str, limit: int = TEXT) -> str:
    """Give a text whose lines and tabs stay, of at most `limit` characters."""
    if len(text) <= limit and text.isascii() and text.isprintable() and len(told := _defused(text)) <= limit:
        return told
    return _bounded(text, limit, lambda part: _defused(_SUSPECT.sub(_spelled_in_lines, part.replace("\r\n", "\n"))))


def shown_end(text: str, limit: int) -> str:
    """Give the last lines of a text, of at most `limit` characters before what is not printable is spelled out."""
    left_out = len(text) - limit
    return shown_lines(text if left_out <= 0 else f"({left_out} characters before) … {text[-limit:]}")


def in_markdown(text: str, limit: int = LINE) -> str:
    """Give a text in one line as Markdown that shows it as it is: no link, no HTML, no heading, no table."""
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", shown(text, limit))


def code_in_markdown(text: str) -> str:
    """Give a name in one line as code in Markdown, fenced with more backticks than it has in a row."""
    told = " ".join(shown(text).split())
    fence = fence_around(told)
    pad = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{fence}{pad}{told}{pad}{fence}"


def in_json(value: Any) -> str:
    """Give plain data as a JSON document of ASCII, which says the same."""
    return _COMMAND.sub(_by_code, json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def in_toml(text: str) -> str:
    """Give a text as a string of a TOML file, which says the same; half a character becomes a question mark."""
    written = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
    plain = _SUSPECT.sub(lambda found: found[0] if _plain(found[0]) else _by_code(found), written)
    return _COMMAND.sub(_by_code, plain)


def fence_around(text: str, least: int = 1) -> str:
    """Give as many backticks as Markdown needs around a text that is to be code."""
    return "`" * max(least, 1 + max((len(run) for run in re.findall("`+", text)), default=0))


def keepable(value: Any, limit: int = TEXT, most: int | None = None) -> Any:
    """Give plain data that a file can keep: its texts are as they were, but bounded, and without half characters.

    Lists have `most` elements at the most, and then a text that counts the others.
    """
    match value:
        case str():
            return _bounded(value, limit, lambda part: part.encode("utf-8", "backslashreplace").decode())
        case dict():
            return {keepable(key, LINE): keepable(one, limit, most) for key, one in value.items()}
        case list() | tuple():
            more = [] if most is None or len(value) <= most else [f"… ({len(value) - most} more)"]
            return [*(keepable(one, limit, most) for one in value[:most]), *more]
    return value


def _defused(text: str) -> str:
    if "::" not in text and "##" not in text:
        return text
    return _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _spelled(found: re.Match[str]) -> str:
    return found[0] if _plain(found[0]) else ascii(found[0])[1:-1]


def _plain(letter: str) -> bool:
    # Wide spaces are harmless, and some languages are written with them.
    return (letter.isprintable() and not _HIDDEN.match(letter)) or unicodedata.category(letter) == "Zs"


def _by_code(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _spelled_in_lines(found: re.Match[str]) -> str:
    return found[0] if found[0] in "\n\t" else _spelled(found)


def _bounded(text: str, limit: int, made: Callable[[str], str]) -> str:
    """Make a text, or as much of its beginning as there is room for beside the count of the rest."""
    if len(text) <= limit and len(whole := made(text)) <= limit:
        return whole
    least, most = 0, min(len(text), limit)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if len(_cut(text, middle, made)) <= limit else (least, middle - 1)
    return _cut(text, least, made)


def _cut(text: str, end: int, made: Callable[[str], str]) -> str:
    return f"{made(text[:end])}… ({len(text) - end} more characters)"
