"""From the text of the data files to the catalogue; what does not fit together is a ValueError. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final, TypeVar

from vdi_conformance.requirements.values import (
    BINDS,
    CAPABILITIES,
    LEVELS,
    NOTHING,
    OF_THE_APPLICATION,
    REACHES,
    REASONS,
    SOURCE_CLASSES,
    Catalogue,
    Challenge,
    Change,
    Question,
    Reading,
    Requirement,
    Scope,
    Source,
    Unchecked,
)

Row = dict[str, str]
K = TypeVar("K")

_REVIEWED: Final = (
    "topic",
    "level",
    "binds",
    "source_class",
    "reach",
    "questions",
    "statement",
    "source",
    "how_to_test",
)
TABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "requirements.tsv": ("id", *_REVIEWED),
        "changes.tsv": ("id", "column", "before", "after", "reason"),
        "unchecked.tsv": ("id", "reason", "sentence"),
        "optional.tsv": ("id", "capability"),
        "challenged.tsv": ("id", "since", "about"),
        "judged.tsv": ("id", "judged", "not_judged", "why"),
        "questions.tsv": ("id", "question", "unobserved"),
        "readings.tsv": ("question", "subject", "permitted", "checks"),
        "sources.tsv": ("tag", "title", "url"),
    }
)
"""The data files and their columns."""
KEYS: Final[Mapping[str, int]] = MappingProxyType({"changes.tsv": 2, "readings.tsv": 2})
"""So many columns tell the lines of a file apart, where it is not the first alone."""
_CLOSED: Final = {"level": LEVELS, "binds": BINDS, "source_class": SOURCE_CLASSES, "reach": REACHES}


def read(texts: Mapping[str, str]) -> Catalogue:
    """Make the catalogue from the texts of its data files."""
    rows = _table(texts, "requirements.tsv")
    by_id = {row["id"]: row for row in rows}
    questions = _questions(_table(texts, "questions.tsv"), _table(texts, "readings.tsv"))
    for row in rows:
        _check_row(row, questions)
    changes = _changes(_table(texts, "changes.tsv"), by_id)
    unchecked = _unchecked(_table(texts, "unchecked.tsv"), by_id)
    optional = _optional(_table(texts, "optional.tsv"), by_id)
    requirements = [
        _requirement(row, changes.get(row["id"], ()), unchecked.get(row["id"]), optional.get(row["id"], ""))
        for row in rows
    ]
    challenges = _challenges(_table(texts, "challenged.tsv"), by_id)
    scopes = _scopes(_table(texts, "judged.tsv"), {one.id: one for one in requirements})
    return Catalogue(
        requirements=tuple(
            replace(one, scope=scopes.get(one.id), challenge=challenges.get(one.id)) for one in requirements
        ),
        questions=MappingProxyType(questions),
        sources=MappingProxyType(
            {row["tag"]: Source(row["tag"], row["title"], row["url"]) for row in _table(texts, "sources.tsv")}
        ),
    )


def _table(texts: Mapping[str, str], name: str) -> list[Row]:
    """Read one file whose first line names its columns, and whose first column, or first two, are a key.

    A file that is generated says above that by which command.
    """
    columns = TABLES[name]
    text = texts[name].partition("\n")[2] if texts[name].startswith("#") else texts[name]
    head, *lines = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE) if text else [[]]
    if tuple(head) != columns:
        raise ValueError(f"{name} has the columns {', '.join(head) or 'of no name'}: name them {', '.join(columns)}")
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            raise ValueError(f"line {number} of {name} has {len(cells)} cells, not {len(columns)}: correct its tabs")
    keys = Counter(tuple(cells[: KEYS.get(name, 1)]) for cells in lines)
    if twice := [" ".join(key) for key, count in keys.items() if count > 1]:
        raise ValueError(f"{name} has {twice[0]} more than once: leave one of them")
    return [dict(zip(columns, cells, strict=True)) for cells in lines]


def _questions(entries: Iterable[Row], readings: Iterable[Row]) -> dict[str, Question]:
    tried: dict[str, list[Reading]] = {}
    for one in readings:
        found = Reading(one["subject"], tuple(_listed(one["permitted"], "|")), tuple(_listed(one["checks"])))
        tried.setdefault(one["question"], []).append(found)
    questions = {
        row["id"]: Question(row["id"], row["question"], tuple(tried.pop(row["id"], ())), row["unobserved"])
        for row in entries
    }
    for id in tried:
        raise ValueError(f"readings.tsv lists {id}, which is no question: correct the id or remove the line")
    for question in questions.values():
        if question.readings and question.unobserved:
            raise ValueError(
                f"questions.tsv says why {question.id} is not observed, but readings.tsv has it: remove one"
            )
    return questions


def _check_row(row: Row, questions: Iterable[str]) -> None:
    for column, known in _CLOSED.items():
        _expect_one_of("requirements.tsv", row["id"], column, row[column], known)
    for question in _listed(row["questions"]):
        _expect_one_of("requirements.tsv", row["id"], "question", question, questions)
    if not row["statement"]:
        raise ValueError(f"requirements.tsv says nothing of {row['id']}: add its statement")


def _changes(entries: Iterable[Row], by_id: Mapping[str, Row]) -> dict[str, tuple[Change, ...]]:
    found: dict[str, tuple[Change, ...]] = {}
    for entry in entries:
        id, column = entry["id"], entry["column"]
        _expect_one_of("changes.tsv", id, "column", column, _REVIEWED)
        present = _known("changes.tsv", id, by_id)[column]
        if entry["after"] != present:
            raise ValueError(
                f"changes.tsv says that {column} of {id} is now {entry['after']!r}, but requirements.tsv has "
                f"{present!r}: bring the two together"
            )
        if entry["before"] == present:
            raise ValueError(f"changes.tsv lists {column} of {id}, which did not change: remove the line")
        if not entry["reason"]:
            raise ValueError(f"changes.tsv gives no reason for {column} of {id}: add one")
        found[id] = (*found.get(id, ()), Change(column, entry["before"], entry["after"], entry["reason"]))
    return found


def _unchecked(entries: Iterable[Row], by_id: Mapping[str, Row]) -> dict[str, Unchecked]:
    found = {}
    for entry in entries:
        id = entry["id"]
        _known("unchecked.tsv", id, by_id)
        _expect_one_of("unchecked.tsv", id, "reason", entry["reason"], REASONS)
        if not entry["sentence"]:
            raise ValueError(f"unchecked.tsv does not say what its reason for {id} means: add a sentence")
        found[id] = Unchecked(entry["reason"], entry["sentence"])
    return found


def _optional(entries: Iterable[Row], by_id: Mapping[str, Row]) -> dict[str, str]:
    for entry in entries:
        _known("optional.tsv", entry["id"], by_id)
        _expect_one_of("optional.tsv", entry["id"], "capability", entry["capability"], CAPABILITIES)
    return {entry["id"]: entry["capability"] for entry in entries}


def _challenges(entries: Iterable[Row], by_id: Mapping[str, Row]) -> dict[str, Challenge]:
    found = {}
    for entry in entries:
        id = entry["id"]
        _known("challenged.tsv", id, by_id)
        try:
            since = date.fromisoformat(entry["since"])
        except ValueError:
            raise ValueError(f"challenged.tsv says no date such as 2027-01-31 for {id}: add it") from None
        if not entry["about"]:
            raise ValueError(f"challenged.tsv does not say what is disputed of {id}: add a sentence")
        found[id] = Challenge(since, entry["about"])
    return found


def _scopes(entries: Iterable[Row], by_id: Mapping[str, Requirement]) -> dict[str, Scope]:
    found = {}
    for entry in entries:
        id = entry["id"]
        if not _known("judged.tsv", id, by_id).has_scope:
            raise ValueError(f"judged.tsv lists {id}, which is no MUST or SHOULD of the library: remove the line")
        scope = Scope(entry["judged"], entry["not_judged"], entry["why"])
        if not scope.judged or not scope.not_judged:
            raise ValueError(f"judged.tsv does not say what is judged of {id} and what is not: fill both in")
        if (scope.not_judged == NOTHING) == bool(scope.why):
            raise ValueError(f"judged.tsv has a reason for {id} where nothing is left, or none where something is")
        found[id] = scope
    return found


def _requirement(row: Row, changes: tuple[Change, ...], unchecked: Unchecked | None, optional: str) -> Requirement:
    return Requirement(
        id=row["id"],
        topic=row["topic"],
        level=row["level"],
        binds=row["binds"],
        source_class=row["source_class"],
        reach=row["reach"],
        questions=tuple(_listed(row["questions"])),
        statement=row["statement"],
        source=row["source"],
        how_to_test=row["how_to_test"],
        changes=changes,
        unchecked=OF_THE_APPLICATION if unchecked is None and row["binds"] == "client application" else unchecked,
        optional=optional,
    )


def _listed(cell: str, between: str = ",") -> Iterator[str]:
    return filter(None, (part.strip() for part in cell.split(between)))


def _known(name: str, id: str, by_id: Mapping[str, K]) -> K:
    if id not in by_id:
        raise ValueError(f"{name} lists {id}, which is no requirement: correct the id or remove the line")
    return by_id[id]


def _expect_one_of(name: str, id: str, kind: str, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise ValueError(f"{name} has the {kind} {word!r} for {id}: known are {', '.join(known)}")
