"""A proof as a web page: the matrix of requirements and faults, topic by topic; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Final, NamedTuple

from vdi_conformance.evidence.proof import OUTCOMES, Cell, Outcome, Proof, Trial, Verified
from vdi_conformance.report.web import rendered
from vdi_conformance.requirements import Requirement, catalogue

MARKS: Final[Mapping[Outcome, tuple[str, str]]] = MappingProxyType(
    {
        "killed": ("killed", "●"),
        "killed by another requirement only": ("elsewhere", "○"),
        "survived": ("survived", "✕"),
        "never exercised": ("unexercised", "?"),
        "not applicable": ("inapplicable", "-"),
    }
)
"""How a cell looks: its class in the style sheet, and its sign, for whom colours say nothing."""


class PageLine(NamedTuple):
    """A requirement of the matrix, and what each fault of its topic did to it; None where a fault breaks another."""

    requirement: Requirement
    verified: Verified
    cells: tuple[Cell | None, ...]


class Topic(NamedTuple):
    """One part of the matrix: its columns are the faults that break a requirement of it."""

    group: str
    title: str
    faults: tuple[Trial, ...]
    lines: tuple[PageLine, ...]

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Count what came of it."""
        return Counter(cell.outcome for line in self.lines for cell in line.cells if cell is not None)

    def column(self, number: int) -> Iterator[Cell]:
        """Give what one fault did."""
        return (cell for line in self.lines if (cell := line.cells[number]) is not None)


def page(proof: Proof) -> str:
    """Give the page, which needs nothing beside it."""
    kinds = Counter(result.trial.kind for result in proof.trials)
    demanded = [one for one in proof.requirements if one.scored]
    return rendered(
        "proof.html.j2",
        "proof.css",
        proof=proof,
        topics=topics(proof),
        marks=MARKS,
        outcomes=OUTCOMES,
        counts=Counter(cell.outcome for cell in proof.cells),
        kinds=kinds,
        demanded=len(demanded),
        charges={one.fault: one for one in proof.charges},
        precise=sum(not one.innocent for one in proof.charges),
        shown=sum(bool(one.faults) for one in demanded),
        fates=Counter(one.fate for one in proof.made),
        missed=[one for one in proof.made if one.fate != "found"],
        readings=[result for result in proof.trials if result.trial.kind == "reading"],
    )


def topics(proof: Proof) -> tuple[Topic, ...]:
    """Divide the matrix by topic, since most faults break requirements of one."""
    faults = {result.trial.name: result.trial for result in proof.trials if result.trial.kind == "fault"}
    requirements = {requirement.id: requirement for requirement in catalogue().requirements}
    known = [(requirements[one.requirement], one) for one in proof.requirements if one.requirement in requirements]
    cells = {(cell.requirement, cell.fault): cell for cell in proof.cells}
    return tuple(
        _topic(tuple(members), faults, cells) for _, members in groupby(known, key=lambda member: member[0].group)
    )


def _topic(
    members: tuple[tuple[Requirement, Verified], ...],
    faults: Mapping[str, Trial],
    cells: Mapping[tuple[str, str], Cell],
) -> Topic:
    ids = {requirement.id for requirement, _ in members}
    # In the order of what they break first, so that the matrix runs down its diagonal.
    order = {requirement.id: number for number, (requirement, _) in enumerate(members)}
    columns = sorted(
        (fault for fault in faults.values() if ids.intersection(fault.requirements)),
        key=lambda fault: min(order[requirement] for requirement in fault.requirements if requirement in order),
    )
    lines = (
        PageLine(requirement, found, tuple(cells.get((requirement.id, fault.name)) for fault in columns))
        for requirement, found in members
    )
    group = members[0][0].group
    title = next(requirement.topic for requirement in catalogue().requirements if requirement.group == group)
    return Topic(group, title, tuple(columns), tuple(lines))
