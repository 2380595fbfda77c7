"""Which values can go together, and which of these tuples combinations have: counted without their generator; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations as subsets
from itertools import product
from typing import NamedTuple

from vdi_conformance.conditions.values import Axis, Combination, Constraint, Value

LEVEL = "server"
"""The axis for whose values everything is covered by itself: a real server has one of them only."""
Values = tuple[Value, ...]


class Coverage(NamedTuple):
    """The tuples of values that can be, those of them that no combination has, and those that cannot be, with why."""

    possible: tuple[Values, ...]
    missing: tuple[Values, ...]
    excluded: tuple[tuple[Values, str], ...]


def showing(combinations: Iterable[Combination], level: str) -> frozenset[str]:
    """Name the first combinations of a server level by which each value is had with it: all pairs of that level."""
    seen: set[tuple[str, str]] = set()
    chosen: set[str] = set()
    for one in combinations:
        if one.values[LEVEL] == level and not seen.issuperset(one.values.items()):
            seen.update(one.values.items())
            chosen.add(one.id)
    return frozenset(chosen)


def coverage(
    size: int,
    axes: Sequence[Axis],
    constraints: Sequence[Constraint],
    combinations: Sequence[Combination],
) -> Coverage:
    """Count the tuples of so many of these axes, for each server level by itself; `axes` has all that there are."""
    return _counted(size, [axis for axis in axes if axis.name != LEVEL], axes, constraints, combinations)


def coverage_of(
    size: int,
    names: Iterable[str],
    axes: Sequence[Axis],
    constraints: Sequence[Constraint],
    combinations: Sequence[Combination],
) -> Coverage:
    """Count the tuples of the axes of these names alone."""
    wanted = set(names)
    return _counted(size, [axis for axis in axes if axis.name in wanted], axes, constraints, combinations)


def _counted(
    size: int,
    among: Sequence[Axis],
    axes: Sequence[Axis],
    constraints: Sequence[Constraint],
    combinations: Sequence[Combination],
) -> Coverage:
    (levels,) = (axis.values for axis in axes if axis.name == LEVEL)
    had = {_key(tuple_) for combination in combinations for tuple_ in _tuples_of(combination, size, among)}
    possible: list[Values] = []
    missing: list[Values] = []
    excluded: list[tuple[Values, str]] = []
    for level in levels:
        for values in _tuples(size, among):
            whole = (level, *values)
            # What a legal combination has can be: to look for others takes long.
            covered = _key(whole) in had
            if covered or (reason := why_not(dict(_key(whole)), axes, constraints)) is None:
                possible.append(whole)
                missing += [] if covered else [whole]
            else:
                excluded.append((whole, reason))
    return Coverage(tuple(possible), tuple(missing), tuple(excluded))


def _tuples(size: int, axes: Sequence[Axis]) -> Iterator[Values]:
    for chosen in subsets(axes, size):
        yield from product(*(axis.values for axis in chosen))


def _tuples_of(combination: Combination, size: int, axes: Sequence[Axis]) -> Iterator[Values]:
    level = Value(LEVEL, combination.values[LEVEL], "", "")
    for chosen in subsets(axes, size):
        yield level, *(axis.value(combination.values[axis.name]) for axis in chosen)


def _key(values: Values) -> tuple[tuple[str, str], ...]:
    return tuple((value.axis, value.name) for value in values)


def why_not(values: Mapping[str, str], axes: Sequence[Axis], constraints: Sequence[Constraint]) -> str | None:
    """Say why these values cannot go together, by the constraint that forbids it where one alone does; None: they can.

    They cannot either where every way to choose the other axes is forbidden.
    """
    if (broken := next((one for one in constraints if one.forbids(values)), None)) is not None:
        return broken.reason
    return None if _can_be_filled_up(dict(values), axes, constraints) else "all that could go with them is excluded"


def _can_be_filled_up(values: dict[str, str], axes: Sequence[Axis], constraints: Sequence[Constraint]) -> bool:
    """Choose the other axes one by one, always that which has the fewest values left."""
    # An axis that no constraint names always has a value.
    named = {axis for constraint in constraints for axis in constraint.never}
    left = [
        (axis.name, _permitted(axis, values, constraints))
        for axis in axes
        if axis.name in named and axis.name not in values
    ]
    if not left:
        return True
    name, permitted = min(left, key=lambda one: len(one[1]))
    return any(_can_be_filled_up({**values, name: value}, axes, constraints) for value in permitted)


def _permitted(axis: Axis, values: Mapping[str, str], constraints: Sequence[Constraint]) -> list[str]:
    about = [one for one in constraints if axis.name in one.never]
    return [
        value.name for value in axis.values if not any(one.forbids({**values, axis.name: value.name}) for one in about)
    ]
