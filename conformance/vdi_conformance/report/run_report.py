"""A run as its reports tell it: outcome, causes, requirements, observations, the way to a certificate; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CHARGING, CheckRecord, Header, Party, ProfileVersion, Unexpected, Verdict
from vdi_conformance.judgement.charges import concerned, verdicts
from vdi_conformance.judgement.footers import requirement_verdicts
from vdi_conformance.judgement.scoring import RequirementVerdict, by_requirement, profile_of, scored_counts
from vdi_conformance.report.causes import Alike, by_cause
from vdi_conformance.report.common_conditions import where
from vdi_conformance.report.observations import Answered, answered
from vdi_conformance.report.wording import rerun, rerun_all, untested_lines
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile, newest

FORMAT: Final = 1
Outcome = Literal["conformant", "not conformant", "baseline out of date", "incomplete", "nothing executed"]
OUTCOMES: Final[Mapping[int, Outcome]] = {0: "conformant", 1: "not conformant", 5: "nothing executed"}
"""By the exit code of the run; any other one is incomplete."""
UNMET: Final[tuple[Verdict, ...]] = ("failed", "known failure", "error", "not tested", "warning")
"""The verdicts that have a cause, the worst first."""
IN_THE_WAY: Final[tuple[Verdict, ...]] = UNMET[:-1]
"""What no certificate passes over; it knows no baseline."""
WORST_FIRST: Final[tuple[Verdict, ...]] = (*UNMET, "passed", "not applicable")


class Prospect(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile would say of a run: how many requirements it scores, and which are in the way, by verdict.

    `unattributed` are checks that ended in error before it was known what they judge.
    """

    profile: str
    about: str
    scored: int
    in_the_way: dict[str, list[str]]
    unattributed: int = 0

    @property
    def clear(self) -> bool:
        """Whether nothing is in the way."""
        return not self.in_the_way and not self.unattributed


class CauseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One cause: how checks ended for it, a sentence for all, what it breaks, and the check that shows it best.

    `where` are conditions that all these checks have and no other; `again` is the command that runs the check again,
    and `unexpected` its call that should have been answered otherwise.
    """

    number: int
    verdict: Verdict
    sentence: str
    requirements: list[str]
    where: str
    check: str
    expected: list[str]
    observed: str | None
    again: str
    checks: list[str]
    unexpected: Unexpected | None


class RequirementReport(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement: the worst that its checks say of it, what it is to the profile, and the numbers of its causes.

    `checks` counts those that judge it, by how they ended.
    """

    id: str
    level: str
    standing: str | None
    verdict: Verdict
    checks: dict[str, int]
    causes: list[int]

    @property
    def hidden(self) -> bool:
        """Whether it was not tested because checks that judge it broke another requirement first."""
        return self.verdict == "not tested" and any(self.checks.get(verdict) for verdict in CHARGING)


class ObservationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried to answer an open question, the answers that came, and those that the documents permit.

    `permitted` is empty where the list is not a closed one; more than one answer contradict each other.
    """

    question: str
    subject: str
    answers: list[str]
    permitted: list[str]


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `scope` says what the outcome speaks of, `reasons` in a sentence each why it is not conformant."""

    format: int = FORMAT
    outcome: Outcome
    scope: str
    exit_code: int
    reasons: list[str]
    profile: ProfileVersion | None
    client: Party
    server: Party
    suite_version: str
    catalogue_sha256: str
    platform: str
    started: str
    duration: float
    selection: list[str]
    again: str
    counts: dict[str, int]
    prospects: list[Prospect]
    causes: list[CauseReport]
    requirements: list[RequirementReport]
    observations: list[ObservationReport]


def run_report(evidence: Evidence) -> RunReport:
    """Work out what every report of a run says."""
    header, checks, footer = evidence.header, evidence.checks, evidence.footer
    judged = _by_profile(evidence)
    causes = [_cause(number, alike, header, checks) for number, alike in enumerate(causes_of(checks), 1)]
    requirements = list(_requirements(checks, judged, causes))
    return RunReport(
        outcome=outcome_of(evidence),
        scope=_scope(header),
        exit_code=footer.exit_code,
        reasons=list(_reasons(evidence, requirements)),
        profile=header.profile,
        client=header.client,
        server=header.server,
        suite_version=header.suite_version,
        catalogue_sha256=header.catalogue_sha256,
        platform=header.platform,
        started=header.started,
        duration=footer.duration,
        selection=header.selection,
        again=rerun_all(header),
        counts=footer.counts,
        prospects=[_prospect(profile, header, checks) for profile in _eligible(header)],
        causes=causes,
        requirements=requirements,
        observations=[_observation(one, checks) for one in answered(checks)],
    )


def causes_of(checks: Sequence[CheckRecord]) -> list[Alike]:
    """Give the causes of a run in the order of every report: the worst verdict first, then what ended most checks."""
    found = by_cause(check for check in checks if check.verdict in UNMET)
    return sorted(found, key=lambda one: (UNMET.index(one.clearest.verdict), -len(one.others)))


def _by_profile(evidence: Evidence) -> tuple[RequirementVerdict, ...]:
    """Judge by the profile of a run; by none where it had none, or one that this version does not have as it was."""
    return requirement_verdicts(evidence.header, evidence.checks, profile_of(evidence.header.profile))


