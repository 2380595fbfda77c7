"""The exit code of a run, by what ended how; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

ENDED: Final = (0, 1, 5)
"""Pytest's exit codes of a run that came to its end."""
UNTESTED: Final = 6
"""Something that is required was not tested, or ended in error."""
_WORST_FIRST: Final = (1, UNTESTED, 5, 0)
"""Any other code says that the run did not come to its end."""
EXECUTED: Final = ("passed", "warning", "known failure")


def exit_code(counts: Mapping[str, int], status: int, complaints: Sequence[str] = ()) -> int:
    """Give the run's exit code: pytest's own where it did not run to its end, else by verdicts and baseline."""
    if status not in ENDED:
        return status
    if counts.get("failed") or complaints:
        return 1
    if counts.get("error") or counts.get("not tested"):
        return UNTESTED
    return 0 if any(counts.get(verdict) for verdict in EXECUTED) else 5


def with_others(code: int, failed: int) -> int:
    """Give the exit code of a run in which so many tests failed that are no checks: 1, where it came to its end."""
    return 1 if failed and code in (*ENDED, UNTESTED) else code


def worst(codes: Sequence[int]) -> int:
    """Give the exit code of a run that judges several platforms: that of the worst."""
    return min(codes, key=lambda code: _WORST_FIRST.index(code) if code in _WORST_FIRST else -1)
