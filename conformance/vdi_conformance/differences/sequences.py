"""The sequences that are played before any is drawn, as their file has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.steps import Step, step

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "sequences.txt"


@dataclass(frozen=True)
class Sequence:
    """Steps under a name."""

    name: str
    steps: tuple[Step, ...]


@cache
def directed() -> tuple[Sequence, ...]:
    """Give them in their order."""
    text = resources.files("vdi_conformance.differences").joinpath("data", FILE).read_text("utf-8")
    return read(text)


def read(text: str) -> tuple[Sequence, ...]:
    """Read sequences: a name in brackets, then a step a line; @name stands for the part [.name]."""
    parts: dict[str, list[Step]] = {}
    name = ""
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("["):
            name = stripped.strip("[]")
            parts[name] = []
        else:
            parts[name] += _steps(stripped, parts)
    return tuple(Sequence(name, tuple(steps)) for name, steps in parts.items() if not name.startswith("."))


def _steps(line: str, parts: Mapping[str, list[Step]]) -> list[Step]:
    return parts[f".{line[1:]}"] if line.startswith("@") else [step(line)]
