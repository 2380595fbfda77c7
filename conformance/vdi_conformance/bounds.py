"""Which numbers a run can be asked for: workers, the stretch of its time limits, and seeds."""

import os
from typing import Final

MOST_WORKERS: Final = max(32, 8 * (os.cpu_count() or 1))
"""Checks mostly wait, so that more workers than processors help; beyond this they only use up processes."""
MOST_STRETCHED: Final = 1000.0
MOST_SEED: Final = 2**63 - 1


def wrong_workers(workers: int) -> str | None:
    """Say in one sentence why there cannot be so many worker processes; None where there can."""
    if 1 <= workers <= MOST_WORKERS:
        return None
    return f"{workers} worker processes are not possible: name 1 to {MOST_WORKERS}, or auto"


def wrong_stretch(factor: float) -> str | None:
    """Say in one sentence why time limits cannot be stretched by this; None where they can."""
    if 1 <= factor <= MOST_STRETCHED:
        return None
    return f"time limits can only be stretched by 1 to {MOST_STRETCHED:g}, not {factor:g}"


def wrong_seed(seed: int) -> str | None:
    """Say in one sentence why this is no seed; None where it is."""
    return None if 0 <= seed <= MOST_SEED else f"a seed is a whole number from 0 to {MOST_SEED}"
