"""Inputs that are kept: those that once broke a rule, and real ones that no code makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzing.target import Target

KEPT: Final = Path(__file__).parent / "corpus"


def kept(name: str) -> Sequence[bytes]:
    """Give the inputs that are kept for a target."""
    directory = KEPT / name
    return [path.read_bytes() for path in sorted(directory.iterdir())] if directory.is_dir() else []


def examples_of(target: Target) -> Sequence[bytes]:
    """Give all that inputs of a target are made of."""
    return [*target.examples(), *kept(target.name)]
