"""Where databases are kept: a file for each, written as a whole, so that a server that was killed finds them again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from vdi_conformance.untrusted import decoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")


class Unusable(Exception):
    """What an earlier server left in the directory cannot be read; one sentence has cause and remedy."""


class Store(Generic[T]):
    """Values of one type, each under a number."""

    def __init__(self, directory: Path, kind: type[T]) -> None:
        self._directory = directory
        self._decoder = msgspec.json.Decoder(kind)
        directory.mkdir(parents=True, exist_ok=True)

    def __iter__(self) -> Iterator[T]:
        """Give all values."""
        for path in sorted(self._directory.glob("*.json")):
            try:
                yield decoding.json(decoding.file_bytes(path), self._decoder)
            except decoding.Unreadable as error:
                raise Unusable(f"{path} cannot be read ({error}): delete it, or take another directory") from error

    def put(self, number: int, value: T) -> None:
        """Keep a value, instead of the one that was there."""
        replace(self._path(number), msgspec.json.encode(value))

    def remove(self, number: int) -> None:
        """Forget a value."""
        self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number}.json"


def replace(path: Path, data: bytes) -> None:
    """Write a file as a whole: whoever reads it sees what was there before, or all of this."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)  # noqa: PTH105
