"""Permitted readings put together: every two that go together, and many at once, drawn by a number."""

from collections.abc import Iterable, Mapping
from typing import Final

from vdi_conformance.evidence.proof import Trial
from vdi_fixtures.compatible import drawn, names, pairs, why_not

ADAPTER: Final = "vdi_fixtures.together:CombinedReading"
CHECKS_OF_A_PAIR: Final = 8
"""So many of the checks that either reading touches meet both together."""


def in_pairs(readings: Mapping[str, Trial]) -> list[Trial]:
    """Give every two readings that do not exclude each other."""
    together = [pair for pair in pairs(sorted(readings.keys() & set(names()))) if not why_not(*pair)]
    return [_together(" + ".join(pair), [readings[name] for name in pair], CHECKS_OF_A_PAIR) for pair in together]


def at_random(readings: Mapping[str, Trial], number: int) -> list[Trial]:
    """Give so many implementations that each choose at random among all that is permitted."""
    chosen = [(seed, drawn(names(), seed)) for seed in range(number)]
    return [_together(f"drawn {seed}", [readings[name] for name in group], None, str(seed)) for seed, group in chosen]


def _together(name: str, readings: Iterable[Trial], most: int | None, seed: str = "0") -> Trial:
    of = list(readings)
    return Trial(
        name=name,
        kind="reading",
        reference=ADAPTER,
        about=" ".join(reading.about for reading in of),
        requirements=tuple(sorted({requirement for reading in of for requirement in reading.requirements}))
        if most is not None
        else (),
        may=tuple(
            sorted({requirement for reading in of for requirement in (*reading.warns, *reading.untested, *reading.may)})
        ),
        wavers=tuple(sorted({question for reading in of for question in reading.wavers})),
        together=tuple(reading.name for reading in of),
        seed=seed,
        most=most,
    )
