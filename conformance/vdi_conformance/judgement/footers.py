"""How a run ended, from its records: what was left out, what decides, and the footer; pure."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from vdi_conformance.evidence.records import CheckRecord, Footer, Header, Whole
from vdi_conformance.evidence.shards import belongs
from vdi_conformance.judgement.exit_codes import exit_code
from vdi_conformance.judgement.scoring import (
    RequirementVerdict,
    by_requirement,
    counts_with_untested,
    scored_counts,
    untested,
)
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile


class Judging(Protocol):
    """Whatever judges requirements."""

    @property
    def requirements(self) -> Sequence[str]:
        """Their ids."""


def footer(
    header: Header,
    checks: Sequence[CheckRecord],
    profile: Profile | None,
    complaints: Sequence[str] = (),
    *,
    duration: float,
    status: int = 0,
    narrowed: Sequence[str] = (),
    whole: Whole | None = None,
) -> Footer:
    """Make the last line of a run; `status` is pytest's exit code, `complaints` what the baseline says of the run."""
    return Footer(
        counts=dict(Counter[str](check.verdict for check in checks)),
        complaints=list(complaints),
        narrowed=list(narrowed),
        exit_code=exit_code(_deciding(header, checks, profile), status, complaints),
        duration=duration,
        whole=whole,
    )


def requirement_verdicts(
    header: Header, checks: Sequence[CheckRecord], profile: Profile | None
) -> tuple[RequirementVerdict, ...]:
    """Give the verdicts by requirement, where a profile was named."""
    return () if profile is None else by_requirement(profile, catalogue().requirements, header.client, checks)


def _deciding(header: Header, checks: Sequence[CheckRecord], profile: Profile | None) -> dict[str, int]:
    """Count what decides: checks and requirements that none of them tried, or the requirements of a profile.

    That no check of a requirement came to a verdict is nothing to a shard, since the others may have one.
    """
    if profile is None:
        counts = Counter[str](check.verdict for check in checks)
        return counts_with_untested(counts, untested(catalogue().requirements, header, checks))
    verdicts = requirement_verdicts(header, checks, profile)
    if header.shard is not None:
        seen = {requirement for one in checks if one.verdict == "not tested" for requirement in one.requirements}
        verdicts = tuple(one for one in verdicts if one.verdict != "not tested" or one.id in seen)
    return scored_counts(verdicts, checks)


def left_out(
    header: Header, executed: Collection[str], held: Callable[[], Mapping[str, Judging]], profile: Profile | None
) -> list[str]:
    """Say where a run that was to execute all checks, or all of its profile or shard, did not, whatever the reason.

    `held` gives each check of the suite by its id, and is asked only where that matters.
    """
    asked = [] if profile is None else [f"profile {profile.label}"]
    if header.shard is not None:
        asked.append(f"shard {header.shard.label}")
    if sorted(header.selection) != sorted(asked):
        return []
    known = {requirement.id: requirement for requirement in catalogue().requirements}
    wanted = {
        id_
        for id_, check in held().items()
        if (profile is None or profile.selects(known[one] for one in check.requirements))
        and (header.shard is None or belongs(id_, header.shard))
    }
    found = wanted.intersection(executed)
    return [] if found == wanted else [f"{len(found)} of {len(wanted)} checks"]
