"""What conditions are made of."""

from collections.abc import Mapping
from typing import NamedTuple


class Value(NamedTuple):
    """One value of an axis; `where` completes the sentence "it fails where ...", `source` says whence it comes."""

    axis: str
    name: str
    where: str
    source: str

    def __str__(self) -> str:
        return f"{self.axis}: {self.name}"


class Axis(NamedTuple):
    """One way in which sets, and what happens to them, can differ."""

    name: str
    values: tuple[Value, ...]

    def value(self, name: str) -> Value:
        """Give the value of that name, or raise ValueError."""
        for value in self.values:
            if value.name == name:
                return value
        names = ", ".join(value.name for value in self.values)
        raise ValueError(f"the axis {self.name} has no value {name!r}: take one of {names}")


class Constraint(NamedTuple):
    """What cannot go together: never are all these axes at one of these values, for that reason."""

    never: Mapping[str, frozenset[str]]
    reason: str

    def forbids(self, values: Mapping[str, str]) -> bool:
        """Tell whether values that were chosen, perhaps not of all axes yet, cannot be."""
        return all(values.get(axis) in forbidden for axis, forbidden in self.never.items())

    def __str__(self) -> str:
        return " & ".join(f"{axis}={'|'.join(sorted(values))}" for axis, values in self.never.items())


class Combination(NamedTuple):
    """One value of each axis, under an id such as scripted-017; the same values always have the same place."""

    id: str
    values: Mapping[str, str]
