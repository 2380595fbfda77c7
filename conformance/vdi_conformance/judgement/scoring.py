"""Verdicts by requirement: what the checks of a run say of the requirements of a profile; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from vdi_conformance.evidence.records import CheckRecord, Header, Party, ProfileVersion, Verdict
from vdi_conformance.judgement.charges import verdicts
from vdi_conformance.requirements import Requirement
from vdi_conformance.requirements.profiles import Profile, Standing, profiles

BY_APPLICATIONS: Final = "client application"
"""What a requirement binds of which each check says itself whether it had to be tested."""
ONE_PLATFORM: Final = "platform"
"""The reach of a requirement that shows on one platform alone."""
REQUIRED: Final = ("MUST", "SHOULD")
WORST_FIRST: Final[tuple[Verdict, ...]] = ("failed", "known failure", "error", "not tested", "warning", "passed")


class RequirementVerdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended for one requirement, and what the requirement is to the profile."""

    id: str
    level: str
    standing: Standing
    verdict: Verdict


def version_of(profile: Profile) -> ProfileVersion:
    """Name a profile as evidence does."""
    return ProfileVersion(name=profile.name, version=profile.version, sha256=profile.sha256)


def profile_of(version: ProfileVersion | None) -> Profile | None:
    """Find a profile by its version; None where there is none, or the suite does not have it as it was."""
    found = profiles().get(version.label) if version else None
    return found if found is not None and version is not None and found.sha256 == version.sha256 else None


def by_requirement(
    profile: Profile, requirements: Iterable[Requirement], client: Party, checks: Sequence[CheckRecord]
) -> tuple[RequirementVerdict, ...]:
    """Give the verdict of every requirement that the profile speaks of, in their order.

    It is the worst of its checks'. A check that was not applicable takes nothing from the others; where there are no
    others, the requirement was not tested, unless it is optional and the adapter does not declare what it needs: of
    that, a check that passed cannot have seen anything. A
    check that failed is charged to what it broke, and did not test what else it judges. One that judges a scored
    requirement and one that is not says nothing of the former, unless it broke that very one. What the catalogue no
    longer has was not tested.
    """
    known = {requirement.id: requirement for requirement in requirements}
    gone = [
        RequirementVerdict(id=id_, level="", standing="scored", verdict="not tested")
        for id_ in sorted(profile.scored - known.keys())
    ]
    judged = [
        (requirement, standing)
        for requirement in known.values()
        if (standing := profile.standing(requirement)) is not None
    ]
    scored, every = _verdicts(profile, checks)
    return (
        *(
            _judged(
                profile,
                requirement,
                standing,
                client,
                (scored if standing == "scored" else every).get(requirement.id, []),
            )
            for requirement, standing in judged
        ),
        *gone,
    )


def _verdicts(
    profile: Profile, checks: Sequence[CheckRecord]
) -> tuple[Mapping[str, list[Verdict]], Mapping[str, list[Verdict]]]:
    """Give the verdicts of the checks of each requirement: of those that are scored, and of all."""
    elsewhere = {requirement for check in checks for requirement, verdict in verdicts(check) if verdict}
    scored: defaultdict[str, list[Verdict]] = defaultdict(list)
    every: defaultdict[str, list[Verdict]] = defaultdict(list)
    for check in checks:
        counts = profile.counts(check.requirements)
        for requirement, verdict in verdicts(check):
            # Where nothing else is known of it, what ended the check is all that there is to say.
            said = [verdict or check.verdict] if verdict or requirement not in elsewhere else []
            every[requirement] += said
            if counts or (requirement in check.broken and profile.counts(check.broken)):
                scored[requirement] += said
    return scored, every


def _judged(
    profile: Profile, requirement: Requirement, standing: Standing, client: Party, about: Sequence[Verdict]
) -> RequirementVerdict:
    optional = profile.optional.get(requirement.id)
    undeclared = optional is not None and not client.capabilities.get(optional)
    silent: tuple[Verdict, ...] = ("not applicable", "passed") if undeclared else ("not applicable",)
    verdicts = [verdict for verdict in about if verdict not in silent]
    verdict: Verdict = "not tested"
    if verdicts:
        verdict = min(verdicts, key=WORST_FIRST.index)
    elif about and undeclared:
        verdict = "not applicable"
    return RequirementVerdict(id=requirement.id, level=requirement.level, standing=standing, verdict=verdict)


def untested(requirements: Iterable[Requirement], header: Header, checks: Sequence[CheckRecord]) -> tuple[str, ...]:
    """Name what is required in a run without a profile, and was tried by no check that judges it.

    Excused is only what is optional and not declared, what is about another kind of library than the declared one, what
    shows on one platform alone, and the server where it is not judged. A profile decides the same by itself, so where
    there is one nothing is named; nor of a shard, since others may have tried what it did not.
    """
    if header.profile is not None or header.shard is not None:
        return ()
    tried = {requirement for check in checks if check.verdict != "not applicable" for requirement in check.requirements}
    selected = {requirement for check in checks for requirement in check.requirements}
    own_server = header.client == header.server and bool(header.client.capabilities.get("server_under_test"))
    return tuple(
        requirement.id
        for requirement in requirements
        if requirement.id in selected - tried
        and requirement.level in REQUIRED
        and (requirement.binds != "server" or own_server)
        and not _excused(requirement, header.client)
    )


def _excused(requirement: Requirement, client: Party) -> bool:
    """Whether a requirement may be not applicable: a library has one abi, so what is about another is no lack.

    Nor is what shows on one platform alone, where the run is on another one, nor what only some client applications do.
    """
    if requirement.reach == ONE_PLATFORM or requirement.binds == BY_APPLICATIONS:
        return True
    return bool(requirement.optional) and (
        requirement.optional == "native_abi" or not client.capabilities.get(requirement.optional)
    )


def counts_with_untested(counts: Mapping[str, int], untested: Sequence[str]) -> dict[str, int]:
    """Count what decides without a profile: the verdicts of checks, and requirements that none of them tried."""
    return {**counts, "not tested": counts.get("not tested", 0) + len(untested)}


def scored_counts(verdicts: Iterable[RequirementVerdict], checks: Iterable[CheckRecord]) -> dict[str, int]:
    """Count what decides: the verdicts of scored requirements, and errors that nobody can attribute to any."""
    counts = Counter[str](one.verdict for one in verdicts if one.standing == "scored")
    counts["error"] += sum(not check.requirements for check in checks)
    return dict(counts)
