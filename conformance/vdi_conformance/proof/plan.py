"""What a proof consists of: the trials, and the requirements that it must verify; as a file for workers."""

from pathlib import Path
from typing import Final

import msgspec

from vdi_conformance.evidence.proof import Trial
from vdi_conformance.untrusted import decoding

FURTHER: Final = 1
"""So many checks of requirements that a fault does not break does it meet, unless told otherwise."""


class NotAPlan(ValueError):
    """A file that holds no plan; the sentence says why."""


class ProofPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is to be tried, in order.

    `scored` are the requirements by which trivial implementations are scored, `demanded` those that a fault must turn
    red, `partial` the names that the proof was restricted to, `made_seed` what made faults were drawn by. Of these
    at `least` so many in a hundred must be found.
    """

    trials: tuple[Trial, ...]
    scored: frozenset[str]
    demanded: frozenset[str]
    partial: tuple[str, ...] = ()
    made_seed: int = 0
    least: float = 0


def write(plan: ProofPlan, path: Path) -> None:
    """Write a plan for the workers."""
    path.write_bytes(msgspec.json.encode(plan))


def read(path: Path) -> ProofPlan:
    """Read what was written, or raise NotAPlan with the reason."""
    try:
        return decoding.json(decoding.file_bytes(path), msgspec.json.Decoder(ProofPlan))
    except decoding.Unreadable as error:
        raise NotAPlan(f"{path} is no plan of trials ({error}): `vdi-conformance prove` writes one") from error
