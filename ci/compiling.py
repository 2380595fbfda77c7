"""Libraries from the sources of fixtures/native, built as the package builds them, with the errors of scripts."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Self

from environment import ROOT, Unprepared, say

sys.path.insert(0, str(ROOT / "conformance"))

from vdi_conformance.standins.building import COMMON, SHARED, SOURCES, NotBuilt, Target

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMON", "SHARED", "SOURCES", "Library", "NotBuilt"]


class Library(Target):
    """A library that raises Unprepared where it cannot be built."""

    @classmethod
    def of(cls, target: Target) -> Self:
        """Take what the package builds."""
        return cls(**{field.name: getattr(target, field.name) for field in fields(target)})

    def build(self, directory: Path, *_: object) -> Path:
        """Give the file of this checkout, built where it is not up to date."""
        try:
            return super().build(directory, lambda _told: say(f"Building {(directory / self.name).relative_to(ROOT)}."))
        except NotBuilt as reason:
            raise Unprepared(str(reason)) from reason

    def make(self, root: Path, made: Path) -> None:
        """Compile and link, whatever there was before."""
        try:
            super().make(root, made)
        except NotBuilt as reason:
            raise Unprepared(str(reason)) from reason
