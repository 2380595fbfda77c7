"""What the suite is tried on: the implementations that are shipped with it, as trials."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Final, NamedTuple

from msgspec.structs import replace

import vdi_fixtures.broken
import vdi_fixtures.readings
import vdi_fixtures.trivial
from vdi_conformance.docstrings import first_paragraph
from vdi_conformance.evidence.proof import Kind, Trial, TrialResult
from vdi_conformance.proof.fairness import at_random, in_pairs
from vdi_conformance.proof.found import checks_by_fault
from vdi_conformance.proof.making import aimed, made_trials, named_trial, needs_aim, surveyed, watching
from vdi_conformance.proof.plan import FURTHER, ProofPlan
from vdi_conformance.report.certification import CANARIES
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.untrusted.nearest import meant
from vdi_fixtures.shipped import is_here, module_names
from vdi_fixtures.wrapping import Wrapping

EMULATOR: Final = "emulator"
FAULTS_WAIT: Final = 0.4
"""What time limits are multiplied by where a fault is there: many leave somebody waiting for what never comes."""
EVERYDAY: Final = ""
ENDURANCE: Final = "endurance"
"""What only the checks of endurance find says so by its constant TIER; everything else has none."""
LONGEST_FIRST: Final = ("made fault", "trivial", "reading", "fault")
CLASSES: Final[tuple[tuple[ModuleType, Kind, str], ...]] = (
    (vdi_fixtures.broken, "fault", "Broken"),
    (vdi_fixtures.readings, "reading", "Reading"),
    (vdi_fixtures.trivial, "trivial", "Trivial"),
)


class Making(NamedTuple):
    """How many faults are made, by which seed, and how many in a hundred must be found; `written`: others as well."""

    number: int = 0
    seed: int = 0
    least: float = 0
    written: bool = True


class UnknownTrial(ValueError):
    """A name that no shipped implementation has."""


def plan(
    profile: Profile,
    adapter: str,
    around: str | None,
    only: Sequence[str] = (),
    whole: bool = True,
    further: int = FURTHER,
    making: Making | None = None,
    endurance: str | None = None,
) -> ProofPlan:
    """Plan the proof for an adapter.

    `around` is its class where it is not the emulator: then there are only the implementations that go around it.
    `only` names implementations to which the proof is restricted. Unless it is of the `whole` suite, only the
    requirements of the profile count. Each fault meets `further` checks of requirements that it does not break.
    `making` says which faults are made besides, or alone. With a size of `endurance` there are the faults of that tier
    alone, and without one all others.
    """
    making = making or Making()
    tier = ENDURANCE if endurance else EVERYDAY
    shipped = [trial if whole else _within(profile, trial) for trial in _shipped(around, tier)]
    shipped = [replace(trial, further=further) if trial.kind == "fault" else trial for trial in shipped]
    found = [trial for trial in shipped if trial.requirements or trial.kind == "trivial"]
    found += [trial for name in only if (trial := named_trial(name, around)) is not None]
    if unknown := set(only) - {trial.name for trial in found}:
        where = "around that adapter" if around else "here"
        near = meant(min(unknown), (trial.name for trial in found))
        raise UnknownTrial(f"there is nothing called {min(unknown)} to be tried {where}; {near}")
    chosen = [trial for trial in found if trial.name in only or (making.written and not only)]
    made = [trial if whole else _within(profile, trial) for trial in made_trials(making.number, making.seed, around)]
    chosen += [trial for trial in made if trial.requirements]
    broken = frozenset(requirement for trial in chosen if trial.kind == "fault" for requirement in trial.requirements)
    must = frozenset(
        requirement.id
        for requirement in catalogue().requirements
        if requirement.id in profile.scored and requirement.level == "MUST"
    )
    partial = (
        *([f"{ENDURANCE} {endurance}"] if endurance else []),
        *only,
        *(() if making.written else ("made faults",)),
    )
    demanded = must & broken if around or partial else must
    touched = _touched(chosen) if only or not making.written else ()
    # What takes longest comes first, so that no worker is left alone with it at the end.
    chosen.sort(key=lambda trial: LONGEST_FIRST.index(trial.kind))
    trials = (*_controls(profile, adapter, around, touched, tier), *chosen)
    return ProofPlan(
        trials=trials,
        scored=profile.scored,
        demanded=demanded,
        partial=partial,
        made_seed=making.seed,
        least=making.least,
    )


def survey_of(planned: ProofPlan, around: str | None) -> ProofPlan:
    """Plan to see in which checks made faults can take effect, with an adapter in which nothing is wrong."""
    made = _touched(trial for trial in planned.trials if needs_aim(trial))
    return replace(planned, trials=tuple(_in_parts(watching(around, made))) if made else ())


def after_survey(planned: ProofPlan, results: Sequence[TrialResult]) -> ProofPlan:
    """Aim the made faults of a plan at the checks in which they can take effect."""
    survey = surveyed(results)
    trials = (aimed(trial, survey) if needs_aim(trial) else trial for trial in planned.trials)
    return replace(planned, trials=tuple(trials))


def _touched(trials: Iterable[Trial]) -> tuple[str, ...]:
    return tuple(sorted({requirement for trial in trials for requirement in trial.requirements}))


def plan_of_fairness(profile: Profile, pairs: bool, drawn: int) -> ProofPlan:
    """Plan to put readings together: in pairs, and so many times a number of them at once."""
    readings = {trial.name: trial for trial in _shipped(None, EVERYDAY) if trial.kind == "reading"}
    trials = _controls(profile, EMULATOR, None, ())
    if pairs:
        trials += in_pairs(readings)
    for trial in at_random(readings, drawn):
        trials += _in_parts(trial)
    restricted = [*(["pairs of readings"] if pairs else []), *([f"{drawn} that draw what is open"] if drawn else [])]
    return ProofPlan(trials=tuple(trials), scored=profile.scored, demanded=frozenset(), partial=tuple(restricted))


def _controls(
    profile: Profile, adapter: str, around: str | None, requirements: tuple[str, ...], tier: str = EVERYDAY
) -> list[Trial]:
    """Give what shows that the trials themselves are in order: canaries, and the adapter as it is.

    Canaries are found by checks that each tier but that of every day leaves out.
    """
    unbroken = Trial(name=adapter, kind="control", reference=adapter, requirements=requirements)
    return [*(_canaries(profile, around) if tier == EVERYDAY else []), *_in_parts(unbroken)]


def _within(profile: Profile, trial: Trial) -> Trial:
    """Leave out what a profile does not score."""
    return replace(
        trial, requirements=tuple(requirement for requirement in trial.requirements if requirement in profile.scored)
    )


def _shipped(around: str | None, tier: str) -> Iterator[Trial]:
    """Give all of a tier that can be tried here, or around an adapter."""
    for package, kind, name in CLASSES:
        for module in _modules(package):
            if not is_here(module) or getattr(module, "TIER", EVERYDAY) != tier:
                continue
            if around is None or (kind == "fault" and issubclass(getattr(module, name), Wrapping)):
                yield _trial(module, kind, name, around)


def _modules(package: ModuleType) -> Iterable[ModuleType]:
    return map(import_module, module_names(package).values())


def _trial(module: ModuleType, kind: Kind, name: str, around: str | None) -> Trial:
    requirements = getattr(module, "BREAKS", ())
    if kind == "reading":
        of_questions = (
            requirement.id for requirement in catalogue().requirements if set(module.TAKES) & set(requirement.questions)
        )
        requirements = getattr(module, "TOUCHES", None) or tuple(of_questions)
    return Trial(
        name=module.__name__.rpartition(".")[2],
        kind=kind,
        reference=f"{module.__name__}:{name}",
        about=first_paragraph(module),
        around=around or "",
        requirements=tuple(requirements),
        first=checks_by_fault().get(module.__name__.rpartition(".")[2], ()) if kind == "fault" else (),
        warns=tuple(getattr(module, "WARNS", ())),
        untested=tuple(getattr(module, "NOT_TESTED", ())),
        may=tuple(getattr(module, "HINDERS", ())),
        shows=tuple(getattr(module, "SHOWS", ())),
        wavers=tuple(getattr(module, "WAVERS", ())),
        time_scale=getattr(module, "TIME_SCALE", FAULTS_WAIT if kind == "fault" else 1.0),
        follows=tuple(getattr(module, "FOLLOWS", ())),
    )


def _canaries(profile: Profile, around: str | None) -> list[Trial]:
    return [
        Trial(
            name=canary.fault,
            kind="canary",
            reference=canary.reference,
            about="A fault that must be found, or else nothing is shown.",
            around=around or "",
            requirements=(canary.requirement,),
        )
        for canary in CANARIES.get(profile.name, ())
    ]


def _in_parts(trial: Trial) -> list[Trial]:
    """Divide by topic what runs most of the suite, so that workers share it."""
    from msgspec.structs import replace

    return [replace(trial, part=topic) for topic in catalogue().topics]
