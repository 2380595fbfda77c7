"""The values of the options of `emulator`: how a word is read, and what it is refused for."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Final

from vdi_conformance.cli.refusal import WORD, UsageRefusal
from vdi_conformance.sqlserver.process.wiring import DatabaseWish
from vdi_conformance.untrusted.printable import shown

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]*):(\d{1,5})")
_SIZE: Final = re.compile(r"(\d{1,15})([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS: Final = " KMGT"
_LARGEST: Final = 1 << 44
_COMPLETION: Final = re.compile(r"(\d{1,9})=(0x[0-9A-Fa-f]{1,8}|\d{1,10})")
_HIGHEST_PORT: Final = 65535


def address(word: str) -> tuple[str, int]:
    """Read HOST:PORT; no host is every one of this computer."""
    found = _ADDRESS.fullmatch(word)
    if found is None or int(found[2]) > _HIGHEST_PORT:
        raise UsageRefusal(f"--tds: {_shown(word)} is no address; write HOST:PORT, such as 127.0.0.1:1433.")
    return found[1].strip("[]"), int(found[2])


def sized(word: str) -> DatabaseWish:
    """Read NAME=SIZE."""
    name, _, size = word.rpartition("=")
    found = _SIZE.fullmatch(size)
    bytes_ = int(found[1]) << 10 * _UNITS.index(found[2].upper() or " ") if found is not None else _LARGEST + 1
    if not name or bytes_ > _LARGEST:
        raise UsageRefusal(
            f"--database: {_shown(word)} is no database; write NAME=SIZE, such as sales=200M, of at most 16T."
        )
    return DatabaseWish(name, bytes_)


def completions(words: Iterable[str]) -> Mapping[int, int]:
    """Read N=CODE of each."""
    read: dict[int, int] = {}
    for word in words:
        found = _COMPLETION.fullmatch(word)
        if found is None or not int(found[1]) or int(found[2], 0) >= 1 << 32:
            raise UsageRefusal(
                f"--fail-completion: {_shown(word)} is no completion; write N=CODE, such as 3=112 for a full disk."
            )
        read[int(found[1])] = int(found[2], 0)
    return read


def group_of(name: str | None) -> int | None:
    """Give the number of a group."""
    if name is None:
        return None
    if sys.platform == "linux":
        import grp

        try:
            return grp.getgrnam(name).gr_gid
        except KeyError as error:
            raise UsageRefusal(f"--group: there is no group {_shown(name)} here; see `getent group`.") from error
    raise UsageRefusal("--group: groups share a directory on Linux alone; leave it out here.")


def _shown(word: str) -> str:
    return shown(repr(word), WORD)
