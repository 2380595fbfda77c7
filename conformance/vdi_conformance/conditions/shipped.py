"""The conditions that this version of the suite ships."""

from functools import cache
from importlib.resources import files

from vdi_conformance.conditions.reading import read_axes, read_combinations, read_constraints, read_triples
from vdi_conformance.conditions.values import Axis, Combination, Constraint


@cache
def axes() -> tuple[Axis, ...]:
    """Read the axes."""
    return read_axes(_text("axes.tsv"))


@cache
def triples() -> tuple[str, ...]:
    """Read which axes are covered in triples."""
    return read_triples(_text("triples.tsv"), axes())


@cache
def constraints() -> tuple[Constraint, ...]:
    """Read what cannot go together."""
    return read_constraints(_text("constraints.tsv"), axes())


@cache
def combinations() -> tuple[Combination, ...]:
    """Read the combinations, which `ci/conditions.py` makes."""
    return read_combinations(_text("combinations.tsv"), axes())


def _text(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")
