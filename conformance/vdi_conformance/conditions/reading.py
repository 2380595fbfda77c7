"""From the texts of the data files to axes; what does not fit together is a ValueError. Pure."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from vdi_conformance.conditions.values import Axis, Value

AXES: Final = ("axis", "value", "where", "source")


def table(text: str, name: str, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Read a file whose first line names its columns; a file that is generated says above that by which command."""
    text = text.partition("\n")[2] if text.startswith("#") else text
    head, *rows = csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    if tuple(head) != columns:
        raise ValueError(f"{name} has the columns {', '.join(head)}: name them {', '.join(columns)}")
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(columns) or not all(cells):
            raise ValueError(f"line {number} of {name} must have {len(columns)} cells with text: correct its tabs")
    return [tuple(cells) for cells in rows]


def read_axes(text: str) -> tuple[Axis, ...]:
    """Make the axes, in the order of the file."""
    found: dict[str, list[Value]] = {}
    for value in _values(text):
        if value.name in [known.name for known in found.get(value.axis, [])]:
            raise ValueError(f"axes.tsv has the value {value} more than once: leave one of them")
        found.setdefault(value.axis, []).append(value)
    return tuple(Axis(name, tuple(values)) for name, values in found.items())


def _values(text: str) -> Iterator[Value]:
    for axis, name, where, source in table(text, "axes.tsv", AXES):
        yield Value(axis, name, where, source)
