"""The same checks on several platforms, beside each other: what differs between them comes first; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import Header
from vdi_conformance.report.comparison import (
    NotComparable,
    State,
    answers_of,
    met_throughout,
    need_comparable,
    states_of,
)
from vdi_conformance.report.observations import by_number
from vdi_conformance.report.wording import numbered
from vdi_conformance.requirements import catalogue

FORMAT: Final = 1


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """One platform: what it is called here, what it is, the version that was judged there, and how checks ended."""

    name: str
    platform: str
    python: str
    version: str
    started: str
    exit_code: int
    counts: dict[str, int]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement, or a check, and its state on each platform; missing where it was not judged there."""

    id: str
    level: str
    states: list[State]

    @property
    def differs(self) -> bool:
        """Whether it came out otherwise on one platform than on another."""
        return len({*self.states}) > 1

    @property
    def met(self) -> bool:
        """Whether it was met wherever it was judged."""
        return met_throughout(self.states)


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt to answer an open question on each platform; nothing where it was not observed.

    That it was observed on some platforms alone is no difference between answers.
    """

    question: str
    subject: str
    answers: list[list[str]]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Requirements by platform: first those that differ, then those that are met nowhere, then all others.

    Of checks and observations it has those that differ.
    """

    format: int = FORMAT
    adapter: str
    platforms: list[Platform]
    requirements: list[Line]
    checks: list[Line]
    observations: list[Answers]

    @property
    def exit_code(self) -> int:
        """1 where a requirement or a check differs, else 0: a permitted choice may be another one on each platform."""
        return int(bool(self.checks) or any(one.differs for one in self.requirements))


def matrix(runs: Sequence[Evidence]) -> Matrix:
    """Put the runs of one adapter on several platforms beside each other, or raise NotComparable."""
    first, *others = runs
    for other in others:
        _need_alike(first.header, other.header)
        need_comparable(first, other)
    levels = {check.id: check.level for run in runs for check in run.checks}
    checks = _lines([{check.id: check.verdict for check in run.checks} for run in runs], sorted(levels), levels)
    states = [states_of(run) for run in runs]
    known = {requirement.id: requirement.level for requirement in catalogue().requirements}
    unknown = sorted({id_ for one in states for id_ in one} - known.keys())
    requirements = _lines(states, [*known, *unknown], known)
    return Matrix(
        adapter=first.header.client.name,
        platforms=list(_platforms(runs)),
        requirements=sorted(requirements, key=lambda one: (not one.differs, one.met)),
        checks=[one for one in checks if one.differs],
        observations=list(_observations(runs)),
    )


def _need_alike(one: Header, other: Header) -> None:
    """Refuse runs whose verdicts say nothing about platforms, since more than these differ."""
    for name, here, there in (
        ("adapters", one.client.name, other.client.name),
        ("versions of the suite", one.suite_version, other.suite_version),
        ("catalogues", one.catalogue_sha256, other.catalogue_sha256),
        ("seeds", one.seed, other.seed),
    ):
        if here != there:
            raise NotComparable(
                f"a matrix is of one run on several platforms, and these have different {name} ({here} and {there}): "
                "compare two of them"
            )


def _platforms(runs: Sequence[Evidence]) -> Iterator[Platform]:
    for name, run in zip(numbered([_name(run.header) for run in runs]), runs, strict=True):
        yield Platform(
            name=name,
            platform=run.header.platform,
            python=run.header.python,
            version=run.header.client.version,
            started=run.header.started,
            exit_code=run.footer.exit_code,
            counts=run.footer.counts,
        )


def _name(header: Header) -> str:
    """Call a platform what who ran it does, or else what it is."""
    if len(header.machines) == 1:
        return header.machines[0].name
    return f"{header.platform}, Python {header.python}"


def _lines(states: Sequence[Mapping[str, State]], ids: Sequence[str], levels: Mapping[str, str]) -> Iterator[Line]:
    for id_ in ids:
        found: list[State] = [one.get(id_, "missing") for one in states]
        if {*found} != {"missing"}:
            yield Line(id=id_, level=levels.get(id_, ""), states=found)


def _observations(runs: Sequence[Evidence]) -> Iterator[Answers]:
    answers = [answers_of(run.checks) for run in runs]
    for key in sorted({key for one in answers for key in one}, key=by_number):
        seen = [one.get(key, []) for one in answers]
        if len({tuple(one) for one in seen if one}) > 1:
            yield Answers(question=key[0], subject=key[1], answers=seen)