def outcome_of(evidence: Evidence) -> Outcome:
    """Say how a run came out: by its exit code, and for what that was 1."""
    footer, judged = evidence.footer, _by_profile(evidence)
    failed = scored_counts(judged, evidence.checks).get("failed") if judged else footer.counts.get("failed")
    if footer.exit_code == 1 and footer.complaints and not failed:
        return "baseline out of date"
    return OUTCOMES.get(footer.exit_code, "incomplete")


def restrictions(header: Header) -> list[str]:
    """Say what was selected beside a profile."""
    return [one for one in header.selection if header.profile is None or one != f"profile {header.profile.label}"]


def _scope(header: Header) -> str:
    """Say what the outcome speaks of."""
    what = f"the profile {header.profile.label}" if header.profile else "the whole suite"
    further = restrictions(header)
    return f"{what}, restricted to {'; '.join(further)}" if further else what


def _reasons(evidence: Evidence, requirements: Sequence[RequirementReport]) -> Iterator[str]:
    """Say what gave the run its exit code, where that is not 0."""
    deciding = [one for one in requirements if one.standing in (None, "scored")]
    unjudged = [one for one in deciding if one.verdict == "not tested"]
    named = {
        "broken": [one.id for one in deciding if one.verdict == "failed"],
        "not judged, since a check ended in error": [one.id for one in deciding if one.verdict == "error"],
        "not tested": [one.id for one in unjudged if not one.hidden],
    }
    for what, ids in named.items():
        if told := _counted(len(ids), "requirement is", "requirements are"):
            yield f"{told} {what}: {', '.join(ids)}"
    if hidden := _counted(sum(one.hidden for one in unjudged), "requirement", "requirements"):
        yield f"{hidden} could not be judged, since checks broke another one first"
    lost = [check for check in evidence.checks if not check.requirements and check.verdict in IN_THE_WAY]
    if told := _counted(len(lost), "check", "checks"):
        yield f"{told} ended before it was known what they judge"
    yield from untested_lines(evidence.header, evidence.checks)
    yield from evidence.footer.complaints


def _eligible(header: Header) -> tuple[Profile, ...]:
    """Give the profiles that a run can say something of: its own, or each where it was of the whole suite."""
    if header.profile is not None:
        known = profile_of(header.profile)
        return (known,) if known is not None and header.selection == [f"profile {known.label}"] else ()
    return () if header.selection else newest()


def _prospect(profile: Profile, header: Header, checks: Sequence[CheckRecord]) -> Prospect:
    scored = [
        one
        for one in by_requirement(profile, catalogue().requirements, header.client, checks)
        if one.standing == "scored"
    ]
    named = {verdict: [one.id for one in scored if one.verdict == verdict] for verdict in IN_THE_WAY}
    return Prospect(
        profile=profile.label,
        about=profile.about,
        scored=len(scored),
        in_the_way={verdict: ids for verdict, ids in named.items() if ids},
        unattributed=sum(not check.requirements and check.verdict == "error" for check in checks),
    )


def _cause(number: int, alike: Alike, header: Header, checks: Sequence[CheckRecord]) -> CauseReport:
    check = alike.clearest
    return CauseReport(
        number=number,
        verdict=check.verdict,
        sentence=alike.sentence,
        requirements=concerned(check),
        where=where([check, *alike.others], checks),
        check=check.id,
        expected=check.cause.expected if check.cause else [],
        observed=check.cause.observed if check.cause else None,
        again=rerun(header, check) if check.requirements else "",
        checks=[check.id, *(other.id for other in alike.others)],
        unexpected=check.unexpected,
    )


def _requirements(
    checks: Sequence[CheckRecord], judged: Sequence[RequirementVerdict], causes: Iterable[CauseReport]
) -> Iterator[RequirementReport]:
    """Give each requirement that the profile speaks of, or else that a check judges, in the order of the catalogue."""
    said: defaultdict[str, list[Verdict]] = defaultdict(list)
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for check in checks:
        for id_, _ in verdicts(check):
            ended[id_][check.verdict] += 1
            # What ended for another requirement says nothing of this one.
            said[id_] += [check.verdict] if id_ in concerned(check) else []
    of_causes: defaultdict[str, list[int]] = defaultdict(list)
    for cause in causes:
        for id_ in cause.requirements:
            of_causes[id_].append(cause.number)
    order = [requirement.id for requirement in catalogue().requirements]
    standings = {one.id: one for one in judged}
    ids = standings.keys() if standings else ended.keys()
    for id_ in sorted(ids, key=lambda one: (order.index(one) if one in order else len(order), one)):
        requirement, standing = catalogue().get(id_), standings.get(id_)
        yield RequirementReport(
            id=id_,
            level=requirement.level if requirement else "",
            standing=standing.standing if standing else None,
            # Where all its checks ended for another requirement, nobody knows.
            verdict=standing.verdict if standing else min(said[id_], key=WORST_FIRST.index, default="not tested"),
            checks=dict(ended[id_]),
            causes=of_causes[id_],
        )


def _observation(one: Answered, checks: Iterable[CheckRecord]) -> ObservationReport:
    question = catalogue().questions.get(one.question)
    readings = question.readings if question else ()
    permitted = next((list(reading.permitted) for reading in readings if reading.subject == one.subject), None)
    if permitted is None:
        permitted = next(
            (
                seen.permitted
                for check in checks
                for seen in check.observations
                if (seen.question, seen.subject) == (one.question, one.subject)
            ),
            [],
        )
    return ObservationReport(question=one.question, subject=one.subject, answers=one.answers, permitted=permitted)


def _counted(number: int, one: str, many: str) -> str:
    """Count them; nothing where there is none."""
    return f"{number} {one if number == 1 else many}" if number else ""
