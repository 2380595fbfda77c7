"""`vdi-conformance requirements`: the catalogue as a list, what its review changed, or one requirement in full."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vdi_conformance.cli import values
from vdi_conformance.cli.checks import checks_by_row
from vdi_conformance.cli.refusal import unknown
from vdi_conformance.requirements import Catalogue, Requirement, catalogue
from vdi_conformance.requirements.profiles import newest
from vdi_conformance.requirements.values import TAG

COLUMNS: Final = ("id", "level", "binds", "reach", "statement")
EMPTY: Final = "empty"


TEXT: Final = "text"
JSON: Final = "json"
FORMATS: Final = (TEXT, JSON)
"""For whom the catalogue is shown."""


def requirements(
    requirement: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", autocompletion=values.requirement_ids, help="Show this one with its sources."),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="T", autocompletion=values.topics, help="Only this topic, such as GBH; may be repeated."),
    ] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="Only what the review of the catalogue changed, with its reasons.")
    ] = False,
    format: Annotated[
        str,
        typer.Option(
            metavar="F",
            parser=values.one_of("format", FORMATS),
            autocompletion=values.completing(lambda: FORMATS),
            help="One of text, json; JSON has every column, the checks and the changes.",
        ),
    ] = TEXT,
) -> None:
    """List what is required of an implementation, or show one requirement in full."""
    known = catalogue()
    rows = selected(known, requirement, topic or [], changes)
    if format == JSON:
        typer.echo(json.dumps([entry(row, checks_by_row().get(row.id, ())) for row in rows], indent=2))
        return
    console = Console(markup=False, highlight=False, emoji=False)
    if changes:
        for line in list(changed(rows)) or [Text("The review changed nothing here.")]:
            console.print(line)
    elif requirement is not None:
        for row in rows:
            for line in details(known, row, checks_by_row().get(row.id, ())):
                console.print(line, soft_wrap=bool(line.no_wrap))
    else:
        for table in tables(rows):
            console.print(table)


def selected(known: Catalogue, id: str | None, topics: Sequence[str], changes: bool) -> list[Requirement]:
    """Pick the one that was asked for, or those of the topics; all of them where nothing was said."""
    if id is not None and known.get(id.upper()) is None:
        raise unknown("requirement", id, (row.id for row in known.rows))
    for topic in topics:
        if topic.upper() not in known.topics:
            raise unknown("topic", topic, known.topics)
    groups = {topic.upper() for topic in topics} or set(known.topics)
    found = [row for row in known.rows if (row.group in groups if id is None else row.id == id.upper())]
    return [row for row in found if row.changes or not changes]


def tables(rows: Iterable[Requirement]) -> Iterator[Table]:
    """Make one table for each topic."""
    groups: dict[str, list[Requirement]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    for topic, of_group in groups.items():
        subjects = ", ".join(dict.fromkeys(row.topic for row in of_group))
        table = Table(title=Text(f"{topic}: {subjects}", "bold"), title_justify="left", box=SIMPLE_HEAD)
        for column in COLUMNS:
            table.add_column(column, no_wrap=column in ("id", "level"))
        for row in of_group:
            table.add_row(*(Text(getattr(row, column)) for column in COLUMNS))
        yield table


def changed(rows: Iterable[Requirement]) -> Iterator[Text]:
    """Tell what the review changed, column by column, and why."""
    for row in rows:
        for change in row.changes:
            yield Text(f"{row.id} {change.column}", "bold")
            yield Text(f"  before: {change.before or EMPTY}")
            yield Text(f"  after: {change.after or EMPTY}")
            yield Text(f"  reason: {change.reason}")


def entry(row: Requirement, checks: Sequence[str]) -> dict[str, Any]:
    """Lay out one requirement for JSON, with all that belongs to it."""
    return {
        "id": row.id,
        "topic": row.topic,
        "level": row.level,
        "binds": row.binds,
        "source_class": row.source_class,
        "reach": row.reach,
        "questions": list(row.questions),
        "statement": row.statement,
        "source": row.source,
        "how_to_test": row.how_to_test,
        "optional": row.optional or None,
        "profiles": [
            {"profile": one.name, "version": one.version, "standing": standing}
            for one in newest()
            if (standing := one.standing(row)) is not None
        ],
        "checks": list(checks),
        "unchecked": row.unchecked and {"reason": row.unchecked.reason, "sentence": row.unchecked.sentence},
        "changes": [
            {"column": one.column, "before": one.before, "after": one.after, "reason": one.reason}
            for one in row.changes
        ],
    }


def details(known: Catalogue, row: Requirement, checks: Sequence[str]) -> Iterator[Text]:
    """Give everything that is known about one requirement, line by line; one with `no_wrap` must not be broken."""
    yield Text(f"{row.id} {row.topic}", "bold")
    yield Text(", ".join((row.level, f"binds the {row.binds}", row.source_class, f"reach: {row.reach}")))
    yield Text(f"\n{row.statement}")
    sections: dict[str, list[str | Text]] = {
        "How it can be tested": [row.how_to_test],
        "Source": list(_sources(known, row)),
        "Open questions": [f"{question} {known.questions[question].text}" for question in row.questions],
        "Profiles": list(_profiles(row)),
        "Changed in review": [
            line
            for one in row.changes
            for line in (f"{one.column}, before: {one.before or EMPTY}", f"reason: {one.reason}")
        ],
        "Checks": list(_judged(row, checks)),
    }
    for title, lines in sections.items():
        if any(lines):
            yield Text(f"\n{title}", "bold")
            yield from (line if isinstance(line, Text) else Text(line) for line in lines)


def _profiles(row: Requirement) -> Iterator[str]:
    """Tell what the requirement is to each profile that speaks of it."""
    for one in newest():
        if (standing := one.standing(row)) is not None:
            unless = f", unless the adapter does not declare {row.optional}" if row.id in one.optional else ""
            yield f"{one.label}: {standing}{unless}"


def _judged(row: Requirement, checks: Sequence[str]) -> Iterator[str | Text]:
    """Name the checks of a requirement, or say why there is none."""
    yield from map(_whole, checks)
    if row.unchecked is not None:
        yield f"None, {row.unchecked.reason}. {row.unchecked.sentence}"
    elif not checks:
        yield "None yet."


def _sources(known: Catalogue, row: Requirement) -> Iterator[str | Text]:
    """Name the documents with their addresses; the row's own words only where they say more than that."""
    found = known.sources_of(row)
    if not found or TAG.sub("", row.source).strip():
        yield row.source
    for source in found:
        yield _whole(": ".join(filter(None, (f"[{source.tag}] {source.title}", source.address))))


def _whole(line: str) -> Text:
    return Text(line, no_wrap=True)
