"""What a person reads at the end of a proof; pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from vdi_conformance.evidence.proof import FATES, OUTCOMES, MadeFate, Proof
from vdi_conformance.untrusted.printable import shown

FINDING: Final = 5000
"""So many characters of a finding are told."""
FEW: Final = 12
"""So many faults with undeserved charges are named."""
MOST: Final = 40
"""So many findings are told; the rest stands in the JSON file."""


def summary(proof: Proof) -> Iterator[str]:
    """Give the lines, what decides last."""
    kinds = Counter(result.trial.kind for result in proof.trials)
    yield from _detection(proof, kinds["fault"])
    if proof.made:
        yield from _made(proof)
    if kinds["reading"]:
        yield f"{kinds['reading']} permitted readings, {len(proof.false_positives)} of them accused of something"
    for score in proof.scores:
        met = f"meets {len(score.met)} of {score.scored} requirements"
        yield f"trivial: {shown(score.name)} {met}, and breaks {score.unmet_musts} of the {score.must} that must hold"
    for finding in proof.findings[:MOST]:
        yield f"- {shown(finding, FINDING)}"
    if len(proof.findings) > MOST:
        yield f"- and {len(proof.findings) - MOST} more, which --json writes"
    restricted = f", restricted to {shown(', '.join(proof.partial))}" if proof.partial else ""
    tried = shown(f"{proof.adapter.name} {proof.adapter.version}")
    yield f"{proof.ending.upper()} on {tried} in {proof.duration:.0f} s{restricted}"


def _made(proof: Proof) -> Iterator[str]:
    """Say how many made faults were found, and name what was missed."""
    fates = Counter(one.fate for one in proof.made)
    told = ", ".join(f"{fates[fate]} {fate}" for fate in FATES if fates[fate])
    counted = len(proof.made) - fates["not applicable"]
    share = f" ({100 * fates['found'] / counted:.1f} %)" if counted else ""
    drawn = f", drawn by the seed {proof.made_seed}"
    yield f"{len(proof.made)} made faults{drawn}: {told}; {fates['found']} of {counted} found{share}"
    missed = [one for one in proof.made if one.fate not in ("found", "not applicable")]
    for one in missed[:MOST]:
        yield f"  {shown(one.fault)}: {_missed(one)}"
    if len(missed) > MOST:
        yield f"  and {len(missed) - MOST} more, which --json writes"


def _missed(one: MadeFate) -> str:
    if one.fate == "charged to others only":
        return f"was charged to {', '.join(one.charged)} only, which it does not break, as by {shown(one.effect)}"
    if one.fate == "unnoticed":
        return f"took effect in {one.effective} of {one.tried} checks, such as {shown(one.effect)}, and nobody noticed"
    return f"{one.fate}, in {one.tried} checks" + (f": {shown(one.cause)}" if one.cause else "")


def _precision(proof: Proof) -> Iterator[str]:
    """Say of how many faults all charges are deserved, and of a few what else they were charged with."""
    unjust = [one for one in proof.charges if one.innocent]
    precise = len(proof.charges) - len(unjust)
    yield f"{precise} of {len(proof.charges)} faults charged with nothing but what they break and what follows from it"
    if len(unjust) <= FEW:
        for one in unjust:
            yield f"{shown(one.fault)} is charged with {', '.join(one.innocent)} as well, by {shown(one.example)}"


def _detection(proof: Proof, faults: int) -> Iterator[str]:
    outcomes = Counter(cell.outcome for cell in proof.cells)
    told = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES if outcomes[outcome])
    yield f"{faults} faults, which break requirements {len(proof.cells)} times: {told or 'none'}"
    if proof.charges:
        yield from _precision(proof)
    demanded = [one for one in proof.requirements if one.scored]
    shown = sum(bool(one.faults) for one in demanded)
    yield f"{shown} of {len(demanded)} requirements that must hold verified: a fault turned a check of each red"
