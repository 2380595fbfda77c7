"""From the texts of the data files to axes, constraints and combinations; what does not fit is a ValueError. Pure."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final

from vdi_conformance.conditions.values import Axis, Combination, Constraint, Value
from vdi_conformance.data_tables import rows

AXES: Final = ("axis", "value", "where", "source")
CONSTRAINTS: Final = ("never", "reason")
TRIPLES: Final = ("axis", "reason")
ID: Final = "id"


def _table(text: str, name: str, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Read a table that has no empty cells."""
    found = [tuple(row.values()) for row in rows(text, name, columns)]
    if holes := [cells[0] or cells for cells in found if not all(cells)]:
        raise ValueError(f"{name} has an empty cell beside {holes[0]}: fill it in")
    return found


def read_axes(text: str) -> tuple[Axis, ...]:
    """Make the axes, in the order of the file."""
    found: dict[str, list[Value]] = {}
    for value in _values(text):
        if value.name in [known.name for known in found.get(value.axis, [])]:
            raise ValueError(f"axes.tsv has the value {value} more than once: leave one of them")
        found.setdefault(value.axis, []).append(value)
    return tuple(Axis(name, tuple(values)) for name, values in found.items())


def _values(text: str) -> Iterator[Value]:
    for axis, name, where, source in _table(text, "axes.tsv", AXES):
        yield Value(axis, name, where, source)


def read_triples(text: str, axes: Sequence[Axis]) -> tuple[str, ...]:
    """Name the axes of which every triple of values is covered too."""
    known = {axis.name for axis in axes}
    names = tuple(axis for axis, _ in _table(text, "triples.tsv", TRIPLES))
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"triples.tsv names {unknown[0]}, which is no axis: correct it")
    return names


def read_constraints(text: str, axes: Sequence[Axis]) -> tuple[Constraint, ...]:
    """Make the constraints: `a=1|2 & b=3` says that a is never 1 or 2 where b is 3."""
    by_name = {axis.name: axis for axis in axes}
    found: list[Constraint] = []
    for never, reason in _table(text, "constraints.tsv", CONSTRAINTS):
        terms: dict[str, frozenset[str]] = {}
        for term in never.split(" & "):
            axis, _, values = term.partition("=")
            if axis not in by_name:
                raise ValueError(f"constraints.tsv names {axis!r}, which is no axis: correct it")
            terms[axis] = frozenset(by_name[axis].value(value).name for value in values.split("|"))
        found.append(Constraint(MappingProxyType(terms), reason))
    return tuple(found)


def read_combinations(text: str, axes: Sequence[Axis]) -> tuple[Combination, ...]:
    """Make the combinations, which have a value of each axis."""
    table = _table(text, "combinations.tsv", (ID, *(axis.name for axis in axes)))
    return tuple(
        Combination(
            id,
            MappingProxyType({axis.name: axis.value(value).name for axis, value in zip(axes, values, strict=True)}),
        )
        for id, *values in table
    )
