"""Tries inputs on one reader: what came of each, how long it took, and what broke a rule."""

from __future__ import annotations

import hashlib
import time
import traceback
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from fuzzing.target import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fuzzing.target import Read, Target
    from fuzzing.watching import Watch

SLOWEST: Final = 5.0
"""Seconds of a processor that no input may take: a reader's own bounds keep it to a small part of that."""
_PRODUCT: Final = "vdi_conformance"
Ending = Literal["accepted", "refused"]


@dataclass(frozen=True)
class Defect:
    """An input that broke a rule; `kind` is the same for all inputs that do so in the same way."""

    kind: str
    account: str
    data: bytes

    @property
    def name(self) -> str:
        """What its file is called: the same for the same input."""
        return hashlib.sha256(self.data).hexdigest()[:12]


@dataclass
class Figures:
    """What came of the inputs of one target; `slowest` is the most seconds of a processor that one of them took."""

    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    defects: dict[str, Defect] = field(default_factory=dict)
    broken: int = 0

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.accepted + self.refused + self.broken

    def take(self, outcome: Ending | Defect, seconds: float) -> None:
        """Count one; of the inputs with a defect of one kind the shortest is kept."""
        self.slowest = max(self.slowest, seconds)
        if isinstance(outcome, Defect):
            self.broken += 1
            known = self.defects.get(outcome.kind)
            if known is None or len(outcome.data) < len(known.data):
                self.defects[outcome.kind] = outcome
        elif outcome == "accepted":
            self.accepted += 1
        else:
            self.refused += 1


def inputs_of(target: Target, examples: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Give the examples as they are, and then inputs made of them; the same ones for the same seed."""
    yield from examples[:count]
    for number in range(count - len(examples)):
        yield target.mutate(Random(f"{seed}/{target.name}/{number}"), examples)


def attempt(read: Read, watch: Watch, data: bytes, clock: Callable[[], float] = time.process_time) -> Ending | Defect:
    """Try one input."""
    began = clock()
    try:
        with watch.looking():
            accepted = read(data)
        if (used := clock() - began) > SLOWEST:
            raise Broken(f"it took {used:.1f} seconds of a processor")
    except Exception as error:
        return Defect(_kind(error), "".join(traceback.format_exception(error, limit=-30)), data)
    return "accepted" if accepted else "refused"


def _kind(error: Exception) -> str:
    """Name what went wrong and where: in the product, and there as far within as the traceback leads."""
    if isinstance(error, Broken):
        return f"{type(error).__name__} {str(error)[:60]}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _PRODUCT in frame.filename]
    place = (frames[0] if isinstance(error, RecursionError) else frames[-1]) if frames else None
    where = f" in {place.filename.rpartition(_PRODUCT)[2][1:]}, line {place.lineno}" if place else ""
    return f"{type(error).__name__}{where}"


def shrunk(defect: Defect, again: Callable[[bytes], Ending | Defect], tries: int = 400) -> Defect:
    """Leave parts of an input out, as long as it still does the same; `again` tries one."""
    best = defect
    size = max(1, len(best.data) // 2)
    while size and tries:
        place = 0
        while place < len(best.data) and tries:
            tries -= 1
            found = again(best.data[:place] + best.data[place + size :])
            if isinstance(found, Defect) and found.kind == best.kind:
                best = found
            else:
                place += size
        size //= 2
    return best
