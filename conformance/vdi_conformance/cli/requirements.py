"""`vdi-conformance requirements`: the catalogue as a list, what its review changed, or one requirement in full."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from vdi_conformance.applications.standards import standards
from vdi_conformance.cli import values
from vdi_conformance.cli.checks import checks as all_checks
from vdi_conformance.cli.checks import checks_by_requirement
from vdi_conformance.cli.output import show, to_standard_output
from vdi_conformance.cli.refusal import unknown
from vdi_conformance.proof.found import faults_of
from vdi_conformance.requirements import Catalogue, Requirement, catalogue
from vdi_conformance.requirements.profiles import newest
from vdi_conformance.requirements.values import REACHES, TAG

COLUMNS: Final = ("id", "level", "binds", "reach", "statement")
EMPTY: Final = "empty"


TEXT: Final = "text"
JSON: Final = "json"
FORMATS: Final = (TEXT, JSON)
"""For whom the catalogue is shown."""
HTML: Final = "html"


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
        values.format_of(*FORMATS, HTML, remark="; JSON and the page have every column, the checks and the changes"),
    ] = TEXT,
) -> None:
    """List what is required, or show one requirement in full."""
    known = catalogue()
    requirements = selected(known, requirement, topic or [], changes)
    if format == JSON:
        listed = [entry(one, checks_by_requirement().get(one.id, ())) for one in requirements]
        typer.echo(json.dumps(listed, indent=2))
        return
    if format == HTML:
        # Here, so that the others do not wait for what makes pages.
        from vdi_conformance.report.catalogue_page import Drawn, catalogue_page

        page = catalogue_page(known, [Drawn(one, _checks(one), faults_of(one.id)) for one in requirements])
        to_standard_output(page.encode())
        return
    if changes:
        show(list(changed(requirements)) or [Text("The review changed nothing here.")])
    elif requirement is not None:
        show(line for one in requirements for line in details(known, one, checks_by_requirement().get(one.id, ())))
    else:
        show(tables(requirements))


def _checks(requirement: Requirement) -> dict[str, str]:
    """Give the checks of a requirement without their parameters, each with what it holds."""
    found = all_checks()
    return {id_.partition("[")[0]: found[id_].about for id_ in checks_by_requirement().get(requirement.id, ())}


def selected(known: Catalogue, id: str | None, topics: Sequence[str], changes: bool) -> list[Requirement]:
    """Pick the one that was asked for, or those of the topics; all of them where nothing was said."""
    if id is not None and known.get(id.upper()) is None:
        raise unknown("requirement", id, (requirement.id for requirement in known.requirements))
    for topic in topics:
        if topic.upper() not in known.topics:
            raise unknown("topic", topic, known.topics)
    groups = {topic.upper() for topic in topics} or set(known.topics)
    found = [
        requirement
        for requirement in known.requirements
        if (requirement.group in groups if id is None else requirement.id == id.upper())
    ]
    return [requirement for requirement in found if requirement.changes or not changes]


def tables(requirements: Iterable[Requirement]) -> Iterator[Table]:
    """Make one table for each topic."""
    groups: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        groups.setdefault(requirement.group, []).append(requirement)
    for topic, of_group in groups.items():
        subjects = ", ".join(dict.fromkeys(requirement.topic for requirement in of_group))
        table = Table(title=Text(f"{topic}: {subjects}", "bold"), title_justify="left", box=SIMPLE_HEAD)
        for column in COLUMNS:
            table.add_column(column, no_wrap=column in ("id", "level"))
        for requirement in of_group:
            table.add_row(*(Text(getattr(requirement, column)) for column in COLUMNS))
        yield table


def changed(requirements: Iterable[Requirement]) -> Iterator[Text]:
    """Tell what the review changed, column by column, and why."""
    for requirement in requirements:
        for change in requirement.changes:
            yield Text(f"{requirement.id} {change.column}", "bold")
            yield Text(f"  before: {change.before or EMPTY}")
            yield Text(f"  after: {change.after or EMPTY}")
            yield Text(f"  reason: {change.reason}")


def entry(requirement: Requirement, checks: Sequence[str]) -> dict[str, Any]:
    """Lay out one requirement for JSON, with all that belongs to it."""
    found = all_checks()
    return {
        "id": requirement.id,
        "topic": requirement.topic,
        "level": requirement.level,
        "binds": requirement.binds,
        "source_class": requirement.source_class,
        "reach": requirement.reach,
        "questions": list(requirement.questions),
        "statement": requirement.statement,
        "source": requirement.source,
        "how_to_test": requirement.how_to_test,
        "optional": requirement.optional or None,
        "challenge": requirement.challenge
        and {"since": requirement.challenge.since.isoformat(), "about": requirement.challenge.about},
        "profiles": [
            {"profile": one.name, "version": one.version, "standing": standing}
            for one in newest()
            if (standing := one.standing(requirement)) is not None
        ],
        "checks": [{"id": id_, **found[id_]._asdict()} for id_ in checks],
        "faults": dict(faults_of(requirement.id)),
        "unchecked": requirement.unchecked
        and {"reason": requirement.unchecked.reason, "sentence": requirement.unchecked.sentence},
        "scope": requirement.scope
        and {
            "judged": requirement.scope.judged,
            "not_judged": requirement.scope.not_judged,
            "why": requirement.scope.why,
        },
        "changes": [
            {"column": one.column, "before": one.before, "after": one.after, "reason": one.reason}
            for one in requirement.changes
        ],
    }


def details(known: Catalogue, requirement: Requirement, checks: Sequence[str]) -> Iterator[Text]:
    """Give everything that is known about one requirement, line by line; one with `no_wrap` must not be broken."""
    yield Text(f"{requirement.id} {requirement.topic}", "bold")
    yield Text(
        ", ".join(
            (
                requirement.level,
                f"binds the {requirement.binds}",
                requirement.source_class,
                REACHES[requirement.reach],
            )
        )
    )
    yield Text(f"\n{requirement.statement}")
    sections: dict[str, list[str | Text]] = {
        "How it can be tested": [requirement.how_to_test],
        "Source": list(_sources(known, requirement)),
        "Open questions": [f"{question} {known.questions[question].text}" for question in requirement.questions],
        "Under challenge": [f"since {one.since}: {one.about}" for one in [requirement.challenge] if one],
        "Profiles": list(_profiles(requirement)),
        "Changed in review": [
            line
            for one in requirement.changes
            for line in (f"{one.column}, before: {one.before or EMPTY}", f"reason: {one.reason}")
        ],
        "How much of it is judged": list(_scope(requirement)),
        "Judged by emulator --judge": list(_of_applications(requirement)),
        "Checks": list(_judged(requirement, checks)),
        "Faults that turn it red": [f"{name}: {about}" for name, about in faults_of(requirement.id).items()],
    }
    for title, lines in sections.items():
        if any(lines):
            yield Text(f"\n{title}", "bold")
            yield from (line if isinstance(line, Text) else Text(line) for line in lines)


def _of_applications(requirement: Requirement) -> Iterator[str]:
    """Tell what is judged of a client application, and what is not."""
    for standard in standards():
        if standard.id == requirement.id:
            yield from filter(None, [standard.judged])
            yield f"not judged: {standard.not_judged}"


def _profiles(requirement: Requirement) -> Iterator[str]:
    """Tell what the requirement is to each profile that speaks of it."""
    for one in newest():
        if (standing := one.standing(requirement)) is not None:
            unless = (
                f", unless the adapter does not declare {requirement.optional}"
                if requirement.id in one.optional
                else ""
            )
            yield f"{one.label}: {standing}{unless}"


def _scope(requirement: Requirement) -> Iterator[str]:
    """Tell what its checks ask, and what they do not."""
    if (scope := requirement.scope) is not None:
        yield f"Judged: {scope.judged}"
        not_judged, why = scope.not_judged.removesuffix("."), scope.why.removesuffix(".")
        yield f"Not judged: {not_judged}{f', because {why}' if why else ''}."


def _near(path: Path) -> Path:
    """Give a path as it is shortest: from the working directory, where it lies there."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _judged(requirement: Requirement, checks: Sequence[str]) -> Iterator[str | Text]:
    """Name the checks of a requirement, with what each holds and where it lies, or say why there is none."""
    told = ""
    for id_ in checks:
        check = all_checks()[id_]
        if (name := id_.partition("[")[0]) != told:
            told = name
            yield Text(check.about, "italic")
            yield _whole(f"{_near(Path(check.file))}:{check.line} {check.node.partition('::')[2].partition('[')[0]}")
        yield _whole(id_)
    if requirement.unchecked is not None:
        yield f"None, {requirement.unchecked.reason}. {requirement.unchecked.sentence}"
    elif not checks:
        yield "None yet."


def _sources(known: Catalogue, requirement: Requirement) -> Iterator[str | Text]:
    """Name the documents with their addresses; the requirement's own words only where they say more than that."""
    found = known.sources_of(requirement)
    if not found or TAG.sub("", requirement.source).strip():
        yield requirement.source
    for source in found:
        yield _whole(": ".join(filter(None, (f"[{source.tag}] {source.title}", source.address))))


def _whole(line: str) -> Text:
    return Text(line, no_wrap=True)
