"""Whether what a process has stays flat while it works; pure."""

from __future__ import annotations

from itertools import pairwise
from statistics import linear_regression, median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST: Final = 20
"""So many numbers are needed: a tenth of them must be more than one."""
TOLERANCES: Final = {"memory": 1 << 20, "handles": 0, "threads": 0, "mappings": 8, "files": 0}
"""So much more may there be at the end: allocators keep some room, and lay it out anew. Memory is in bytes.

CPython 3.11 alone keeps a quarter of a MiB in the end: each `case Class(field)` may leave a name in its cache of
attributes, until all of its 4096 places are taken.
"""


class Account(NamedTuple):
    """How one number went on: medians of the second and of the last tenth, and what a thousand pieces of work add.

    The first tenth is where all is loaded and made that is there once. A median does not follow a single peak. Of
    memory the largest step from one number to the next is left out, since allocators and the system give room in
    large pieces now and then; what is lost bit by bit takes many steps. The slope is that of the least squares over
    all but the first tenth, and is told, not judged.
    """

    early: float
    late: float
    slope: float
    is_flat: bool


def account(kind: str, numbers: Sequence[int], done: Sequence[int]) -> Account:
    """Judge numbers that were taken after so many pieces of work each."""
    if len(numbers) < LEAST:
        raise ValueError(f"{len(numbers)} numbers are too few to tell: {LEAST} are needed")
    tenth = len(numbers) // 10
    early, late = median(numbers[tenth : 2 * tenth]), median(numbers[-tenth:])
    slope = linear_regression(done[tenth:], numbers[tenth:]).slope * 1000
    largest = max(after - before for before, after in pairwise(numbers[tenth:]))
    left_out = max(0, largest) if kind == "memory" else 0
    return Account(early, late, slope, late - early - left_out <= TOLERANCES[kind])
