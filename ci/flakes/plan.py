"""Which whole runs the flake budget asks for: a seed, an order of the checks and a number of workers for each; pure."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

WORKERS: Final = (2, 2, 2, 1, 2, 2, 4, 2, 2, 4)
"""So many workers have the runs, one after the other, again and again."""
LARGEST: Final = 1 << 31


class PlannedRun(NamedTuple):
    """A whole run: its number from 1, the seed of all that is drawn in it, that of the order, and its workers."""

    number: int
    seed: int
    order: int
    workers: int

    @property
    def label(self) -> str:
        """How its files are called."""
        return f"run-{self.number:04}"


def planned(seed: int, runs: int) -> list[PlannedRun]:
    """Plan so many runs; those of a longer plan begin with those of a shorter one of the same seed."""
    drawn = random.Random(seed)
    return [
        PlannedRun(number, drawn.randrange(LARGEST), drawn.randrange(LARGEST), WORKERS[(number - 1) % len(WORKERS)])
        for number in range(1, runs + 1)
    ]
