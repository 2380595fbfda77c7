"""From what was found to evidence: a check for each requirement, with the calls that show it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from vdi_conformance.applications.calls import ended_process, evidence_calls
from vdi_conformance.applications.standards import standards
from vdi_conformance.evidence.records import APPLICATION, Cause, CheckRecord, Observation, Verdict
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import keepable, shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.applications.events import Call, Departure
    from vdi_conformance.applications.findings import Finding, Ledger
    from vdi_conformance.applications.standards import Standard
    from vdi_conformance.requirements import Requirement

BROKEN: Final[dict[str, Verdict]] = {"MUST": "failed", "SHOULD": "warning"}
"""The verdict over a requirement that was broken, by its level; another level only observes."""

TROUBLE: Final = 10_000
"""So many characters of a traceback are kept."""


class _Judged(NamedTuple):
    """A verdict, and what shows it."""

    verdict: Verdict
    cause: Cause | None = None
    calls: tuple[Call, ...] = ()
    detail: str = ""
    ended: Departure | None = None


def checks(ledger: Ledger, trouble: str = "") -> tuple[CheckRecord, ...]:
    """Give a check for each requirement that is judged; none where no application had a set.

    `trouble` is why the judge itself could not go on, if it could not.
    """
    failed = (_failed(trouble),) if trouble else ()
    return failed if not ledger.sets else (*failed, *_checks(ledger))


def _failed(trouble: str) -> CheckRecord:
    """Tell that the judge has failed: what came afterwards is not judged."""
    id_ = f"{APPLICATION}/the_judge_goes_on"
    cause = Cause(kind="suite", sentence="The judge itself failed, and judged nothing that came afterwards")
    detail = shown_lines(trouble, TROUBLE)
    return CheckRecord(
        id=id_, node=id_, requirements=[], level="", verdict="error", duration=0.0, cause=cause, detail=detail
    )


def _checks(ledger: Ledger) -> Iterator[CheckRecord]:
    for standard in standards():
        requirement = catalogue().get(standard.id)
        if standard.unmet != "not judged" and requirement is not None:
            record = _record(standard, requirement, ledger, _judged(standard, requirement, ledger))
            yield msgspec.convert(keepable(msgspec.to_builtins(record)), CheckRecord)


def _judged(standard: Standard, requirement: Requirement, ledger: Ledger) -> _Judged:
    findings = ledger.findings.get(standard.id, [])
    if findings:
        verdict = BROKEN.get(requirement.level, "passed")
        first = findings[0]
        cause = None if verdict == "passed" else Cause(kind="assertion", sentence=first.sentence)
        return _Judged(verdict, cause, first.calls, _others(findings, ledger.broken[standard.id]), first.ended)
    if ledger.met[standard.id]:
        return _Judged("passed", calls=ledger.shown[standard.id], detail=f"Met {ledger.met[standard.id]} times.")
    if any(id_ == standard.id for id_, _ in ledger.answers):
        return _Judged("passed")
    sentence = "No session came to the point where it could be judged"
    if standard.unmet == "not tested":
        return _Judged("not tested", Cause(kind="not tested", sentence=sentence))
    return _Judged("not applicable", detail=f"{sentence}.")


def _others(findings: list[Finding], counted: int) -> str:
    """Tell further findings of one requirement, a line each."""
    told = [f"{finding.sentence}." for finding in findings[1:]]
    more = counted - len(findings)
    return "\n".join([*told, *([f"And {more} more times."] if more else [])])


def _record(standard: Standard, requirement: Requirement, ledger: Ledger, judged: _Judged) -> CheckRecord:
    id_ = f"{APPLICATION}/{standard.name}"
    return CheckRecord(
        id=id_,
        node=id_,
        requirements=[standard.id],
        level=requirement.level,
        verdict=judged.verdict,
        broken=[standard.id] if judged.verdict in ("failed", "warning") else [],
        duration=0.0,
        cause=judged.cause,
        observations=[
            Observation(question=question, subject=subject, answer=answer)
            for (of, subject), answers in ledger.answers.items()
            for answer in sorted(answers)
            for question in requirement.questions
            if of == standard.id
        ],
        calls=evidence_calls(judged.calls),
        ended=ended_process(judged.ended, judged.calls),
        detail=judged.detail,
        about=standard.judged,
    )
