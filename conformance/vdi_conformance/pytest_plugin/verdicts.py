"""From the way a check ended to its verdict and its cause; pure."""

from collections.abc import Sequence
from typing import Final

from vdi_conformance.evidence.records import NOT_TESTED, Cause, CauseKind, Verdict
from vdi_conformance.harness.judging import (
    ConformanceFailure,
    MandatoryBroken,
    NotApplicable,
    NotTested,
    PrerequisiteFailed,
    RecommendationBroken,
    severity,
)
from vdi_conformance.host.errors import END_OF_INPUT, HostDied, HostError, HostHung, MethodNotFound, NoEnd
from vdi_conformance.host.messages.duties import group_of
from vdi_conformance.report.calls import naming_untouched

HOST_GROUPS: Final = ("memory",)
"""Methods that are the duty of the host program, whatever the implementation does."""
SERVER_GROUPS: Final = (*HOST_GROUPS, "statement", "server")
"""The same where the server is another's: what that does not serve was not declared by who is judged."""


def broken_by(error: BaseException, requirements: Sequence[str]) -> list[str]:
    """Name what an exception is charged to: the requirement that it names, else those that the check judges."""
    by = getattr(error, "by", None)
    return [str(by)] if by else list(requirements)


def assess(error: BaseException, level: str, borrowed_server: bool = False) -> tuple[Verdict, Cause]:
    """Judge a check that ended with an exception, by the level of what it is charged to.

    The server may be another's than who is judged.
    """
    cause = _cause(error)
    match error:
        case NotApplicable():
            return "not applicable", cause
        case NotTested():
            return "not tested", cause
        case HostHung() if _is_the_hosts(error):
            return "error", cause
        case MethodNotFound() if group_of(error.method) in (SERVER_GROUPS if borrowed_server else HOST_GROUPS):
            return "error", cause
        case PrerequisiteFailed() | MethodNotFound():
            # Whatever else is asked of an adapter is mandatory or declared.
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


def _is_the_hosts(hung: HostHung) -> bool:
    """Tell whether a host hung in what is its own duty, with no call of the implementation under way."""
    own = hung.method == END_OF_INPUT or group_of(hung.method) in HOST_GROUPS
    return own and all(group_of(method) in HOST_GROUPS for method in hung.under_way)


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
