"""The search for differences: sequences are played on both sides, and one on which they part is made short."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.differences.seen import CODE, Seen, differing, first_difference
from vdi_conformance.differences.sequences import Sequence as Named
from vdi_conformance.walks.shrinking import shrink

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from vdi_conformance.differences.side import Side
    from vdi_conformance.differences.steps import Step

TRIES: Final = 60
"""So many shorter sequences are tried at most."""
AHEAD: Final = 6
"""So many sequences are given to both sides at once, since one may be quicker than the other."""
ROUNDS: Final = 5
"""So often at most is looked what a sequence shows without the steps that are known to differ."""
AGAIN: Final = 2
"""A difference must show so many times more, or it is taken for chance."""


@dataclass(frozen=True)
class Difference:
    """The shortest sequence found on which the two sides part, which they do at its last step.

    `names` are the things that differ there, `origin` is the sequence that it was found in, `seconds` how long that
    took since the search began.
    """

    steps: tuple[Step, ...]
    one: tuple[Seen, ...]
    other: tuple[Seen, ...]
    names: tuple[str, ...]
    origin: str
    seconds: float

    @property
    def last(self) -> Step:
        """The step at which they part."""
        return self.steps[-1]


class _Played(NamedTuple):
    sequence: Named
    one: list[Seen]
    other: list[Seen]


@dataclass
class Search:
    """Plays sequences on two sides as long as somebody asks for differences, or until the time is over.

    `tell` takes sentences of how far it has come, each with the number of sequences that were played (0: no such one).
    `played` counts the sequences, `steps` what was done in them, `doubtful` what differed once and not again.
    """

    sides: tuple[Side, Side]
    seconds: float = float("inf")
    tell: Callable[[str, int], None] = lambda _sentence, _played: None
    played: int = 0
    steps: int = 0
    doubtful: int = 0
    _known: set[Hashable] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)

    def run(self, sequences: Iterable[Named]) -> Iterator[Difference]:
        """Give differences as they are found: first those of answers, then those of numbers that mean nothing."""
        done = []
        for played in self._play_all(sequences):
            done.append(played)
            yield from self._in(played, numbers=False)
        for played in done:
            if not self._is_over:
                yield from self._in(played, numbers=True)

    @property
    def elapsed(self) -> float:
        """For how many seconds it has gone on."""
        return time.monotonic() - self._began

    @property
    def _is_over(self) -> bool:
        return self.elapsed > self.seconds

    def _play_all(self, sequences: Iterable[Named]) -> Iterator[_Played]:
        """Play sequences on both sides, a few ahead of those that are looked at."""
        coming = iter(sequences)
        under_way: list[tuple[Named, Future[list[Seen]], Future[list[Seen]]]] = []
        while not self._is_over:
            for sequence in islice(coming, AHEAD - len(under_way)):
                one, other = (side.play(sequence.steps) for side in self.sides)
                under_way.append((sequence, one, other))
            if not under_way:
                return
            sequence, one, other = under_way.pop(0)
            played = _Played(sequence, one.result(), other.result())
            self.played += 1
            self.steps += len(sequence.steps)
            self.tell(f"{self.played} sequences played, {self.steps} steps: {sequence.name}", self.played)
            yield played

    def _both(self, steps: Sequence[Step]) -> tuple[list[Seen], list[Seen]]:
        one, other = (side.play(steps) for side in self.sides)
        return one.result(), other.result()

    def _in(self, played: _Played, *, numbers: bool) -> Iterator[Difference]:
        """Give the new differences that a sequence shows; what is known is left out of it, to see what comes then."""
        for _ in range(ROUNDS):
            place = first_difference(played.one, played.other, numbers=numbers)
            if place is None:
                return
            key = _key(played.sequence.steps[place], played.one[place], played.other[place], numbers=numbers)
            if key not in self._known:
                self._known.add(key)
                found = self._shortened(played, place, key, numbers=numbers)
                if found is not None:
                    yield found
            if self._is_over:
                return
            left = [
                step
                for step, one, other in zip(played.sequence.steps, played.one, played.other, strict=True)
                if _key(step, one, other, numbers=numbers) not in self._known
            ]
            played = _Played(Named(played.sequence.name, tuple(left)), *self._both(left))

    def _shortened(self, played: _Played, place: int, key: Hashable, *, numbers: bool) -> Difference | None:
        """Give the shortest sequence that shows a difference; None where that does not show again."""
        steps = list(played.sequence.steps[: place + 1])

        def shows(candidate: Sequence[Step]) -> bool:
            return self._shows(candidate, key, numbers=numbers)

        if not all(shows(steps) for _ in range(AGAIN)):
            self.doubtful += 1
            return None
        self.tell(f"a difference in {played.sequence.name!r}, which is made shorter", 0)
        short = shrink(steps, shows, TRIES, (lambda step: step.by, lambda step: step.act, lambda step: step.given))
        one, other = self._both(short)
        at = first_difference(one, other, numbers=numbers)
        if at is None:
            one, other, short, at = played.one, played.other, steps, place
        return Difference(
            steps=tuple(short[: at + 1]),
            one=tuple(one[: at + 1]),
            other=tuple(other[: at + 1]),
            names=tuple(differing(one[at], other[at], numbers=numbers)),
            origin=played.sequence.name,
            seconds=self.elapsed,
        )

    def _shows(self, steps: Sequence[Step], key: Hashable, *, numbers: bool) -> bool:
        one, other = self._both(steps)
        place = first_difference(one, other, numbers=numbers)
        return place is not None and _key(steps[place], one[place], other[place], numbers=numbers) == key


def _key(step: Step, one: Seen, other: Seen, *, numbers: bool) -> Hashable:
    """What stays the same while a sequence gets shorter, and what two differences that are one have in common."""
    names = differing(one, other, numbers=numbers)
    if not names:
        return None
    if numbers:
        return names[0]
    codes = [re.sub(r"\d+", "N", seen.get(CODE, "")) for seen in (one, other)] if CODE in names else []
    return step.act, tuple(names), *codes
