"""How much longer work takes on this machine than on an idle one, since others want its CPUs too."""

from __future__ import annotations

import time
from typing import Final

USUAL: Final = 2.0
"""A slowness for which every time limit leaves room."""
MOST: Final = 10.0
"""No time limit is stretched by more: what hangs must be found on a crowded machine too."""
_SPUN: Final = 0.01
"""So many seconds of a CPU are used up to find out: several time slices."""
_LONGEST: Final = 0.25
"""After so many seconds enough is known."""


def stretch() -> float:
    """Give the factor for time limits at this moment: 1 where the machine has time for us, MOST at most.

    A bit of work shows it, by how long it took and how long it had a CPU: so other processes count, and a quota or
    another guest of the hypervisor counts as they do.
    """
    began, used = time.monotonic(), time.thread_time()
    took = spun = 0.0
    while spun < _SPUN and took < _LONGEST:
        spun, took = time.thread_time() - used, time.monotonic() - began
    return stretched(took, spun)


def stretched(took: float, spun: float) -> float:
    """Give the factor where work that had a CPU for `spun` seconds took so many."""
    return min(MOST, max(1.0, took / max(spun, took / USUAL / MOST) / USUAL)) if took else 1.0
