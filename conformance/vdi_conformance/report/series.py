"""What processes had while checks of endurance went on: a row and a small chart for each number; pure."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from vdi_conformance.evidence.records import CheckRecord

WIDTH: Final = 160
HEIGHT: Final = 24
DRAWN: Final = 200
"""So many numbers are drawn of a series at the most, evenly spread over it."""


class Row(NamedTuple):
    """One number of one process: how it began, what it was at most, how it ended, and the line of its chart."""

    process: str
    kind: str
    first: int
    most: int
    last: int
    points: str


class Drawn(NamedTuple):
    """The rows of one check, and how often its processes were looked into."""

    check: str
    about: str
    rounds: int
    rows: tuple[Row, ...]


def drawn_series(checks: Sequence[CheckRecord]) -> Iterator[Drawn]:
    """Lay out what each check has counted, where it has counted anything."""
    for check in checks:
        rows = tuple(
            Row(one.process, one.kind, one.numbers[0], max(one.numbers), one.numbers[-1], _points(one.numbers))
            for one in check.series
            if one.numbers
        )
        if rows:
            yield Drawn(check.id, check.about, max(len(one.numbers) for one in check.series), rows)


def _points(numbers: Sequence[int]) -> str:
    """Lay out a line over the whole width; what has nothing but one value is a line in the middle."""
    numbers = numbers[:: -(-len(numbers) // DRAWN)]
    least, most = min(numbers), max(numbers)
    step = WIDTH / max(1, len(numbers) - 1)
    heights = [(most - number) / (most - least) if most > least else 0.5 for number in numbers]
    points = [f"{place * step:.1f},{height * HEIGHT:.1f}" for place, height in enumerate(heights)]
    # A line needs two ends.
    return " ".join(points if len(points) > 1 else [points[0], f"{WIDTH},{HEIGHT / 2}"])
