"""How each requirement of the client application is judged, from its data file."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, NamedTuple

from vdi_conformance.data_tables import Row, shipped

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
    return tuple(_standard(row) for row in shipped("vdi_conformance.applications", _FILE))


def _standard(row: Row) -> Standard:
    return Standard(row["id"], _unmet(row["unmet"]), row["check"], row["judged"], row["not_judged"])


def _unmet(text: str) -> Unmet:
    match text:
        case "not tested" | "not applicable" | "not judged":
            return text
    raise ValueError(f"{_FILE} has the verdict {text!r}")
