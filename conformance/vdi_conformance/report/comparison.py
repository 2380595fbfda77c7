"""What changed between two runs, by requirement, check and observation, never by percentage; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord, Header, Verdict
from vdi_conformance.report.observations import answered, by_number

FORMAT: Final = 1
State = Verdict | Literal["missing"]
BROKEN: Final = ("failed", "known failure")
MET: Final = ("passed", "not applicable")
WORST_FIRST: Final[tuple[State, ...]] = (
    "failed",
    "known failure",
    "error",
    "not tested",
    "missing",
    "warning",
    "passed",
    "not applicable",
)
"""A requirement is in the worst state of its checks; one that is not applicable takes nothing from the others."""
_UNTOLD: Final = frozenset({"started", "format", "record", "challenge", "pins"})


class NotComparable(ValueError):
    """Two runs that say nothing about each other; the sentence says why."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """How a check ended in one of the runs: the cause by its stable name and in a sentence, and what is broken."""

    state: State
    cause: str | None = None
    sentence: str = ""
    broken: list[str] = []


class CheckChange(msgspec.Struct, frozen=True, kw_only=True):
    """A check, the requirements that it judges or broke, and how it ended in both runs."""

    id: str
    requirements: list[str]
    old: Side
    new: Side


class RequirementChange(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement and its state in both runs, by the checks that the old one had."""

    id: str
    old: State
    new: State


class ObservationChange(msgspec.Struct, frozen=True, kw_only=True):
    """An open question that was answered otherwise; no answers where it was not observed."""

    question: str
    subject: str
    old: list[str]
    new: list[str]


