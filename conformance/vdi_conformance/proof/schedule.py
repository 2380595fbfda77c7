"""Which checks a trial runs, in which order, and when it has seen enough; pure."""

from collections.abc import Collection, Generator, Iterable, Mapping
from typing import Final
from zlib import crc32

from vdi_conformance.evidence.proof import Trial, Tried
from vdi_conformance.requirements import catalogue

Checks = Mapping[str, tuple[str, ...]]
"""The checks of the suite by their ids, in the order in which they are tried, each with what it judges."""
Schedule = Generator[str, Tried, None]
"""Gives the id of the next check, and is sent how that ended."""

AXES: Final = (("backup", "restore"), ("primary", "secondary"))
"""Parameters of which a reading meets one each, drawn by its name, where a check has them all."""
SHOWING: Final = 2
"""So many variants of a check that shows what a reading chooses does it meet at the most; of others, one."""


def scheduled(trial: Trial, checks: Checks, scored: Collection[str]) -> Schedule:
    """Plan a trial."""
    match trial.kind:
        case "control":
            return _all_of(of_a_control(trial, checks))
        case "reading":
            return _all_of(_sampled(trial, _thinned(trial, checks)))
        case "trivial":
            return _until_nothing_is_met(_most_telling_first(checks, scored))
        case "made fault":
            return _until_one_is_red(trial, checks)
        case _:
            return _until_all_are_red(trial, checks)


def of_a_control(trial: Trial, checks: Checks) -> list[str]:
    """Give the checks that a trial meets in which nothing is wrong."""
    return [check for check in _at_home(trial, checks) if _meets(trial.requirements, checks[check])]


def red(requirement: str) -> tuple[str, ...]:
    """Name the verdicts of a check that show a requirement to be broken; what ends a process fails at every level."""
    found = catalogue().get(requirement)
    return ("failed",) if found is not None and found.level == "MUST" else ("warning", "failed")


def _all_of(chosen: Iterable[str]) -> Schedule:
    for check in chosen:
        _ = yield check


def _most_telling_first(checks: Checks, scored: Collection[str]) -> Checks:
    """Give the checks that count, those that judge most requirements first."""
    counting = {check: requirements for check, requirements in checks.items() if set(requirements) <= set(scored)}
    return dict(sorted(counting.items(), key=lambda judged: -len(judged[1])))


def _until_nothing_is_met(checks: Checks) -> Schedule:
    """Leave checks out all of whose requirements are known not to be met."""
    unmet: set[str] = set()
    for check, requirements in checks.items():
        if not unmet.issuperset(requirements):
            tried = yield check
            if tried.verdict != "passed":
                unmet.update(requirements)


def _until_all_are_red(trial: Trial, checks: Checks) -> Schedule:
    """Try the checks of what the fault breaks, where one stays green all others until one fails, and some others."""
    checks = {**{check: checks[check] for check in trial.first if check in checks}, **checks}
    left = {requirement: red(requirement) for requirement in trial.requirements}
    failed = False
    for check, requirements in checks.items():
        if left.keys() & set(requirements):
            tried = yield check
            failed |= tried.verdict == "failed"
            left = {
                requirement: wanted
                for requirement, wanted in left.items()
                if requirement not in tried.broken or tried.verdict not in wanted
            }
    others = {check: judged for check, judged in checks.items() if not set(trial.requirements) & set(judged)}
    for check in list(others):
        if not left or failed:
            break
        tried = yield check
        failed = tried.verdict == "failed"
        # No check has two runs on one fault: what it made is still there.
        del others[check]
    for check in _drawn(trial, others):
        _ = yield check


def _until_one_is_red(trial: Trial, checks: Checks) -> Schedule:
    """Try the checks in which a made fault can take effect, or all where it is not aimed, until one of them sees it."""
    breaks = set(trial.requirements)
    for check in trial.first if trial.aimed else checks:
        if breaks & set(checks.get(check, ())):
            tried = yield check
            if any(tried.verdict in red(requirement) for requirement in breaks & set(tried.broken)):
                return


def _drawn(trial: Trial, others: Checks) -> list[str]:
    """Draw, by the name of a fault, the checks that show whether it is charged with what it does not break."""
    variants = dict.fromkeys(check.partition("[")[0] for check in others)
    drawn = sorted(variants, key=lambda name: crc32(f"{trial.name} {name}".encode()))[: trial.further]
    return [next(check for check in others if check.partition("[")[0] == name) for name in drawn]


def _at_home(trial: Trial, checks: Checks) -> list[str]:
    """Give the checks of a part: each belongs to the topic of the first requirement that it judges."""
    return [check for check, requirements in checks.items() if requirements[0].partition("-")[0] == trial.part]


def _meets(wanted: Collection[str], requirements: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(requirements)


def _thinned(trial: Trial, checks: Checks) -> list[str]:
    """Give the checks of these requirements, of a topic where it is a part, each in a few variants at most."""
    number = crc32(trial.name.encode())
    left_out = {axis[(number >> bit) % 2] for bit, axis in enumerate(AXES)}
    variants: dict[str, list[str]] = {}
    for check, requirements in checks.items():
        if _meets(trial.requirements, requirements) and (
            not trial.part or requirements[0].startswith(f"{trial.part}-")
        ):
            variants.setdefault(check.partition("[")[0], []).append(check)
    showing = {check for name, subject, _ in trial.shows for check in _asking(name, subject)}
    return [
        check
        for name, alike in variants.items()
        for check in _few(alike, left_out)[: SHOWING if name in showing else 1]
    ]


def _asking(question: str, subject: str) -> Collection[str]:
    """Name the checks that try what answers a question, without their parameters."""
    known = catalogue().questions.get(question)
    return [] if known is None else [check for one in known.readings if one.subject == subject for check in one.checks]


def _sampled(trial: Trial, chosen: list[str]) -> list[str]:
    """Leave as many as a trial may have, drawn by its name."""
    if trial.most is None or len(chosen) <= trial.most:
        return chosen
    drawn = set(sorted(chosen, key=lambda check: crc32(f"{trial.name} {check}".encode()))[: trial.most])
    return [check for check in chosen if check in drawn]


def _few(alike: list[str], left_out: set[str]) -> list[str]:
    kept = [check for check in alike if not left_out & set(check.partition("[")[2].rstrip("]").split("-"))]
    return kept or alike
