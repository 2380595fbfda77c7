"""The crash points that this version of the suite ships: all of them, and those that every run tries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Final, NamedTuple

from vdi_conformance.conditions.reading import read_axes, read_constraints
from vdi_conformance.conditions.values import Axis, Combination, Constraint

AXES: Final = ("operation", "step", "process", "event")
SHARED: Final = ("mapped", "backup")
"""The step, and the operation, of which every run tries all points."""
MARKER: Final = "vdi_crash_point"
"""The mark of their check."""
SELECTION: Final = "crash points"
"""What a run says of its selection that tries these in place of all other checks."""
_HIT: Final = ("process", "event")
"""What is spread over the points that every run tries; these have each step of each operation once."""


class Impossible(NamedTuple):
    """Values that cannot go together, and the reason."""

    values: Mapping[str, str]
    reason: str


@cache
def axes() -> tuple[Axis, ...]:
    """Read the axes: operations, steps in their order, processes, and events."""
    return read_axes(_text("axes.tsv"))


@cache
def _constraints() -> tuple[Constraint, ...]:
    return read_constraints(_text("constraints.tsv"), axes())


@cache
def points() -> tuple[Combination, ...]:
    """Give every crash point, in the order of the axes."""
    return tuple(
        Combination("-".join(values.values()), MappingProxyType(values))
        for values in _products()
        if _reason(values) is None
    )


@cache
def impossible() -> tuple[Impossible, ...]:
    """Give what cannot be: a process has nothing there that the event could mean."""
    found = ((values, _reason(values)) for values in _products())
    return tuple(Impossible(MappingProxyType(values), reason) for values, reason in found if reason is not None)


@cache
def everyday() -> tuple[Combination, ...]:
    """Choose the points that every run tries: each step of each operation, and each event in each process in turn.

    Where the handles of a BACKUP were passed on and mapped, which is what processes share, it is all of them.
    """
    hit: Counter[object] = Counter()
    chosen = set()
    for place, slot in _slots(points()).items():
        taken = slot if place == SHARED else [min(slot, key=lambda point: [hit[kind] for kind in _kinds(point)])]
        for point in taken:
            hit.update(_kinds(point))
            chosen.add(point.id)
    return tuple(point for point in points() if point.id in chosen)


def is_crash_point(values: Mapping[str, str]) -> bool:
    """Tell whether a check was chosen by these axes."""
    return values.keys() == set(AXES)


def _slots(found: Sequence[Combination]) -> Mapping[tuple[str, str], list[Combination]]:
    slots: dict[tuple[str, str], list[Combination]] = {}
    for point in found:
        slots.setdefault((point.values["step"], point.values["operation"]), []).append(point)
    return slots


def _kinds(point: Combination) -> tuple[object, ...]:
    """Name what a point adds to: an event in a process, the event, the process; the rarest counts first."""
    process, event = (point.values[axis] for axis in _HIT)
    return (process, event), event, process


def _products() -> list[dict[str, str]]:
    values = ([value.name for value in axis.values] for axis in axes())
    return [dict(zip(AXES, one, strict=True)) for one in product(*values)]


def _reason(values: Mapping[str, str]) -> str | None:
    return next((one.reason for one in _constraints() if one.forbids(values)), None)


def _text(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")
