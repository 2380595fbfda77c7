"""Reads the catalogue from its data files."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

LEVELS: Final = ("MUST", "SHOULD", "MAY", "INFO")
BINDS: Final = ("library", "server", "client application")
REACHES: Final = ("none", "statement", "scripted", "abi", "platform", "not testable")


@dataclass(frozen=True)
class Requirement:
    """One testable statement: what is required of whom, how firmly, and where that is written.

    `level` is MUST, SHOULD, MAY or INFO; `reach` the least server level at which it can be judged; `questions` the
    open questions that touch it.
    """

    id: str
    topic: str
    level: str
    binds: str
    source_class: str
    reach: str
    questions: tuple[str, ...]
    statement: str
    source: str
    how_to_test: str

    @property
    def group(self) -> str:
        """The part of the id before the dash, such as GBH."""
        return self.id.partition("-")[0]


@dataclass(frozen=True)
class Source:
    """A public document: its tag in the catalogue, its title and its address."""

    tag: str
    title: str
    address: str


@dataclass(frozen=True)
class Catalogue:
    """All requirements in their order, and what they refer to."""

    rows: tuple[Requirement, ...]
    questions: Mapping[str, str]
    sources: Mapping[str, Source]

    def get(self, id: str) -> Requirement | None:
        """Find a requirement by its id."""
        return next((row for row in self.rows if row.id == id), None)

    @property
    def topics(self) -> tuple[str, ...]:
        """The groups of requirements, such as GBH, in their order."""
        return tuple(dict.fromkeys(row.group for row in self.rows))


@cache
def catalogue() -> Catalogue:
    """Read the catalogue that this version of the suite ships."""
    return Catalogue(
        rows=tuple(
            msgspec.convert({**row, "questions": [*filter(None, row["questions"].split(","))]}, Requirement)
            for row in _table("requirements.tsv")
        ),
        questions=MappingProxyType({row["id"]: row["question"] for row in _table("questions.tsv")}),
        sources=MappingProxyType(
            {row["tag"]: Source(row["tag"], row["title"], row["url"]) for row in _table("sources.tsv")}
        ),
    )


def _table(name: str) -> list[dict[str, str]]:
    text = (files(__package__) / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
