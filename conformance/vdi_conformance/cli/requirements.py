"""`vdi-conformance requirements`: the catalogue as a list, or one requirement with all that belongs to it."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vdi_conformance.cli.refusal import unknown
from vdi_conformance.requirements import Catalogue, Requirement, catalogue

TAG: Final = re.compile(r"\[([^\]]+)\]")
COLUMNS: Final = ("id", "level", "binds", "reach", "statement")


def requirements(
    requirement: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one with its sources.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic, such as GBH; may be repeated.")] = None,
) -> None:
    """List what is required of an implementation, or show one requirement in full."""
    known = catalogue()
    console = Console(markup=False, highlight=False, emoji=False)
    if requirement is None:
        for table in tables(known, topic or []):
            console.print(table)
        return
    row = known.get(requirement.upper())
    if row is None:
        raise unknown("requirement", requirement, (row.id for row in known.rows))
    for line in details(known, row):
        console.print(line, soft_wrap="://" in line.plain)


def tables(known: Catalogue, topics: list[str]) -> Iterator[Table]:
    """Make one table for each topic asked for; all topics where none is."""
    for topic in topics:
        if topic.upper() not in known.topics:
            raise unknown("topic", topic, known.topics)
    for topic in [topic.upper() for topic in topics] or known.topics:
        rows = [row for row in known.rows if row.group == topic]
        subjects = ", ".join(dict.fromkeys(row.topic for row in rows))
        table = Table(title=Text(f"{topic}: {subjects}", "bold"), title_justify="left", box=SIMPLE_HEAD)
        for column in COLUMNS:
            table.add_column(column, no_wrap=column in ("id", "level"))
        for row in rows:
            table.add_row(*(Text(getattr(row, column)) for column in COLUMNS))
        yield table


def details(known: Catalogue, row: Requirement) -> Iterator[Text]:
    """Give everything that the catalogue knows about one requirement, line by line."""
    yield Text(f"{row.id} {row.topic}", "bold")
    yield Text(", ".join((row.level, f"binds the {row.binds}", row.source_class, f"reach: {row.reach}")))
    yield Text(f"\n{row.statement}")
    sections = {
        "How it can be tested": [row.how_to_test],
        "Source": list(_sources(known, row)),
        "Open questions": [f"{question} {known.questions[question]}" for question in row.questions],
    }
    for title, lines in sections.items():
        if any(lines):
            yield Text(f"\n{title}", "bold")
            yield from map(Text, lines)


def _sources(known: Catalogue, row: Requirement) -> Iterator[str]:
    """Name the documents with their addresses; the row's own words only where they say more than that."""
    found = [known.sources[tag] for tag in TAG.findall(row.source) if tag in known.sources]
    if not found or TAG.sub("", row.source).strip():
        yield row.source
    for source in found:
        yield f"[{source.tag}] {source.title}: {source.address}"
