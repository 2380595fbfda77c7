"""How far the checks of endurance go, and how far they have come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
MARKER: Final = "vdi_endurance"
GIB: Final = 1 << 30
ROUNDS: Final = 40
"""So often what the processes have is counted on the way."""
LOT: Final = 32
"""So many calls are under way at once: fewer than a device takes commands."""
SECONDS_BETWEEN: Final = 10.0


class Endurance(NamedTuple):
    """So much a run of that name does; `seconds` bound each check, far beyond what it takes.

    `created` sets are created and closed, `run` ones come to the end of a statement; `commands` pass over one device,
    `transfers` over all devices of many processes; `handles` are asked for, `buffers` differ from each other, `bytes`
    are those of all buffers of one set.
    """

    created: int
    run: int
    commands: int
    transfers: int
    handles: int
    buffers: int
    bytes: int
    seconds: float


SIZES: Final = {
    "small": Endurance(10_001, 500, 100_001, 100_001, 65_537, 4_097, GIB + (64 << 20), 1_800),
    "medium": Endurance(65_537, 10_001, 300_001, 300_001, 262_145, 16_385, 2 * GIB + (64 << 20), 7_200),
    "large": Endurance(262_145, 65_537, 2_000_001, 1_000_001, 1_048_577, 32_769, 4 * GIB + (64 << 20), 36_000),
}
"""Most numbers of the small size are one more than where a counter may end; the others go on from there.

Buffers stay below 65,530: an implementation may map each anew, and Linux lets a process have no more mappings.
"""


class Progress:
    """Tells now and then how far a check has come, where anybody wants to know."""

    def __init__(self, name: str, tell: Callable[[str], None] | None) -> None:
        self._name = name
        self._tell = tell
        self._began = self._told = time.monotonic()

    def over(self, steps: Iterable[T], total: int, what: str) -> Iterator[T]:
        """Give these steps, of which there are so many, each standing for one of `what`."""
        for done, step in enumerate(steps):
            self._come_to(done, total, what)
            yield step

    def lots(self, total: int, what: str) -> Iterator[int]:
        """Divide a number of `what` into lots, and give how many each has."""
        for done in range(0, total, LOT):
            self._come_to(done, total, what)
            yield min(LOT, total - done)

    def _come_to(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if self._tell is None or now - self._told < SECONDS_BETWEEN:
            return
        self._told = now
        self._tell(f"{self._name}: {done:,} of {total:,} {what} in {now - self._began:.0f} s")