class SettingChange(msgspec.Struct, frozen=True, kw_only=True):
    """Something other than verdicts in which the runs differ, such as `client.version` or `seed`."""

    name: str
    old: Any
    new: Any


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All that changed between runs, which say who was judged when; the checks each in one list, the worst first."""

    format: int = FORMAT
    old_run: str
    new_run: str
    settings: list[SettingChange]
    regressed_requirements: list[RequirementChange]
    regressions: list[CheckChange]
    fixed_requirements: list[RequirementChange]
    fixed: list[CheckChange]
    other_verdicts: list[CheckChange]
    other_causes: list[CheckChange]
    new: list[CheckChange]
    removed: list[CheckChange]
    new_requirements: list[str]
    removed_requirements: list[str]
    observations: list[ObservationChange]
    unchanged: int

    @property
    def exit_code(self) -> int:
        """1 where something regressed, else 0."""
        return 1 if self.regressions or self.regressed_requirements else 0


def compare(old: Evidence, new: Evidence) -> Comparison:
    """Compare two whole runs, or raise NotComparable.

    Regressed is what passed and does not now, whatever it ended in, or what only warned and fails now. A requirement
    is judged by the checks that the old run had, so that new ones are never regressions; fixed it is where they agree.
    A check that passed and is missing regressed, unless suite or catalogue changed: then it counts as removed.
    """
    need_comparable(old, new)
    pairs = sorted(_pairs(old, new), key=lambda pair: (WORST_FIRST.index(pair.new.state), pair.id))
    settings = list(_settings(old, new))
    dropping = any(setting.name in ("suite_version", "catalogue_sha256") for setting in settings)
    sorted_out: dict[str, list[CheckChange]] = {}
    for pair in pairs:
        sorted_out.setdefault(_kind(pair, dropping), []).append(pair)
    known = [pair for pair in pairs if pair.old.state != "missing" and not (pair.new.state == "missing" and dropping)]
    requirements = sorted(_requirements(known), key=lambda one: (WORST_FIRST.index(one.new), one.id))
    spoilt = {
        requirement
        for pair in sorted_out.get("new", [])
        if pair.new.state not in MET
        for requirement in pair.requirements
    }
    return Comparison(
        old_run=_named(old),
        new_run=_named(new),
        settings=settings,
        regressed_requirements=[one for one in requirements if _regressed(one.old, one.new)],
        regressions=sorted_out.get("regression", []),
        fixed_requirements=[one for one in requirements if _fixed(one.old, one.new) and one.id not in spoilt],
        fixed=sorted_out.get("fixed", []),
        other_verdicts=sorted_out.get("other verdict", []),
        other_causes=sorted_out.get("other cause", []),
        new=sorted_out.get("new", []),
        removed=sorted_out.get("removed", []),
        new_requirements=_requirements_only_in(new, old),
        removed_requirements=_requirements_only_in(old, new),
        observations=list(_observations(old, new)),
        unchanged=len(sorted_out.get("unchanged", [])),
    )


def need_comparable(old: Evidence, new: Evidence) -> None:
    """Raise NotComparable where two runs say nothing about each other."""
    selections = [sorted(set(one.header.selection)) for one in (old, new)]
    if selections[0] != selections[1]:
        told = " and ".join("; ".join(one) or "everything" for one in selections)
        raise NotComparable(f"the runs selected different checks ({told}): run both with the same selection")
    if not {check.id for check in old.checks} & {check.id for check in new.checks}:
        raise NotComparable("the runs have no check in common: compare runs of the same suite")


def _named(run: Evidence) -> str:
    client = run.header.client
    return f"{client.name} {client.version} of {run.header.started}"


def _pairs(old: Evidence, new: Evidence) -> list[CheckChange]:
    """Put the two records of each check together, by id."""
    before = {check.id: check for check in old.checks}
    after = {check.id: check for check in new.checks}
    return [_pair(id_, before.get(id_), after.get(id_)) for id_ in sorted(before.keys() | after.keys())]


def _pair(id_: str, old: CheckRecord | None, new: CheckRecord | None) -> CheckChange:
    judged = next((check.requirements for check in (new, old) if check is not None and check.requirements), [])
    broken = [requirement for check in (old, new) if check is not None for requirement in check.broken]
    requirements = list(dict.fromkeys([*judged, *broken]))
    return CheckChange(id=id_, requirements=requirements, old=_side(old), new=_side(new))


def _side(check: CheckRecord | None) -> Side:
    if check is None:
        return Side(state="missing")
    if check.cause is None:
        return Side(state=check.verdict)
    return Side(state=check.verdict, cause=check.cause.name, sentence=check.cause.sentence, broken=check.broken)


def _kind(pair: CheckChange, dropping: bool) -> str:
    old, new = pair.old.state, pair.new.state
    if old == "missing":
        return "new"
    if new == "missing" and (dropping or old != "passed"):
        return "removed"
    if _regressed(old, new):
        return "regression"
    if _fixed(old, new):
        return "fixed"
    if old != new and not (old in BROKEN and new in BROKEN):
        return "other verdict"
    return "unchanged" if pair.old.cause == pair.new.cause else "other cause"


def _regressed(old: State, new: State) -> bool:
    return (old == "passed" and new != "passed") or (old == "warning" and new in BROKEN)


def _fixed(old: State, new: State) -> bool:
    """Only what passes is fixed: a failure that could not be tested this time is not."""
    return old in (*BROKEN, "warning") and new == "passed"


def _requirements(pairs: Sequence[CheckChange]) -> Iterator[RequirementChange]:
    """Give the states of each requirement, by the checks that both runs should have."""
    for id_ in sorted({requirement for pair in pairs for requirement in pair.requirements}):
        judging = [pair for pair in pairs if id_ in pair.requirements]
        yield RequirementChange(
            id=id_, old=_state(id_, [pair.old for pair in judging]), new=_state(id_, [pair.new for pair in judging])
        )


def met_throughout(states: Iterable[State]) -> bool:
    """Tell whether a requirement was met in every run that judged it."""
    return {*states} <= {*MET, "missing"}


def states_of(run: Evidence) -> dict[str, State]:
    """Give the state of each requirement that a run judged or found broken."""
    said: dict[str, list[Side]] = {}
    for check in run.checks:
        for requirement in {*check.requirements, *check.broken}:
            said.setdefault(requirement, []).append(_side(check))
    return {requirement: _state(requirement, sides) for requirement, sides in said.items()}


def _state(requirement: str, sides: Sequence[Side]) -> State:
    """Give the worst that checks say of a requirement; one that ended for another requirement says nothing of it."""
    said = [one.state for one in sides if not one.broken or requirement in one.broken]
    return min(said, key=WORST_FIRST.index, default="not tested")


def _requirements_only_in(one: Evidence, other: Evidence) -> list[str]:
    requirements, others = (
        {requirement for check in run.checks for requirement in check.requirements} for run in (one, other)
    )
    return sorted(requirements - others)


def _observations(old: Evidence, new: Evidence) -> Iterator[ObservationChange]:
    """Compare what the checks observed that both runs have: the fingerprints of the adapters."""
    common = {check.id for check in old.checks} & {check.id for check in new.checks}
    before, after = (answers_of(check for check in run.checks if check.id in common) for run in (old, new))
    for question, subject in sorted(before.keys() | after.keys(), key=by_number):
        answers = before.get((question, subject), []), after.get((question, subject), [])
        if answers[0] != answers[1]:
            yield ObservationChange(question=question, subject=subject, old=answers[0], new=answers[1])


def answers_of(checks: Iterable[CheckRecord]) -> dict[tuple[str, str], list[str]]:
    """Give the answers that came, by the open question and what was tried."""
    return {(one.question, one.subject): one.answers for one in answered(checks)}


def _settings(old: Evidence, new: Evidence) -> Iterator[SettingChange]:
    before, after = (_flat(msgspec.to_builtins(run.header)) | _cores(run.header) for run in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield SettingChange(name=name, old=before.get(name), new=after.get(name))


def _cores(header: Header) -> dict[str, Any]:
    """Tell the digests of the libraries and programs; files of adapters lie elsewhere on every machine."""
    parties = (("client", header.client), ("server", header.server))
    return {f"{role}.sha256": sorted(party.core.values()) for role, party in parties if party.core}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif key not in _UNTOLD:
            flat[f"{prefix}{key}"] = value
    return flat
