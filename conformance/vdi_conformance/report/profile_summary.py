"""The summary of a run by the requirements of a profile, after that by checks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from vdi_conformance.evidence.records import VERDICTS, Verdict
from vdi_conformance.judgement.scoring import RequirementVerdict
from vdi_conformance.requirements.profiles import Profile

UNEXPECTED: Final[tuple[Verdict, ...]] = ("failed", "known failure", "error", "not tested", "warning")


def profile_lines(profile: Profile, requirements: Sequence[RequirementVerdict]) -> Iterator[str]:
    """Say how the requirements of the profile came out, and name those that did not come out as they should."""
    scored = [requirement for requirement in requirements if requirement.standing == "scored"]
    others = [requirement for requirement in requirements if requirement.standing != "scored"]
    yield f"profile {profile.label} ({profile.about}): {len(scored)} requirements scored, {_counted(scored)}"
    yield from _named(scored, "  {verdict}: {ids}", UNEXPECTED)
    if others:
        yield f"  {len(others)} requirements not scored, {_counted(others)}"
        yield from _named(others, "  not scored, {verdict}: {ids}", ("failed", "known failure", "error", "warning"))


def _counted(requirements: Iterable[RequirementVerdict]) -> str:
    counts = Counter(requirement.verdict for requirement in requirements)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]) or "none"


def _named(requirements: Iterable[RequirementVerdict], form: str, verdicts: Iterable[Verdict]) -> Iterator[str]:
    found = list(requirements)
    for verdict in verdicts:
        if ids := [requirement.id for requirement in found if requirement.verdict == verdict]:
            yield form.format(verdict=verdict, ids=", ".join(ids))
