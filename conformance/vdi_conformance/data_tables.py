"""Tables of data files: values between tabs, under a line that names their columns."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = dict[str, str]


def shipped(package: str, name: str, columns: Sequence[str] = ()) -> list[Row]:
    """Read a table that lies in the directory `data` of a package."""
    return rows((files(package) / "data" / name).read_text("utf-8"), name, columns)


def rows(text: str, name: str, columns: Sequence[str] = ()) -> list[Row]:
    """Read a table, each line by the names of its columns, which must be `columns` where these are given.

    A file that is generated says in its first line by which command. What does not fit is a ValueError, whose sentence
    names the file and the line.
    """
    above = 1 if text.startswith("#") else 0
    body = text.partition("\n")[2] if above else text
    try:
        lines = list(csv.reader(io.StringIO(body), delimiter="\t", quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise ValueError(f"{name} is no table ({error}): correct it") from error
    head = lines.pop(0) if lines else []
    if columns and tuple(head) != tuple(columns):
        found = f"the columns {', '.join(head)}" if head else "no columns"
        raise ValueError(f"{name} has {found}: name them {', '.join(columns)}")
    for number, cells in enumerate(lines, start=2 + above):
        if len(cells) != len(head):
            raise ValueError(f"line {number} of {name} has {len(cells)} cells, not {len(head)}: correct its tabs")
    return [dict(zip(head, cells, strict=True)) for cells in lines]
