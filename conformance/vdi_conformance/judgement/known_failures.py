"""Holds a run against its baseline: known failures, complaints, and the baseline that would fit; pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import NOT_TESTED, Cause, CheckRecord, Culprit, Header, KnownFailure, Verdict
from vdi_conformance.judgement.baseline import Entry, NotABaseline, Text
from vdi_conformance.judgement.charges import concerned
from vdi_conformance.requirements import catalogue

FAILING: Final = ("failed", "known failure")
COVERABLE: Final[tuple[Verdict, ...]] = ("failed", "not tested")
"""What an entry can make a known failure of."""
UNDECIDED: Final = ("not tested", "error")


class Fresh(msgspec.Struct, frozen=True, kw_only=True):
    """What entries say of failures that nobody has looked at yet."""

    reason: Text = "not yet explained"
    issue: Text = "none yet"
    fault: Culprit = "implementation"


def covering(
    entries: Iterable[Entry], day: date, check: str, requirements: Sequence[str], cause: Cause | None
) -> tuple[Entry, ...]:
    """Find the entries in force on that day that cover how a check ended: two are one too many."""
    return tuple(
        entry
        for entry in entries
        if entry.addresses(check, requirements) and entry.fits(cause) and not _expired(entry, day)
    )


def known_failure(
    entries: Iterable[Entry], day: date, check: str, requirements: Sequence[str], cause: Cause | None
) -> KnownFailure | None:
    """Give what the baseline says of how a check ended; None where it does not cover it, or not clearly."""
    covers = covering(entries, day, check, requirements, cause)
    return covers[0].known() if len(covers) == 1 else None


def complaints(entries: Sequence[Entry], day: date, header: Header, checks: Sequence[CheckRecord]) -> list[str]:
    """Say in one sentence each where the baseline and the run differ; each of them makes the run fail."""
    covered = {check.id: covering(entries, day, check.id, concerned(check), check.cause) for check in _unmet(checks)}
    return [
        *_following(entries, header, checks),
        *(sentence for entry in entries if (sentence := _complaint(entry, day, header, checks, covered))),
        *(_ambiguous(check, several) for check, several in covered.items() if len(several) > 1),
    ]


def _following(entries: Sequence[Entry], header: Header, checks: Sequence[CheckRecord]) -> Iterator[str]:
    """Complain of what is listed as not tested and follows from nothing: no failure that is listed was seen.

    A run that left out checks of which failures are listed says nothing of that.
    """
    listed = [entry for entry in entries if entry.lists_failures]
    seen = {one.id for one in checks if one.known is not None and not _undecided(one)}
    if seen or any(_left_out(entry, header, checks) for entry in listed):
        return
    for check in checks:
        if check.known is not None and _undecided(check):
            yield (
                f"the baseline lists {check.id} with the cause {NOT_TESTED}, but no failure that it lists was seen, "
                "from which that could follow: run it where it can be tested, or remove the entry"
            )


def _left_out(entry: Entry, header: Header, checks: Sequence[CheckRecord]) -> bool:
    """Whether checks may be missing of which an entry speaks."""
    if entry.requirement is not None and not _in_full(entry, header):
        return True
    return not any(entry.addresses(one.id, concerned(one)) for one in checks)


def _complaint(
    entry: Entry,
    day: date,
    header: Header,
    checks: Sequence[CheckRecord],
    covered: dict[str, tuple[Entry, ...]],
) -> str | None:
    addressed = [check for check in checks if entry.addresses(check.id, concerned(check))]
    listed = f"the baseline lists {entry.target} with the cause {' or '.join(entry.causes)}"
    if not addressed:
        return _unmatched(entry, header)
    if _expired(entry, day):
        return f"{listed}, but that entry expired on {entry.expires}: mend the failure or set a later date"
    if strangers := [
        one
        for one in _failing(addressed)
        if not _undecided(one) and not entry.fits(one.cause) and _needs(entry, covered[one.id])
    ]:
        first, *more = strangers
        others = f" (and {len(more)} more)" * bool(more)
        return f"{listed}, but {first.id}{others} failed with {_name(first)}: look into it, then correct the entry"
    in_force = any(entry in covered[one.id] for one in _unmet(addressed))
    unseen = entry.requirement is not None and not _in_full(entry, header)
    if in_force or unseen or any(_undecided(one) for one in addressed):
        return None
    ended = "none of its checks failed so" if entry.requirement else f"it ended as {addressed[0].verdict}"
    return f"{listed}, but {ended}: remove the entry"


def _unmatched(entry: Entry, header: Header) -> str | None:
    if entry.requirement is not None and catalogue().get(entry.requirement) is None:
        return f"the baseline lists {entry.target}, which is no requirement: correct its id or remove the entry"
    if not _in_full(entry, header):
        return None
    what = "no executed check judges it" if entry.requirement else "no check of that id was executed"
    return f"the baseline lists {entry.target}, but {what}: correct its id or remove the entry"


def _needs(entry: Entry, covers: Sequence[Entry]) -> bool:
    """Whether a failure with another cause speaks against an entry: always that of its own check."""
    return entry.check is not None or not covers


def _ambiguous(check: str, several: Sequence[Entry]) -> str:
    names = " and ".join(entry.target for entry in several)
    return f"the baseline covers {check} by more than one entry ({names}): leave one of them"


def _in_full(entry: Entry, header: Header) -> bool:
    """Whether the run had all that an entry speaks of; a selected run says nothing of checks that it left out."""
    if not header.partial:
        return True
    if entry.requirement is None:
        return False
    own = {"TOPIC": entry.requirement.partition("-")[0], "REQUIREMENT": entry.requirement}
    said = {one.upper() for one in header.selection}
    kinds = {one.partition(" ")[0] for one in said}
    return kinds <= own.keys() and all(f"{kind} {own[kind]}" in said for kind in kinds)


def _failing(checks: Iterable[CheckRecord]) -> Iterator[CheckRecord]:
    return (check for check in checks if check.verdict in FAILING)


def _untested(check: CheckRecord) -> bool:
    """Whether the check ran and found that it cannot show what it judges, listed or not."""
    return check.cause is not None and check.cause.kind == NOT_TESTED


def _undecided(check: CheckRecord) -> bool:
    return check.verdict in UNDECIDED or _untested(check)


def _unmet(checks: Iterable[CheckRecord]) -> Iterator[CheckRecord]:
    """Give what an entry may be about: failures, and what was not tested."""
    return (check for check in checks if check.verdict in FAILING or _untested(check))


def _expired(entry: Entry, day: date) -> bool:
    return entry.expires is not None and day > entry.expires


def _name(check: CheckRecord) -> str:
    return check.cause.name if check.cause else "no cause"


def updated(entries: Sequence[Entry], run: Evidence, fresh: Fresh) -> list[Entry]:
    """Give the baseline with which that run would be green: what still fails is kept as it is, the rest made anew.

    An entry that has expired keeps its date: only people can decide to wait longer. What was not tested is listed
    where something failed, from which that may follow; otherwise, as errors, it cannot be.
    """
    failing = any(not _undecided(check) for check in _failing(run.checks))
    unmet = [check for check in _unmet(run.checks) if failing or not _untested(check)]
    covered = {one.id: covering(entries, date.min, one.id, concerned(one), one.cause) for one in unmet}
    for check, several in covered.items():
        if len(several) > 1:
            raise NotABaseline(_ambiguous(check, several))
    kept = [
        entry
        for entry in entries
        if any(entry in several for several in covered.values()) or any(_spares(check, entry) for check in run.checks)
    ]
    new = [_new(check, fresh) for check in unmet if not covered[check.id]]
    return [*kept, *new]


def _spares(check: CheckRecord, entry: Entry) -> bool:
    """Whether a check that came to no verdict keeps an entry, since it says nothing of the failure that is listed."""
    silent = _undecided(check) if entry.lists_failures else check.verdict == "error"
    return silent and entry.addresses(check.id, concerned(check))


def unlisted(run: Evidence) -> list[CheckRecord]:
    """Give the checks of a run that no baseline can make green: errors, and what follows from no failure."""
    failing = any(not _undecided(check) for check in _failing(run.checks))
    return [check for check in run.checks if _undecided(check) and not (failing and _untested(check))]


def _new(check: CheckRecord, fresh: Fresh) -> Entry:
    return Entry(check=check.id, cause=_name(check), reason=fresh.reason, issue=fresh.issue, fault=fresh.fault)
