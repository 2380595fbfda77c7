"""What the suite is tried on: the implementations that are shipped with it, as trials."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Final

from msgspec.structs import replace

import vdi_fixtures.broken
import vdi_fixtures.readings
import vdi_fixtures.trivial
from vdi_conformance.docstrings import first_paragraph
from vdi_conformance.evidence.proof import Kind, Trial
from vdi_conformance.proof.fairness import at_random, in_pairs
from vdi_conformance.proof.found import checks_by_fault
from vdi_conformance.proof.plan import FURTHER, ProofPlan
from vdi_conformance.report.certification import CANARIES
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.untrusted.nearest import meant
from vdi_fixtures.shipped import module_names
from vdi_fixtures.wrapping import Wrapping

EMULATOR: Final = "emulator"
LONGEST_FIRST: Final = ("trivial", "reading", "fault")
CLASSES: Final[tuple[tuple[ModuleType, Kind, str], ...]] = (
    (vdi_fixtures.broken, "fault", "Broken"),
    (vdi_fixtures.readings, "reading", "Reading"),
    (vdi_fixtures.trivial, "trivial", "Trivial"),
)


class UnknownTrial(ValueError):
    """A name that no shipped implementation has."""


def plan(
    profile: Profile,
    adapter: str,
    around: str | None,
    only: Sequence[str] = (),
    whole: bool = True,
    further: int = FURTHER,
) -> ProofPlan:
    """Plan the proof for an adapter.

    `around` is its class where it is not the emulator: then there are only the implementations that go around it.
    `only` names implementations to which the proof is restricted. Unless it is of the `whole` suite, only the
    requirements of the profile count. Each fault meets `further` checks of requirements that it does not break.
    """
    shipped = [trial if whole else _within(profile, trial) for trial in _shipped(around)]
    shipped = [replace(trial, further=further) if trial.kind == "fault" else trial for trial in shipped]
    found = [trial for trial in shipped if trial.requirements or trial.kind == "trivial"]
    if unknown := set(only) - {trial.name for trial in found}:
        where = "around that adapter" if around else "here"
        near = meant(min(unknown), (trial.name for trial in found))
        raise UnknownTrial(f"there is nothing called {min(unknown)} to be tried {where}; {near}")
    chosen = [trial for trial in found if not only or trial.name in only]
    broken = frozenset(requirement for trial in chosen if trial.kind == "fault" for requirement in trial.requirements)
    must = frozenset(
        requirement.id
        for requirement in catalogue().requirements
        if requirement.id in profile.scored and requirement.level == "MUST"
    )
    demanded = must & broken if around or only else must
    touched = tuple(sorted({requirement for trial in chosen for requirement in trial.requirements})) if only else ()
    # What takes longest comes first, so that no worker is left alone with it at the end.
    chosen.sort(key=lambda trial: LONGEST_FIRST.index(trial.kind))
    trials = (*_controls(profile, adapter, around, touched), *chosen)
    return ProofPlan(trials=trials, scored=profile.scored, demanded=demanded, partial=tuple(only))


def plan_of_fairness(profile: Profile, pairs: bool, drawn: int) -> ProofPlan:
    """Plan to put readings together: in pairs, and so many times a number of them at once."""
    readings = {trial.name: trial for trial in _shipped(None) if trial.kind == "reading"}
    trials = _controls(profile, EMULATOR, None, ())
    if pairs:
        trials += in_pairs(readings)
    for trial in at_random(readings, drawn):
        trials += _in_parts(trial)
    restricted = [*(["pairs of readings"] if pairs else []), *([f"{drawn} that draw what is open"] if drawn else [])]
    return ProofPlan(trials=tuple(trials), scored=profile.scored, demanded=frozenset(), partial=tuple(restricted))


def _controls(profile: Profile, adapter: str, around: str | None, requirements: tuple[str, ...]) -> list[Trial]:
    """Give what shows that the trials themselves are in order: canaries, and the adapter as it is."""
    unbroken = Trial(name=adapter, kind="control", reference=adapter, requirements=requirements)
    return [*_canaries(profile, around), *_in_parts(unbroken)]


def _within(profile: Profile, trial: Trial) -> Trial:
    """Leave out what a profile does not score."""
    return replace(
        trial, requirements=tuple(requirement for requirement in trial.requirements if requirement in profile.scored)
    )


def _shipped(around: str | None) -> Iterator[Trial]:
    """Give all that can be tried here, or around an adapter."""
    for package, kind, name in CLASSES:
        for module in _modules(package):
            if getattr(module, "NEEDS", sys.platform) != sys.platform:
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
        time_scale=getattr(module, "TIME_SCALE", 1.0),
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
