"""What a proof of the suite leaves behind: what was tried, what was seen, and what follows for each requirement."""

from typing import Final, Literal

import msgspec

from vdi_conformance.evidence.records import Observation, Party, ProfileVersion, Verdict

FORMAT: Final = 2

Kind = Literal["control", "canary", "fault", "made fault", "reading", "trivial"]
KINDS: Final[tuple[Kind, ...]] = ("control", "canary", "fault", "made fault", "reading", "trivial")
Outcome = Literal["killed", "killed by another requirement only", "survived", "never exercised", "not applicable"]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    "killed",
    "killed by another requirement only",
    "survived",
    "never exercised",
    "not applicable",
)
Fate = Literal[
    "found", "charged to others only", "unnoticed", "condition never reached", "not applicable", "no verdict"
]
FATES: Final[tuple[Fate, ...]] = (
    "found",
    "charged to others only",
    "unnoticed",
    "condition never reached",
    "not applicable",
    "no verdict",
)
"""What becomes of a made fault that took effect in checks of what it breaks: these were red by another requirement,
or saw nothing (`unnoticed`)."""
Ending = Literal["proven", "not proven", "void"]


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One implementation to try the suite on, or a part of such a trial.

    `reference` names its adapter, `around` what a wrapper is put around, `about` what is special about it.
    `requirements` are those that a fault breaks, that a reading touches, that a part of the baseline is about; `first`
    are the checks that found a fault before, which saves time. Of a reading, `warns` and `untested` name requirements
    for which a check must end in a warning or not tested, `may` those for which one may, `shows` what it must be seen
    to choose, and `wavers` the questions that chance answers. Of a fault, `follows` are requirements that cannot hold
    once those are broken that it breaks, and `further` says how many checks of other requirements it meets, to see
    which of them it is charged with. `together` names readings of which it is made, with
    `seed` for what these draw; at the `most` so many checks are tried. `time_scale` is the factor on the time limits
    of its processes. `made` names a fault that is made of a rule and conditions, of which each of the `requirements`
    is the right one to find it; `aimed` says that it can take effect in its `first` checks alone.
    """

    name: str
    kind: Kind
    reference: str
    about: str = ""
    around: str = ""
    requirements: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    shows: tuple[tuple[str, str, str], ...] = ()
    wavers: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    further: int = 0
    part: str = ""
    together: tuple[str, ...] = ()
    seed: str = ""
    most: int | None = None
    time_scale: float = 1.0
    made: str = ""
    aimed: bool = False


class Tried(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one check of a trial ended, in `seconds`; where it did not pass, what it broke, and `cause` a sentence.

    `effects` counts how often a made fault took effect; `reached` says, where nothing is wrong, which rules could be
    broken in it, under which conditions.
    """

    check: str
    requirements: tuple[str, ...]
    verdict: Verdict
    broken: tuple[str, ...] = ()
    cause: str = ""
    seconds: float = 0.0
    effects: int = 0
    reached: tuple[tuple[str, str], ...] = ()


class TrialResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a trial; `error` says in one sentence why it could not be made."""

    trial: Trial
    tried: tuple[Tried, ...] = ()
    observed: tuple[Observation, ...] = ()
    error: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fault did to a requirement that it breaks, and which check saw it."""

    requirement: str
    fault: str
    outcome: Outcome
    check: str = ""
    cause: str = ""


class MadeFate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a made fault: where it was found by which check of a requirement that it breaks.

    `effective` counts the checks in which it took effect of all that were `tried`, all of which judge such a
    requirement; `effect` names one of them, and `charged` what they were charged to where that is something else.
    """

    fault: str
    about: str
    requirements: tuple[str, ...]
    fate: Fate
    tried: int
    effective: int
    requirement: str = ""
    check: str = ""
    cause: str = ""
    effect: str = ""
    charged: tuple[str, ...] = ()


class Charges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fault was charged with in all its checks: what it breaks, what follows from that, and what is innocent.

    `example` is a check that charged an innocent requirement.
    """

    fault: str
    broken: tuple[str, ...]
    following: tuple[str, ...]
    innocent: tuple[str, ...]
    example: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A requirement, and the faults that turned it red; `scored` says that the proof must show one."""

    requirement: str
    level: str
    scored: bool
    faults: tuple[str, ...]


class Score(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which scored requirements a trivial implementation met, of how many; `must` are those that must hold."""

    name: str
    about: str
    met: tuple[str, ...]
    scored: int
    must: int
    unmet_musts: int


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole proof; `started` is a time in UTC (ISO 8601), `duration` in seconds.

    `findings` are sentences: each is a reason why nothing is proven. `false_positives` are the readings
    that a check failed on. `partial` names what it was restricted to. `made` has the faults that were made, drawn by
    `made_seed`.
    """

    format: int = FORMAT
    suite_version: str
    catalogue_sha256: str
    profile: ProfileVersion
    adapter: Party
    platform: str
    python: str
    started: str
    duration: float
    ending: Ending
    findings: tuple[str, ...]
    partial: tuple[str, ...]
    cells: tuple[Cell, ...]
    charges: tuple[Charges, ...]
    requirements: tuple[Verified, ...]
    scores: tuple[Score, ...]
    false_positives: tuple[str, ...]
    trials: tuple[TrialResult, ...]
    made: tuple[MadeFate, ...] = ()
    made_seed: int = 0
