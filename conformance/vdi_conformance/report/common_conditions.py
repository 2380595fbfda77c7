"""What failed checks have in common that no passed one has: a condition, or a pair of them; pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from vdi_conformance import conditions, crash_points
from vdi_conformance.evidence.records import CheckRecord

FEWEST: Final = 2
"""One failure alone has every pair of its conditions in common with itself."""
Conditions = Mapping[str, str]


def common(failed: Sequence[Conditions], passed: Iterable[Conditions]) -> tuple[tuple[str, str], ...]:
    """Give the value, or else the pair of values, that all these failures have and no success has; nothing if none.

    The axes come in the order of the failures' own; the first of several pairs is given.
    """
    if len(failed) < FEWEST:
        return ()
    first, *others = failed
    shared = [(axis, value) for axis, value in first.items() if all(one.get(axis) == value for one in others)]
    successes = list(passed)
    for size in (1, 2):
        for chosen in combinations(shared, size):
            if not any(all(one.get(axis) == value for axis, value in chosen) for one in successes):
                return chosen
    return ()


def where(failed: Iterable[CheckRecord], checks: Iterable[CheckRecord]) -> str:
    """Say where checks of one cause fail, such as "the instance is named and a secondary fetches"; nothing if unknown.

    Checks without conditions say nothing of it, nor does what came to no verdict.
    """
    with_conditions = [check.conditions for check in failed if check.conditions]
    passed = [check.conditions for check in checks if check.conditions and check.verdict == "passed"]
    if not passed:
        return ""
    return " and ".join(said(axis, value) for axis, value in common(with_conditions, passed))


def said(axis: str, value: str) -> str:
    """Say a condition in words; as it stands in the evidence where this version does not know it."""
    known = next((one for one in (*conditions.axes(), *crash_points.axes()) if one.name == axis), None)
    names = () if known is None else known.values
    return next((one.where for one in names if one.name == value), f"{axis} is {value}")
