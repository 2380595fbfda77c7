"""Which checks a trial runs, in which order, and when it has seen enough; pure."""

from collections.abc import Collection, Generator, Iterable, Mapping
from typing import Final
from zlib import crc32

from vdi_conformance.evidence.proof import Trial, Tried
from vdi_conformance.requirements import catalogue

Checks = Mapping[str, tuple[str, ...]]
"""The checks of the suite by their ids, in the order in which they are tried, each with the rows that it judges."""
Course = Generator[str, Tried, None]
"""Gives the id of the next check, and is sent how that ended."""

AXES: Final = (("backup", "restore"), ("primary", "secondary"))
"""Parameters of which a reading meets one each, drawn by its name, where a check has them all."""
VARIANTS: Final = 2
"""So many variants of a check does a reading meet at the most."""


def course(trial: Trial, checks: Checks, scored: Collection[str]) -> Course:
    """Plan a trial."""
    match trial.kind:
        case "baseline":
            return _all_of(check for check in _at_home(trial, checks) if _meets(trial.rows, checks[check]))
        case "reading":
            return _all_of(_sampled(trial, _thinned(trial, checks)))
        case "trivial":
            counting = {check: checks[check] for check in _at_home(trial, checks) if set(checks[check]) <= set(scored)}
            return _until_nothing_is_met(counting)
        case _:
            return _until_all_are_red(trial, checks)


def red(row: str) -> str:
    """Name the verdict of a check that shows a requirement to be broken."""
    found = catalogue().get(row)
    return "failed" if found is not None and found.level == "MUST" else "warning"


def _all_of(chosen: Iterable[str]) -> Course:
    for check in chosen:
        _ = yield check


def _until_nothing_is_met(checks: Checks) -> Course:
    """Leave checks out all of whose rows are known not to be met."""
    unmet: set[str] = set()
    for check, rows in checks.items():
        if not unmet.issuperset(rows):
            tried = yield check
            if tried.verdict != "passed":
                unmet.update(rows)


def _until_all_are_red(trial: Trial, checks: Checks) -> Course:
    """Try the checks of the rows that the fault breaks, and where one stays green all others, until one fails."""
    left = {row: red(row) for row in trial.rows}
    failed = False
    for check, rows in checks.items():
        if left.keys() & set(rows):
            tried = yield check
            failed |= tried.verdict == "failed"
            left = {row: wanted for row, wanted in left.items() if row not in rows or wanted != tried.verdict}
    for check, rows in checks.items():
        if not left or failed:
            return
        if not set(trial.rows) & set(rows):
            tried = yield check
            failed = tried.verdict == "failed"


def _at_home(trial: Trial, checks: Checks) -> list[str]:
    """Give the checks of a part: each belongs to the topic of the first row that it judges."""
    return [check for check, rows in checks.items() if rows[0].partition("-")[0] == trial.part]


def _meets(wanted: Collection[str], rows: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(rows)


def _thinned(trial: Trial, checks: Checks) -> list[str]:
    """Give the checks of these rows, of a topic where it is a part, each in a few variants at most."""
    number = crc32(trial.name.encode())
    left_out = {axis[(number >> bit) % 2] for bit, axis in enumerate(AXES)}
    variants: dict[str, list[str]] = {}
    for check, rows in checks.items():
        if _meets(trial.rows, rows) and (not trial.part or rows[0].startswith(f"{trial.part}-")):
            variants.setdefault(check.partition("[")[0], []).append(check)
    return [check for alike in variants.values() for check in _few(alike, left_out)]


def _sampled(trial: Trial, chosen: list[str]) -> list[str]:
    """Leave as many as a trial may have, drawn by its name."""
    if trial.most is None or len(chosen) <= trial.most:
        return chosen
    drawn = set(sorted(chosen, key=lambda check: crc32(f"{trial.name} {check}".encode()))[: trial.most])
    return [check for check in chosen if check in drawn]


def _few(alike: list[str], left_out: set[str]) -> list[str]:
    kept = [check for check in alike if not left_out & set(check.partition("[")[2].rstrip("]").split("-"))]
    return (kept or alike)[:VARIANTS]
