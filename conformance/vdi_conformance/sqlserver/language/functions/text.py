"""Functions of texts and bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.functions.registry import UNLIMITED, function, simple
from vdi_conformance.sqlserver.language.patterns import place_of
from vdi_conformance.sqlserver.language.sqltypes import (
    BINARIES,
    CHARACTERS,
    INT,
    NVARCHAR_MAX,
    SYSNAME,
    UNICODE,
    VARCHAR_MAX,
)
from vdi_conformance.sqlserver.language.values import as_text, convert, need_room
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.expressions import Frame
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value

_LONGEST: Final = 8000
_LONGEST_NAME: Final = 128
_DIGESTS: Final = {"MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA2_256": "sha256", "SHA2_512": "sha512"}
_QUOTES: Final = {
    "[": "[]",
    "]": "[]",
    '"': '""',
    "'": "''",
    "(": "()",
    ")": "()",
    "<": "<>",
    ">": "<>",
    "{": "{}",
    "}": "{}",
    "`": "``",
}
_FLAT_WIDTH: Final = 10


def same_text(arguments: Sequence[Computed]) -> SqlType:
    """The type of a text that is as long as the first argument at the most."""
    found = arguments[0].type
    if found.name in CHARACTERS:
        return SqlType("nvarchar" if found.name in UNICODE else "varchar", found.length)
    return VARCHAR_MAX


def longer_text(arguments: Sequence[Computed]) -> SqlType:
    """The type of a text that may be longer than the first argument."""
    found = same_text(arguments)
    return found if not found.length else SqlType(found.name, 4000 if found.name == "nvarchar" else _LONGEST)


def _substring(text: str | bytes, start: int, length: int) -> Any:
    if length < 0:
        raise fault(1023, length, "substring")
    return text[max(start - 1, 0) : max(start - 1 + length, 0)]


def _replace(text: str, old: str, new: str) -> str:
    """Replace a text without regard to case."""
    if not old:
        return text
    lower, wanted, found, place = text.lower(), old.lower(), [], 0
    if len(lower) != len(text):
        need_room(len(text) + text.count(old) * len(new))
        return text.replace(old, new)
    longest = len(text)
    while (hit := lower.find(wanted, place)) >= 0:
        found += [text[place:hit], new]
        place = hit + len(old)
        longest += len(new)
        need_room(longest)
    return "".join((*found, text[place:]))


def _stuff(text: str, start: int, length: int, new: str) -> str | None:
    if not 1 <= start <= len(text) or length < 0:
        return None
    need_room(len(text) + len(new))
    return text[: start - 1] + new + text[start - 1 + length :]


def _position(wanted: str, text: str, start: int = 1) -> int:
    return text.lower().find(wanted.lower(), max(start - 1, 0)) + 1 if wanted else 0


def _quoted(text: str, quote: str = "[") -> str | None:
    ends = _QUOTES.get(quote[:1])
    if ends is None or len(text) > _LONGEST_NAME:
        return None
    return ends[0] + text.replace(ends[1], ends[1] * 2) + ends[1]


def _part_of_name(text: str, part: int) -> str | None:
    parts = [one[1:-1] if one[:1] == "[" and one[-1:] == "]" else one for one in text.split(".")]
    return parts[-part] or None if 1 <= part <= min(len(parts), 4) else None


def _digest(algorithm: str, data: str | bytes, encoding: str) -> bytes | None:
    name = _DIGESTS.get(algorithm.upper())
    if name is None:
        return None
    raw = data if isinstance(data, bytes) else data.encode(encoding, "replace")
    return hashlib.new(name, raw, usedforsecurity=False).digest()


def _flat(number: float, width: int = _FLAT_WIDTH, decimals: int = 0) -> str | None:
    if not 0 < width <= _LONGEST:
        return None
    text = f"{number:.{max(0, min(decimals, 16))}f}".rjust(width)
    return text if len(text) <= width else "*" * width


def _repeated(text: str, count: int) -> str | None:
    return None if count < 0 else text * count


@function("REPLICATE", 2)
def _replicate(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    result = longer_text(arguments)
    text, count = arguments[0].as_type(result._replace(length=0)), arguments[1].as_type(INT)

    def run(frame: Frame) -> Value:
        one, times = text(frame), count(frame)
        if one is None or times is None or times < 0:
            return None
        limit = result.length
        if limit and len(one) * times > limit:
            times = limit // max(len(one), 1) + 1
            return str(one * times)[:limit]
        need_room(len(one) * times)
        return str(one * times)

    return Computed(result, run)


@function("HASHBYTES", 2)
def _hashbytes(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    algorithm, data = arguments[0].as_type(NVARCHAR_MAX), arguments[1]
    kept = data.type if data.type.name in (*CHARACTERS, *BINARIES) else VARCHAR_MAX
    run_data = data.as_type(kept)
    encoding = "utf-16-le" if kept.name in UNICODE else "cp1252"

    def run(frame: Frame) -> Value:
        name, found = algorithm(frame), run_data(frame)
        return None if name is None or found is None else _digest(name, found, encoding)

    return Computed(SqlType("varbinary", _LONGEST), run)


def _joining(separated: bool) -> Callable[[Sequence[Computed], Surroundings], Computed]:
    def make(arguments: Sequence[Computed], session: Surroundings) -> Computed:
        national = any(one.type.name in UNICODE for one in arguments)
        runs = [one.as_type(NVARCHAR_MAX if national else VARCHAR_MAX) for one in arguments]

        def run(frame: Frame) -> Value:
            texts = [run(frame) for run in runs]
            need_room(sum(len(text or "") + len(texts[0] or "") for text in texts))
            if not separated:
                return "".join(text or "" for text in texts)
            return (texts[0] or "").join(text for text in texts[1:] if text is not None)

        return Computed(SqlType("nvarchar", 4000) if national else SqlType("varchar", _LONGEST), run)

    return make


function("CONCAT", 2, UNLIMITED)(_joining(separated=False))
function("CONCAT_WS", 3, UNLIMITED)(_joining(separated=True))


@function("DATALENGTH", 1)
def _datalength(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    (argument,) = arguments
    widths = {"bit": 1, "tinyint": 1, "smallint": 2, "int": 4, "uniqueidentifier": 16}

    def run(frame: Frame) -> Value:
        found = argument.run(frame)
        if isinstance(found, str):
            return len(found.encode("utf-16-le" if argument.type.name in UNICODE else "cp1252", "replace"))
        if isinstance(found, bytes):
            return len(found)
        return None if found is None else widths.get(argument.type.name, 8)

    return Computed(INT, run)


@function("SUBSTRING", 3)
def _substring_of(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    first = arguments[0]
    result = SqlType("varbinary", first.type.length) if first.type.name in BINARIES else same_text(arguments)
    source, runs = first.as_type(result._replace(length=0)), [one.as_type(INT) for one in arguments[1:]]

    def run(frame: Frame) -> Value:
        values = [source(frame), *(run(frame) for run in runs)]
        found: Value = None if None in values else _substring(*values)
        return found

    return Computed(result, run)


def _length(text: str) -> int:
    return len(text.rstrip(" "))


def _trim(text: str) -> str:
    return text.strip(" ")


simple("LEN", "s", INT, _length)
simple("LEFT", "si", same_text, lambda text, count: text[: max(count, 0)])
simple("RIGHT", "si", same_text, lambda text, count: text[-count:] if count > 0 else "")
simple("UPPER", "s", same_text, str.upper)
simple("LOWER", "s", same_text, str.lower)
simple("LTRIM", "s", same_text, lambda text: text.lstrip(" "))
simple("RTRIM", "s", same_text, lambda text: text.rstrip(" "))
simple("TRIM", "s", same_text, _trim)
simple("REVERSE", "s", same_text, lambda text: text[::-1])
simple("REPLACE", "sss", longer_text, _replace)
simple("STUFF", "siis", longer_text, _stuff)
simple("SPACE", "i", SqlType("varchar", _LONGEST), lambda count: _repeated(" ", min(count, _LONGEST)))
simple("CHARINDEX", "ssi", INT, _position, least=2)
simple("PATINDEX", "ss", INT, place_of)
simple("QUOTENAME", "ss", SqlType("nvarchar", 258), _quoted, least=1)
simple("PARSENAME", "si", SYSNAME, _part_of_name)
simple(
    "CHAR", "i", SqlType("char", 1), lambda code: bytes([code]).decode("cp1252", "replace") if 0 <= code < 256 else None
)
simple("NCHAR", "i", SqlType("nchar", 1), lambda code: chr(code) if 0 <= code < 0x10000 else None)
simple("ASCII", "s", INT, lambda text: text.encode("cp1252", "replace")[0] if text else None)
simple("UNICODE", "s", INT, lambda text: ord(text[0]) if text else None)
simple("STR", "fii", SqlType("varchar", _LONGEST), _flat, least=1)


@function("FORMATMESSAGE", 1, UNLIMITED)
def _format_message(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    from vdi_conformance.sqlserver.language.formatting import formatted

    def run(frame: Frame) -> Value:
        text, *values = (argument.run(frame) for argument in arguments)
        return None if text is None else formatted(as_text(convert(text, arguments[0].type, NVARCHAR_MAX)), values)

    return Computed(SqlType("nvarchar", 2048), run)
