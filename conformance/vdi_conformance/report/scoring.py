"""Verdicts by requirement: what the checks of a run say of the rows of a profile; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from vdi_conformance.evidence.records import CheckRecord, Party, ProfileVersion, Verdict
from vdi_conformance.requirements import Requirement
from vdi_conformance.requirements.profiles import Profile, Standing

WORST_FIRST: Final[tuple[Verdict, ...]] = ("failed", "known failure", "error", "not tested", "warning", "passed")


class RowVerdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended for one requirement, and what the requirement is to the profile."""

    id: str
    level: str
    standing: Standing
    verdict: Verdict


def version_of(profile: Profile) -> ProfileVersion:
    """Name a profile as evidence does."""
    return ProfileVersion(name=profile.name, version=profile.version, sha256=profile.sha256)


def by_requirement(
    profile: Profile, rows: Iterable[Requirement], client: Party, checks: Sequence[CheckRecord]
) -> tuple[RowVerdict, ...]:
    """Give the verdict of every requirement that the profile speaks of, in their order.

    It is the worst of its checks'. A check that was not applicable takes nothing from the others; where there are no
    others, the requirement was not tested, unless it is optional and the adapter does not declare what it needs. A
    check of a scored requirement that is also about one that is not counts for the latter alone: its failure need not
    be about the former. What the catalogue no longer has was not tested.
    """
    known = {row.id: row for row in rows}
    gone = [
        RowVerdict(id=id_, level="", standing="scored", verdict="not tested")
        for id_ in sorted(profile.scored - known.keys())
    ]
    judged = [(row, standing) for row in known.values() if (standing := profile.standing(row)) is not None]
    scored, every = _verdicts(profile, checks)
    return (
        *(
            _judged(profile, row, standing, client, (scored if standing == "scored" else every).get(row.id, []))
            for row, standing in judged
        ),
        *gone,
    )


def _verdicts(
    profile: Profile, checks: Iterable[CheckRecord]
) -> tuple[Mapping[str, list[Verdict]], Mapping[str, list[Verdict]]]:
    """Give the verdicts of the checks of each requirement: of those that are scored, and of all."""
    scored: defaultdict[str, list[Verdict]] = defaultdict(list)
    every: defaultdict[str, list[Verdict]] = defaultdict(list)
    for check in checks:
        counts = profile.counts(check.rows)
        for row in set(check.rows):
            every[row].append(check.verdict)
            if counts:
                scored[row].append(check.verdict)
    return scored, every


def _judged(
    profile: Profile, row: Requirement, standing: Standing, client: Party, about: Sequence[Verdict]
) -> RowVerdict:
    verdicts = [verdict for verdict in about if verdict != "not applicable"]
    verdict: Verdict = "not tested"
    if verdicts:
        verdict = min(verdicts, key=WORST_FIRST.index)
    elif about and row.id in profile.optional and not client.capabilities.get(profile.optional[row.id]):
        verdict = "not applicable"
    return RowVerdict(id=row.id, level=row.level, standing=standing, verdict=verdict)


def scored_counts(verdicts: Iterable[RowVerdict], checks: Iterable[CheckRecord]) -> dict[str, int]:
    """Count what decides: the verdicts of scored requirements, and errors that nobody can attribute to any."""
    counts = Counter[str](one.verdict for one in verdicts if one.standing == "scored")
    counts["error"] += sum(not check.rows for check in checks)
    return dict(counts)
