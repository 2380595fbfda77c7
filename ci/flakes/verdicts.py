"""What several whole runs came to, check by check, and where they disagree; pure.

No id of a check depends on the seed: what is drawn is drawn within a check, so that all checks are compared. What is
not compared is how a failure came about, and which of the codes that may come in any order came first.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdi_conformance.evidence.records import CheckRecord, Observation

MISSING: Final = "missing"
"""What a check ended in that a run does not have."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one whole run came to; `revision` is the commit, `started` a time in UTC (ISO 8601), `duration` in seconds.

    `verdicts` are those of the checks by their ids, `observations` the answers to open questions that each has seen.
    Without a verdict there are none, and the exit code says why.
    """

    number: int
    seed: int
    order: int
    workers: int
    revision: str
    started: str
    duration: float
    exit_code: int
    verdicts: dict[str, str]
    observations: dict[str, list[str]]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A check that came to several verdicts, or saw several answers: each with the numbers of the runs that did."""

    check: str
    runs: dict[str, list[int]]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to show for the budget: so many of the planned runs, and in what they differ.

    `runs` lists them without their verdicts, `unfinished` those that came to no verdict.
    """

    planned: int
    plan_seed: int
    date: str
    machine: str
    checks: int
    verdicts: dict[str, int]
    differences: list[Difference]
    answers: list[Difference]
    unfinished: list[int]
    runs: list[dict[str, int | float | str]]


def told(observation: Observation) -> str:
    """Name an answer to an open question."""
    return f"{observation.question} {observation.subject}: {observation.answer}"


def verdicts_of(checks: Iterable[CheckRecord]) -> dict[str, str]:
    """Give the verdicts by the ids of the checks."""
    return {check.id: check.verdict for check in sorted(checks, key=lambda check: check.id)}


def observations_of(checks: Iterable[CheckRecord]) -> dict[str, list[str]]:
    """Give the answers by the ids of the checks that saw any."""
    return {check.id: sorted(map(told, check.observations)) for check in checks if check.observations}


def disagreeing(runs: Sequence[RunResult]) -> list[Difference]:
    """Give each check that did not come to the same verdict in all runs that came to an end."""
    ended = [run for run in runs if run.verdicts]
    return _differences((run.number, id_, run.verdicts.get(id_, MISSING)) for run in ended for id_ in _ids(ended))


def answering_otherwise(runs: Sequence[RunResult]) -> list[Difference]:
    """Give each check that did not see the same answers in all runs in which it was executed."""
    return _differences(
        (run.number, id_, " | ".join(run.observations.get(id_, ["nothing"]))) for run in runs for id_ in run.verdicts
    )


def _ids(runs: Iterable[RunResult]) -> list[str]:
    return sorted({id_ for run in runs for id_ in run.verdicts})


def _differences(seen: Iterable[tuple[int, str, str]]) -> list[Difference]:
    found: dict[str, dict[str, list[int]]] = {}
    for number, id_, what in seen:
        found.setdefault(id_, {}).setdefault(what, []).append(number)
    return [Difference(check=id_, runs=by) for id_, by in sorted(found.items()) if len(by) > 1]


def budget(runs: Sequence[RunResult], planned: int, plan_seed: int, date: str, machine: str) -> Budget:
    """Sum the runs up."""
    ended = [run for run in runs if run.verdicts]
    described = [
        {name: value for name, value in msgspec.to_builtins(run).items() if name not in ("verdicts", "observations")}
        for run in runs
    ]
    return Budget(
        planned=planned,
        plan_seed=plan_seed,
        date=date,
        machine=machine,
        checks=len(_ids(ended)),
        verdicts=dict(sorted(sum((Counter(run.verdicts.values()) for run in ended), Counter[str]()).items())),
        differences=disagreeing(runs),
        answers=answering_otherwise(runs),
        unfinished=[run.number for run in runs if not run.verdicts],
        runs=described,
    )
