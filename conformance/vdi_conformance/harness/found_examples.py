"""Examples that were found to fail, kept by Hypothesis's own databases from run to run and from machine to machine."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

LARGEST: Final = 64 * 1024
"""Bytes: no key and no example is so large."""
_KEYS: Final = b"vdi-conformance: all keys"
"""What all keys are kept under, since no database tells which it has."""

Example = tuple[bytes, bytes]
"""An example, behind the key under which it is kept."""


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
        add(self._shared, [(self._prefix + key, value)])

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Give all."""
        return self._shared.fetch(self._prefix + key)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget one, which does not fail any more."""
        self._shared.delete(self._prefix + key, value)


def in_directories(directories: Sequence[Path]) -> ExampleDatabase:
    """Read examples from all of these directories, and write to the first alone."""
    first, *others = map(DirectoryBasedExampleDatabase, directories)
    return MultiplexedDatabase(first, *map(ReadOnlyDatabase, others))


def in_memory(examples: Iterable[Example]) -> ExampleDatabase:
    """Keep examples for as long as this process lives."""
    database = InMemoryExampleDatabase()
    add(database, examples)
    return database


def contents(database: ExampleDatabase) -> list[Example]:
    """Give all examples, to be sent to another machine."""
    return sorted((key, value) for key in {*database.fetch(_KEYS)} for value in database.fetch(key))


def add(database: ExampleDatabase, examples: Iterable[object]) -> None:
    """Keep examples, which may come from another machine: what cannot be one is a ForeignExample."""
    for example in examples:
        match example:
            case (bytes() as key, bytes() as value) if len(key) <= LARGEST and len(value) <= LARGEST:
                database.save(_KEYS, key)
                database.save(key, value)
            case _:
                raise ForeignExample("a worker has sent what is no example of Hypothesis: see what its machine runs")
