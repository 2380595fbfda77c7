"""Tables of the package: tab-separated files, whose first line has the names of the columns."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LANGUAGE: Final = "vdi_conformance.sqlserver.language"
"""The room that has tables of its own."""


def table(name: str, room: str = "vdi_conformance.sqlserver") -> Sequence[Mapping[str, str]]:
    """Read a table of a room, every line by the names of its columns."""
    text = (files(room) / "data" / f"{name}.tsv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
