"""What conditions are made of."""

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
