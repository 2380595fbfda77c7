"""Swim-lane pictures of checks: processes and their threads as lanes, calls with begin and end, what went wrong marked.

Handles and addresses of one buffer have one colour and one letter, in whatever process.
"""

import hashlib

from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.report.lanes.mermaid import mermaid
from vdi_conformance.report.lanes.picture import picture_of
from vdi_conformance.report.lanes.svg import svg


def lanes_svg(check: CheckRecord) -> str:
    """Give the picture as an `svg` element of the class `lanes`, to be put into a page; empty where there are no calls.

    It has a fixed size, so that a narrow page scrolls it in a box of its own.
    """
    picture = picture_of(check)
    name = hashlib.sha256(check.id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return "" if picture is None else svg(picture, f"lanes-{name}")


def lanes_mermaid(check: CheckRecord) -> str:
    """Give the picture as the text of a Mermaid diagram; empty where there are no calls."""
    picture = picture_of(check)
    return "" if picture is None else mermaid(picture)
