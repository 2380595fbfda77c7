"""Faults that are made of a rule and the conditions under which it is broken, as trials."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec.structs import replace

from vdi_conformance.conditions.shipped import axes, constraints
from vdi_conformance.evidence.proof import Trial, TrialResult
from vdi_fixtures.made.fault import NOTHING, MadeFault, fault_named
from vdi_fixtures.made.product import drawn
from vdi_fixtures.made.survey import bits_of

ADAPTER: Final = "vdi_fixtures.made.adapter:Broken"


def made_trials(number: int, seed: int, around: str | None) -> list[Trial]:
    """Draw so many faults, of those that can be had around an adapter, or with the emulator."""
    chosen = drawn(number, seed, around is None, _excluded) if number else []
    return [trial_of(fault, around) for fault in chosen]


def _excluded(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two conditions cannot go together, for a reason that constraints.tsv has."""
    return any(constraint.forbids(dict((one, other))) for constraint in constraints())


def named_trial(name: str, around: str | None) -> Trial | None:
    """Give the trial of a made fault by its name, if that is one."""
    try:
        return trial_of(fault_named(name), around)
    except (KeyError, ValueError):
        return None


def watching(around: str | None, requirements: Sequence[str]) -> Trial:
    """Give the trial that shows that who watches for conditions disturbs nobody, where these are judged."""
    return Trial(
        name="made faults, of which none is made",
        kind="control",
        reference=ADAPTER,
        around=around or "",
        requirements=tuple(requirements),
        made=NOTHING.name,
    )


def trial_of(fault: MadeFault, around: str | None) -> Trial:
    """Give the trial of a fault."""
    return Trial(
        name=fault.name,
        kind="made fault",
        reference=ADAPTER,
        about=_about(fault),
        around=around or "",
        requirements=fault.breaks,
        made=fault.name,
    )


def _about(fault: MadeFault) -> str:
    where = " and ".join(_where()[place] for place in fault.places)
    return f"{fault.rule.about}{where and f' where {where}'}"


class Reached(NamedTuple):
    """A check that could break rules, what it judges, how long it took, and each rule with conditions that held."""

    check: str
    requirements: tuple[str, ...]
    seconds: float
    moments: Mapping[str, frozenset[int]]


def surveyed(results: Iterable[TrialResult]) -> tuple[Reached, ...]:
    """Take together what a survey saw, the quickest checks first."""
    reached: list[Reached] = []
    for tried in (tried for result in results for tried in result.tried):
        moments: dict[str, set[int]] = {}
        for rule, number in tried.reached:
            moments.setdefault(rule, set()).add(int(number, 16))
        frozen = MappingProxyType({rule: frozenset(numbers) for rule, numbers in moments.items()})
        reached.append(Reached(tried.check, tried.requirements, tried.seconds, frozen))
    return tuple(sorted(reached, key=lambda one: one.seconds))


def effective(fault: MadeFault, survey: Iterable[Reached]) -> tuple[str, ...]:
    """Name the checks that judge what a fault breaks and in which it can take effect, the quickest first."""
    wanted, breaks = bits_of(fault.places), set(fault.breaks)
    return tuple(
        one.check
        for one in survey
        if breaks & set(one.requirements)
        and any(number & wanted == wanted for number in one.moments.get(fault.rule.name, ()))
    )


def aimed(trial: Trial, survey: Iterable[Reached]) -> Trial:
    """Let the trial of a made fault run the checks in which it can take effect."""
    return replace(trial, first=effective(fault_named(trial.made), survey), aimed=True)


def needs_aim(trial: Trial) -> bool:
    """Whether a trial is that of a fault which takes effect under conditions only."""
    return trial.kind == "made fault" and bool(fault_named(trial.made).places)


def without_survey(result: TrialResult) -> TrialResult:
    """Leave out what nobody reads once all faults are aimed."""
    return replace(result, tried=tuple(replace(tried, reached=()) for tried in result.tried))


@cache
def _where() -> Mapping[tuple[str, str], str]:
    return MappingProxyType({(axis.name, value.name): value.where for axis in axes() for value in axis.values})
