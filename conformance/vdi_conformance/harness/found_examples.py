"""Examples that were found to fail, kept by Hypothesis's own databases from run to run and from machine to machine."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

LARGEST: Final = 64 * 1024
"""Bytes: no example is so large."""
_PLACE: Final = re.compile(r"[0-9a-f]{1,128}/[0-9a-f]{1,128}")
"""Where a database of a directory keeps an example: by digests of its key and of the example."""


class ForeignExample(ValueError):
    """What another machine sent is no example of a database."""


class ExamplesOf(ExampleDatabase):
    """The examples of one check: Hypothesis has one key for all, since all are tried by one function."""

    def __init__(self, check: str, shared: ExampleDatabase) -> None:
        super().__init__()
        self._prefix = f"{check}\n".encode()
        self._shared = shared

    def save(self, key: bytes, value: bytes) -> None:
        """Keep one."""
        self._shared.save(self._prefix + key, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Give all."""
        return self._shared.fetch(self._prefix + key)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget one, which does not fail any more."""
        self._shared.delete(self._prefix + key, value)


def shared(directories: Sequence[Path]) -> ExampleDatabase:
    """Read examples from all of these directories, and write to the first alone."""
    first, *others = map(DirectoryBasedExampleDatabase, directories)
    return MultiplexedDatabase(first, *map(ReadOnlyDatabase, others))


def packed(directories: Iterable[Path]) -> dict[str, bytes]:
    """Give all examples of these directories, to be sent to another machine."""
    return {
        place: file.read_bytes()
        for directory in directories
        for file in sorted(directory.glob("*/*"))
        if _PLACE.fullmatch(place := file.relative_to(directory).as_posix()) and file.stat().st_size <= LARGEST
    }


def unpack(examples: Mapping[str, bytes], directory: Path) -> None:
    """Put examples into a directory; a ForeignExample where one would be elsewhere, or is none."""
    for place, example in examples.items():
        if not _PLACE.fullmatch(place) or len(example) > LARGEST:
            raise ForeignExample(f"{place[:80]!r} is no example of Hypothesis: see what that machine runs")
    for place, example in examples.items():
        file = directory / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(example)
