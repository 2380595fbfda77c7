"""A badge of a run: as shields.io takes it (its endpoint), and as a picture; pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.report.run_report import Outcome, outcome_of, restrictions
from vdi_conformance.report.web import template
from vdi_conformance.untrusted.printable import shown

LABEL: Final = "VDI conformance"
MESSAGE: Final = 60
"""So many characters has the right half at the most."""
COLOURS: Final[Mapping[Outcome, tuple[str, str]]] = {
    "conformant": ("brightgreen", "#1f7a4d"),
    "not conformant": ("red", "#b3261e"),
    "baseline out of date": ("red", "#b3261e"),
    "incomplete": ("orange", "#8a5a00"),
    "nothing executed": ("lightgrey", "#5c6773"),
}
"""The name that shields.io has for a colour, and the colour of the picture."""
LETTER: Final = 6.6
MARGIN: Final = 10
"""So wide is a letter of the picture, and both margins of a half, in pixels."""


class Badge(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the endpoint of shields.io takes; `is_error` forbids whoever uses the badge another colour."""

    schema_version: int = 1
    label: str = LABEL
    message: str
    color: str
    is_error: bool


def badge(evidence: Evidence) -> Badge:
    """Say in two words or three how a run came out, and by what."""
    header, outcome = evidence.header, outcome_of(evidence)
    by = f": {header.profile.label}" if header.profile else ""
    selected = " (selection)" if restrictions(header) else ""
    return Badge(
        message=shown(f"{outcome}{by}{selected}", MESSAGE),
        color=COLOURS[outcome][0],
        is_error=outcome != "conformant",
    )


def badge_json(evidence: Evidence) -> bytes:
    """Give the JSON document that an endpoint serves."""
    return msgspec.json.format(msgspec.json.encode(badge(evidence)), indent=2) + b"\n"


def badge_svg(evidence: Evidence) -> bytes:
    """Give the picture, which needs nothing beside it and says in words what it shows."""
    one = badge(evidence)
    left, right = (round(len(text) * LETTER) + MARGIN for text in (one.label, one.message))
    fill = COLOURS[outcome_of(evidence)][1]
    return template("badge.svg.j2").render(badge=one, left=left, right=right, margin=MARGIN, fill=fill).encode()
