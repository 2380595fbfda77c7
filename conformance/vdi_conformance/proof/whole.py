"""A whole proof, from its plan and what came of the trials."""

import platform
from typing import NamedTuple

from vdi_conformance import __version__
from vdi_conformance.evidence.proof import Proof, TrialResult
from vdi_conformance.evidence.records import Party
from vdi_conformance.judgement.scoring import version_of
from vdi_conformance.proof.matrix import (
    cells,
    charges,
    ending,
    false_positives,
    findings,
    made_fates,
    scores,
    verified,
    void,
)
from vdi_conformance.proof.plan import ProofPlan
from vdi_conformance.requirements import digest
from vdi_conformance.requirements.profiles import Profile


class Made(NamedTuple):
    """When the trials were made, how many seconds they took, and what came of them."""

    started: str
    duration: float
    results: tuple[TrialResult, ...]


def proof_of(plan: ProofPlan, profile: Profile, adapter: Party, made: Made) -> Proof:
    """Sum up."""
    order = {trial: number for number, trial in enumerate(plan.trials)}
    results = tuple(sorted(made.results, key=lambda result: order[result.trial]))
    found = cells(results)
    because = tuple(void(plan, results))
    wanting = tuple(dict.fromkeys((*because, *findings(plan, results, found))))
    return Proof(
        suite_version=__version__,
        catalogue_sha256=digest(),
        profile=version_of(profile),
        adapter=adapter,
        platform=platform.platform(),
        python=platform.python_version(),
        started=made.started,
        duration=made.duration,
        ending=ending(because, wanting),
        findings=wanting,
        partial=plan.partial,
        cells=found,
        charges=charges(results),
        requirements=verified(plan, found),
        scores=scores(plan, results),
        false_positives=false_positives(results),
        trials=results,
        made=made_fates(results),
        made_seed=plan.made_seed,
    )
