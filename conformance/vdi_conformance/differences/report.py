"""What a comparison of two adapters found: as values for programs, and as text for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from vdi_conformance import __version__
from vdi_conformance.differences.seen import CODE, in_words
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from vdi_conformance.differences.classing import Classed, Fault
    from vdi_conformance.evidence.records import Party

FORMAT: Final = 1
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SAME: Final = 0
BROKEN: Final = 1
DIFFERENT: Final = 8
"""How a comparison ends: nothing differs; a requirement is broken; what differs is left to the implementation."""
BROKEN_REQUIREMENT: Final = "broken requirement"
SILENT: Final = "nothing in the documents speaks of it"


class ComparedParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side: its client and its server, as they were named and as they name themselves."""

    client: str
    name: str
    version: str
    server: str


class ComparedStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step, as it is written and in words, with all that was seen of it on each side."""

    line: str
    words: str
    a: dict[str, str]
    b: dict[str, str]


class BrokenRequirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one side (A or B) breaks: what it gave, and what it might have given where that is a closed list."""

    side: str
    requirement: str
    level: str
    statement: str
    gave: str
    permitted: list[str]


class FoundDifference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference: the shortest sequence on which the sides part at the last step, and what the documents say.

    `differs` names what was seen otherwise there; `kind` is one of "broken requirement", "recommendation not followed",
    "permitted on both sides" and "not spoken of". `questions` are open questions that leave it open, by id.
    """

    kind: str
    differs: list[str]
    steps: list[ComparedStep]
    broken: list[BrokenRequirement]
    requirement: str | None
    statement: str | None
    questions: dict[str, str]
    found_in: str
    seconds: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two adapters were tried with, and where they differ; `doubtful` differences showed once and not again."""

    format: int = FORMAT
    suite_version: str = __version__
    a: ComparedParty
    b: ComparedParty
    seed: int
    sequences: int
    steps: int
    doubtful: int
    seconds: float
    differences: list[FoundDifference]

    @property
    def exit_code(self) -> int:
        """How the command ends."""
        kinds = {one.kind for one in self.differences}
        return BROKEN if BROKEN_REQUIREMENT in kinds else DIFFERENT if kinds else SAME


def differences_schema() -> dict[str, Any]:
    """Give the schema of what `diff --format json` writes."""
    title = f"What differs between two adapters, by vdi-conformance, format {FORMAT}"
    return {"$schema": DIALECT, "title": title, **msgspec.json.schema(Comparison)}


def compared(client: Party, server: Party) -> ComparedParty:
    """Say who one side is."""
    return ComparedParty(client=client.reference, name=client.name, version=client.version, server=server.reference)


def found(classed: Classed) -> FoundDifference:
    """Lay out a difference with its class."""
    difference, questions = classed.difference, catalogue().questions
    return FoundDifference(
        kind=classed.kind,
        differs=list(difference.names),
        steps=[
            ComparedStep(line=step.line, words=step.words, a=dict(one), b=dict(other))
            for step, one, other in zip(difference.steps, difference.one, difference.other, strict=True)
        ],
        broken=[_broken(fault) for fault in classed.faults],
        requirement=None if classed.about is None else classed.about.id,
        statement=None if classed.about is None else classed.about.statement,
        questions={id: questions[id].text for id in classed.questions if id in questions},
        found_in=difference.origin,
        seconds=round(difference.seconds, 1),
    )


def _broken(fault: Fault) -> BrokenRequirement:
    return BrokenRequirement(
        side=fault.side,
        requirement=fault.requirement.id,
        level=fault.requirement.level,
        statement=fault.requirement.statement,
        gave=fault.gave,
        permitted=list(fault.permitted),
    )


def drawn(comparison: Comparison) -> Iterator[RenderableType]:
    """Draw a comparison for a terminal."""
    for letter, side in (("A", comparison.a), ("B", comparison.b)):
        server = "" if side.server == side.client else f", served by {shown(side.server)}"
        yield Text(f"{letter}  {shown(side.client)}: {shown(side.name)} {shown(side.version)}{server}")
    for number, difference in enumerate(comparison.differences, 1):
        yield Text(f"\nDifference {number}, {difference.kind}", "bold")
        yield _table(difference)
        yield from _said(difference)
    yield Text(f"\n{_end(comparison)}", "bold")


def _table(difference: FoundDifference) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in ("", "step", "A", "B"):
        table.add_column(column, overflow="fold")
    for number, step in enumerate(difference.steps, 1):
        is_last = number == len(difference.steps)
        names = difference.differs if is_last else [CODE]
        cells = [shown(in_words(seen, names)) for seen in (step.a, step.b)]
        mark = f">{number}" if is_last else f" {number}"
        table.add_row(*(Text(cell) for cell in (mark, shown(step.words), *cells)), style="bold" if is_last else None)
    return table


def _said(difference: FoundDifference) -> Iterator[Text]:
    for fault in difference.broken:
        verb = "breaks" if fault.level == "MUST" else "does not follow"
        yield Text(f"{fault.side} {verb} {fault.requirement} {fault.level}: {fault.statement}")
        instead = f" instead of {' or '.join(map(shown, fault.permitted))}" if fault.permitted else ""
        yield Text(f"  It gave {shown(fault.gave)}{instead}.")
    if not difference.broken:
        about = f"{difference.requirement}: {difference.statement}" if difference.requirement else f"{SILENT}."
        yield Text(f"{difference.kind}: {about}" if difference.requirement else about)
    for id, text in difference.questions.items():
        yield Text(f"  {id} is open: {text}. A: {_answer(difference, 'a')}; B: {_answer(difference, 'b')}")


def _answer(difference: FoundDifference, side: str) -> str:
    seen = getattr(difference.steps[-1], side)
    return shown(in_words(seen, difference.differs))


def _end(comparison: Comparison) -> str:
    tried = f"{comparison.sequences} sequences of {comparison.steps} steps in all; seed {comparison.seed}"
    doubtful = f"; {comparison.doubtful} differed once and not again" if comparison.doubtful else ""
    number = len(comparison.differences)
    if not number:
        return f"no difference in {tried}{doubtful}"
    return f"{number} difference{'s' * (number > 1)} in {tried}{doubtful}"
