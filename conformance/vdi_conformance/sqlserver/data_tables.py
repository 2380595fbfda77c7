"""Tables of the package: tab-separated files, whose first line has the names of the columns."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def table(name: str) -> Sequence[Mapping[str, str]]:
    """Read a table, every line by the names of its columns."""
    text = (files("vdi_conformance.sqlserver") / "data" / f"{name}.tsv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
