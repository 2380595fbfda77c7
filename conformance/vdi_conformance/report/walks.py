"""How far the walks of the stateful checks came, over a whole run."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from vdi_conformance.evidence.records import CheckRecord

NAMED: Final = 3
"""So many of the outcomes that were not reached are named."""


def reached(checks: Sequence[CheckRecord]) -> Counter[str]:
    """Count how often each outcome of the client matrix, and each move between its states, was reached."""
    total: Counter[str] = Counter()
    for check in checks:
        if check.walked is not None:
            # Counter.update keeps what was never reached, which the plus sign drops.
            total.update(check.walked.reached)
    return total


def account(checks: Sequence[CheckRecord]) -> str | None:
    """Say in a line how far they came; None where there were none."""
    series = [check for check in checks if check.walked is not None]
    if not series:
        return None
    steps = sum(check.walked.steps for check in series if check.walked is not None)
    seconds = sum(check.duration for check in series)
    counts = reached(series)
    missing = [name for name, count in counts.items() if not count]
    line = (
        f"{steps} steps of {len(series)} checks were held against the model ({steps / max(seconds, 0.001):.0f} a "
        f"second): {len(counts) - len(missing)} of {len(counts)} outcomes and moves of the client matrix reached"
    )
    if not missing:
        return line
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return f"{line}, not {'; '.join(missing[:NAMED])}{more}"
