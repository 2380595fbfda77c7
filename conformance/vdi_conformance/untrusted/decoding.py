"""Reads what others wrote: files that a user names, and the JSON and TOML in them or in a host's answers.

Whatever is wrong with it is an Unreadable, whose few words go into a sentence of whoever asked. What nests too deeply
or has numbers beyond 64 bits is refused here, since what was read of it could neither be shown nor written again.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from vdi_conformance.untrusted.misfits import plainly

T = TypeVar("T")

LARGEST: Final = 256 * 1024 * 1024
"""Bytes: no record of a run is so large."""
LARGEST_TOML: Final = 2 * 1024 * 1024
"""Characters: nobody writes so much by hand."""
DEEPEST: Final = 100
"""So many levels may lie within each other; what the suite itself writes has ten."""
_DIGITS: Final = 19
"""Every whole number of so many digits fits into 64 bits."""

# A closing quote may be missing, so that no text is looked through twice.
_JSON_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_TOML_STRING: Final = re.compile(r""""[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?|'[^'\n]*+'?""")
_MANY_DIGITS: Final = re.compile(rb"(?<![\d.])\d{%d}\d*+(?![.eE])" % (_DIGITS + 1))
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_TOO_DEEP: Final = f"it nests deeper than {DEEPEST} levels"
_TOO_LARGE: Final = "it has a whole number beyond 64 bits"


class Unreadable(ValueError):
    """What somebody wrote cannot be read; a few words say why."""


class TooLarge(Unreadable):
    """A file has more bytes than were asked for."""


def file_bytes(path: Path, most: int = LARGEST) -> bytes:
    """Read a file of at most so many bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    except ValueError as error:
        raise Unreadable("no file has such a name") from error
    if len(data) > most:
        raise TooLarge(f"it has more than {most} bytes")
    return data


def is_unicode(word: str) -> bool:
    """Whether a text can be written as UTF-8; a path whose bytes are none cannot."""
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def text(data: bytes) -> str:
    """Read UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 from byte {error.start} on") from error


def is_file(path: Path) -> bool:
    """Whether there is a file of that name; one that no system could have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def exists(path: Path) -> bool:
    """Whether there is anything of that name; what no system could have is not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_directory(path: Path) -> bool:
    """Whether there is a directory of that name; one that no system could have is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def json(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read JSON as what a decoder makes of it."""
    check_json(data)
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(plainly(error)) from error


def check_json(data: bytes) -> None:
    """Refuse what nests too deeply or has a whole number that is too large; whether it is JSON is not asked."""
    deep = data.count(b"[") + data.count(b"{") > DEEPEST
    large = _MANY_DIGITS.search(data) is not None
    if not (deep or large):
        return
    bare = _JSON_STRING.sub(b" ", data)
    if deep and _nests_deeply(bare):
        raise Unreadable(_TOO_DEEP)
    if large and _MANY_DIGITS.search(bare):
        raise Unreadable(_TOO_LARGE)


def toml(source: str) -> dict[str, Any]:
    """Read TOML."""
    if len(source) > LARGEST_TOML:
        raise Unreadable(f"it has more than {LARGEST_TOML} characters")
    # What has dots in its key is a table for each of them, and takes the reader time by their square.
    if any(line.count(".") > DEEPEST for line in _TOML_STRING.sub("", source).split("\n")):
        raise Unreadable(_TOO_DEEP)
    try:
        table = tomllib.loads(source)
    except RecursionError as error:
        raise Unreadable(_TOO_DEEP) from error
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(plainly(error)) from error
    except ValueError as error:
        raise Unreadable(_TOO_LARGE) from error
    _check_values(table)
    return table


def _nests_deeply(bare: bytes) -> bool:
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _check_values(table: dict[str, Any]) -> None:
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        within: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                within += value.values()
            elif isinstance(value, list):
                within += value
            elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                raise Unreadable(_TOO_LARGE)
        if not within:
            return
        level = within
    raise Unreadable(_TOO_DEEP)
