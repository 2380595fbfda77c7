"""From the way a check ended to its verdict and its cause; pure."""

from collections.abc import Sequence
from typing import Final

from vdi_conformance.evidence.records import Cause, CauseKind, Verdict
from vdi_conformance.host.errors import HostDied, HostError, HostHung
from vdi_conformance.suite.judging import (
    ConformanceFailure,
    NotApplicable,
    NotTested,
    PrerequisiteFailed,
    RecommendationBroken,
    severity,
)

ENDED: Final = (0, 1, 5)
"""Pytest's exit codes of a run that came to its end."""
EXECUTED: Final = ("passed", "warning", "known failure")


def assess(error: BaseException, level: str) -> tuple[Verdict, Cause]:
    """Judge a check of that level which ended with an exception."""
    cause = _cause(error)
    match error:
        case NotApplicable():
            return "not applicable", cause
        case NotTested():
            return "not tested", cause
        case PrerequisiteFailed():
            return "failed", cause
        case RecommendationBroken():
            return "warning", cause
        case AssertionError() | HostDied() | HostHung():
            return ("failed" if severity(level) == "fails" else "warning"), cause
        case _:
            return "error", cause


def _cause(error: BaseException) -> Cause:
    expected: list[str] = []
    observed: str | None = None
    kind: CauseKind
    sentence = str(error)
    match error:
        case ConformanceFailure():
            kind = "code" if error.observed else "assertion"
            expected, observed = list(error.expected), error.observed
        case AssertionError() | NotApplicable() | NotTested():
            kind = "assertion"
        case HostDied():
            kind = "died"
        case HostHung():
            kind = "hung"
        case HostError():
            kind = "protocol"
        case _:
            kind = "suite"
            sentence = f"{type(error).__name__}: {error}"
    return Cause(kind=kind, sentence=sentence or type(error).__name__, expected=expected, observed=observed)


def exit_code(counts: dict[str, int], status: int, complaints: Sequence[str] = ()) -> int:
    """Give the run's exit code: pytest's own where it did not run to its end, else by verdicts and baseline."""
    if status not in ENDED:
        return status
    if counts.get("failed") or complaints:
        return 1
    if counts.get("error") or counts.get("not tested"):
        return 6
    return 0 if any(counts.get(verdict) for verdict in EXECUTED) else 5
