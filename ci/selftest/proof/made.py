"""Results of trials as the tests need them."""

from vdi_conformance.evidence.proof import Kind, Trial, TrialResult, Tried
from vdi_conformance.evidence.records import CHARGING, Observation, Verdict
from vdi_conformance.proof.plan import ProofPlan

NEAR, FAR = "near/a_check_of_its_requirement", "far/a_check_of_another_requirement"


def trial(
    kind: Kind = "fault", name: str = "wrong", requirements: tuple[str, ...] = ("MBH-04",), **further: object
) -> Trial:
    """Give a trial."""
    return Trial(name=name, kind=kind, reference=f"package.{name}:Class", requirements=requirements, **further)  # type: ignore[arg-type]


def tried(verdict: Verdict, check: str = NEAR, requirements: tuple[str, ...] = ("MBH-04",)) -> Tried:
    """Give how a check ended."""
    return Tried(
        check=check,
        requirements=requirements,
        verdict=verdict,
        broken=requirements if verdict in CHARGING else (),
        cause="" if verdict == "passed" else "it gave NOERROR",
    )


def result(of: Trial, *ends: Tried, observed: tuple[Observation, ...] = (), error: str = "") -> TrialResult:
    """Give what came of a trial."""
    return TrialResult(trial=of, tried=ends, observed=observed, error=error)


def plan(
    *results: TrialResult, demanded: frozenset[str] = frozenset(), scored: frozenset[str] = frozenset()
) -> ProofPlan:
    """Give the plan that had these results."""
    return ProofPlan(trials=tuple(one.trial for one in results), scored=scored, demanded=demanded)
