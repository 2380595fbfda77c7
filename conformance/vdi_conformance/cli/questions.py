"""`vdi-conformance questions`: what the documents leave open, which answers they permit, and what observes them."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from vdi_conformance.cli import values
from vdi_conformance.cli.output import show
from vdi_conformance.cli.refusal import unknown
from vdi_conformance.cli.requirements import FORMATS, JSON, TEXT
from vdi_conformance.requirements import Question, catalogue


def questions(
    question: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", autocompletion=values.question_ids, help="Show this one, such as Q38."),
    ] = None,
    format: Annotated[str, values.format_of(*FORMATS)] = TEXT,
) -> None:
    """List what the documents leave open.

    Each question has what is tried, the answers that the documents permit, and the checks that see them.
    """
    known = catalogue().questions
    if question is not None and question.upper() not in known:
        raise unknown("question", question, known)
    shown = [one for one in known.values() if question is None or one.id == question.upper()]
    if format == JSON:
        typer.echo(json.dumps([entry(one) for one in shown], indent=2))
        return
    show(line for one in shown for line in details(one))


def entry(question: Question) -> dict[str, Any]:
    """Lay out one question for JSON."""
    return {
        "id": question.id,
        "question": question.text,
        "unobserved": question.unobserved or None,
        "readings": [
            {"subject": one.subject, "permitted": list(one.permitted) or None, "checks": list(one.checks)}
            for one in question.readings
        ],
    }


def details(question: Question) -> Iterator[Text]:
    """Give everything about one question, line by line; one with `no_wrap` must not be broken."""
    yield Text(f"{question.id} {question.text}", "bold")
    for one in question.readings:
        yield Text(f"  {one.subject}: {' or '.join(one.permitted) or 'whatever is seen'}")
        for check in one.checks:
            yield Text(f"    {check}", "dim", no_wrap=True)
    if not question.readings:
        yield Text(f"  Nothing is recorded. {question.unobserved}".rstrip())
