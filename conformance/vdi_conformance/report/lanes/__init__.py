"""Swim-lane pictures of checks: processes and their threads as lanes, calls with begin and end, what went wrong marked.

Handles and addresses of one buffer have one colour and one letter, in whatever process.
"""

import hashlib

from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.report.lanes.mermaid import mermaid
from vdi_conformance.report.lanes.picture import picture_of
from vdi_conformance.report.lanes.svg import STYLE, svg
from vdi_conformance.report.lanes.text import text


def lanes_svg(check: CheckRecord) -> str:
    """Give the picture as an `svg` element of the class `lanes`, to be put into a page; empty where there are no calls.

    It has a fixed size, so that a narrow page scrolls it in a box of its own.
    """
    picture = picture_of(check)
    return "" if picture is None else svg(picture, _id(check))


def lanes_image(check: CheckRecord) -> str:
    """Give the picture as an SVG file of its own, light or dark as whoever looks at it wants it."""
    picture = picture_of(check)
    return "" if picture is None else svg(picture, _id(check), STYLE)


def lanes_text(check: CheckRecord) -> str:
    """Give the picture as plain text; empty where there are no calls."""
    picture = picture_of(check)
    return "" if picture is None else text(picture, check.calls, check.unexpected)


def lanes_mermaid(check: CheckRecord) -> str:
    """Give the picture as the text of a Mermaid diagram; empty where there are no calls."""
    picture = picture_of(check)
    return "" if picture is None else mermaid(picture)


def _id(check: CheckRecord) -> str:
    return f"lanes-{hashlib.sha256(check.id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
