"""How each requirement of the client application is judged, from its data file."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

Unmet = Literal["not tested", "not applicable", "not judged"]
_FILE: Final = "judged.tsv"


class Standard(NamedTuple):
    """What is judged of a requirement and what is not, and the verdict where no session came to the point.

    `name` is that of its check. "Not judged" says that there is no check at all, and `not_judged` why.
    """

    id: str
    unmet: Unmet
    name: str
    judged: str
    not_judged: str


@cache
def standards() -> tuple[Standard, ...]:
    """Give them in the order of the catalogue."""
    text = (files("vdi_conformance.applications") / "data" / _FILE).read_text("utf-8")
    rows = csv.reader(text.splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(_standard(row) for row in rows)


def _standard(row: list[str]) -> Standard:
    id_, unmet, name, judged, not_judged = row
    return Standard(id_, _unmet(unmet), name, judged, not_judged)


def _unmet(text: str) -> Unmet:
    match text:
        case "not tested" | "not applicable" | "not judged":
            return text
    raise ValueError(f"{_FILE} has the verdict {text!r}")
