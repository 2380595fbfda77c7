"""From the way a check ended to its verdict and its cause; pure."""

from vdi_conformance.evidence.records import NOT_TESTED, Cause, CauseKind, Verdict
from vdi_conformance.host.errors import HostDied, HostError, HostHung, MethodNotFound, NoEnd
from vdi_conformance.report.calls import naming_untouched
from vdi_conformance.suite.judging import (
    ConformanceFailure,
    MandatoryBroken,
    NotApplicable,
    NotTested,
    PrerequisiteFailed,
    RecommendationBroken,
    severity,
)


def assess(error: BaseException, level: str) -> tuple[Verdict, Cause]:
    """Judge a check of that level which ended with an exception."""
    cause = _cause(error)
    match error:
        case NotApplicable():
            return "not applicable", cause
        case NotTested():
            return "not tested", cause
        case PrerequisiteFailed() | MethodNotFound():
            # Whatever is asked of an adapter is mandatory or declared.
            return "failed", cause
        case MandatoryBroken():
            return "failed", cause
        case HostDied() if not error.was_given_null:
            # Whatever a method may answer, a call within the contract ends no process.
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
        case AssertionError() | NotApplicable():
            kind = "assertion"
        case NotTested():
            kind = NOT_TESTED
        case HostDied():
            kind = "died"
        case HostHung():
            kind = "hung"
        case NoEnd():
            kind = "suite"
        case HostError():
            kind = "protocol"
        case _:
            kind = "suite"
            sentence = f"{type(error).__name__}: {error}"
    sentence = naming_untouched(sentence or type(error).__name__)
    return Cause(kind=kind, sentence=sentence, expected=expected, observed=observed)
