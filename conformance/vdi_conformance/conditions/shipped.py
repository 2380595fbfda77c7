"""The conditions that this version of the suite ships."""

from functools import cache
from importlib.resources import files

from vdi_conformance.conditions.reading import read_axes
from vdi_conformance.conditions.values import Axis


@cache
def axes() -> tuple[Axis, ...]:
    """Read the axes."""
    return read_axes(_text("axes.tsv"))


def _text(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")
