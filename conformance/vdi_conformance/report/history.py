"""Many runs of one adapter, the oldest first: requirements and open questions by version; pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.report.comparison import (
    NotComparable,
    State,
    answers_of,
    compare,
    met_throughout,
    need_comparable,
    states_of,
)
from vdi_conformance.report.observations import by_number
from vdi_conformance.report.wording import numbered
from vdi_conformance.requirements import catalogue

FORMAT: Final = 1


class HistoryRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what it is called here, whom it judged by what, and how many checks ended how."""

    label: str
    version: str
    suite_version: str
    catalogue_sha256: str
    started: str
    exit_code: int
    counts: dict[str, int]


class RequirementHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a requirement in each run; missing where no check of a run judged it."""

    id: str
    level: str
    states: list[State]

    @property
    def changed(self) -> bool:
        """Whether it came out otherwise in one run than in another that judged it."""
        return len({*self.states} - {"missing"}) > 1

    @property
    def met(self) -> bool:
        """Whether it was met wherever it was judged."""
        return met_throughout(self.states)


class ObservationHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt to answer an open question in each run; nothing where it was not observed."""

    question: str
    subject: str
    answers: list[list[str]]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; of the observations only those that changed. `exit_code` is 1 where the newest run regressed."""

    format: int = FORMAT
    adapter: str
    exit_code: int
    runs: list[HistoryRun]
    requirements: list[RequirementHistory]
    observations: list[ObservationHistory]


def history(runs: Sequence[Evidence]) -> History:
    """Put two runs or more beside each other, or raise NotComparable."""
    names = {run.header.client.name for run in runs}
    if len(names) > 1:
        raise NotComparable(
            f"a history is of one adapter, and these runs are of {' and '.join(sorted(names))}: compare two of them"
        )
    for old, new in pairwise(runs):
        need_comparable(old, new)
    return History(
        adapter=names.pop(),
        exit_code=compare(runs[-2], runs[-1]).exit_code,
        runs=[_run(run, label) for run, label in zip(runs, _labels(runs), strict=True)],
        requirements=list(_requirements(runs)),
        observations=list(_observations(runs)),
    )


def _labels(runs: Sequence[Evidence]) -> Iterator[str]:
    """Call each run by the version that it judged; runs of one version are numbered."""
    return numbered([run.header.client.version for run in runs])


def _run(run: Evidence, label: str) -> HistoryRun:
    return HistoryRun(
        label=label,
        version=run.header.client.version,
        suite_version=run.header.suite_version,
        catalogue_sha256=run.header.catalogue_sha256,
        started=run.header.started,
        exit_code=run.footer.exit_code,
        counts=run.footer.counts,
    )


def _requirements(runs: Sequence[Evidence]) -> Iterator[RequirementHistory]:
    states = [states_of(run) for run in runs]
    found = {id_ for one in states for id_ in one}
    known = [requirement.id for requirement in catalogue().requirements if requirement.id in found]
    for id_ in (*known, *sorted(found.difference(known))):
        requirement = catalogue().get(id_)
        yield RequirementHistory(
            id=id_,
            level=requirement.level if requirement else "",
            states=[one.get(id_, "missing") for one in states],
        )


def _observations(runs: Sequence[Evidence]) -> Iterator[ObservationHistory]:
    answers = [answers_of(run.checks) for run in runs]
    for key in sorted({key for one in answers for key in one}, key=by_number):
        seen = [one.get(key, []) for one in answers]
        if any(one != seen[0] for one in seen):
            yield ObservationHistory(question=key[0], subject=key[1], answers=seen)
