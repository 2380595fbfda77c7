"""A swim-lane picture in plain text: a line for each call, with a column for each thread beside it; pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from vdi_conformance.evidence.records import Call, Unexpected
from vdi_conformance.report.calls import call_line, mark_of
from vdi_conformance.report.lanes.picture import Picture
from vdi_conformance.untrusted.printable import shown

INDENT: Final = 8
IDLE: Final = "."
UNDER_WAY: Final = "|"
BEGUN: Final = "#"


def text(picture: Picture, calls: Sequence[Call], unexpected: Unexpected | None) -> str:
    """Draw a picture of these calls: `#` where a call begins, `|` below it until it ends."""
    return "\n".join(_lines(picture, {call.number: call for call in calls}, unexpected))


def _lines(picture: Picture, calls: dict[int, Call], unexpected: Unexpected | None) -> Iterator[str]:
    columns = [(place, thread) for place, lane in enumerate(picture.lanes) for thread in range(len(lane.threads))]
    named = [
        shown(f"{picture.lanes[place].process} {picture.lanes[place].threads[thread]}".strip())
        for place, thread in columns
    ]
    yield f"columns: {', '.join(named)}"
    gaps = {gap.before: gap.calls for gap in picture.gaps}
    for row, box in enumerate(picture.boxes):
        under_way = {(one.lane, one.thread) for one in picture.boxes[:row] if one.last >= row}
        drawn = "".join(
            BEGUN if column == (box.lane, box.thread) else UNDER_WAY if column in under_way else IDLE
            for column in columns
        )
        if row in gaps:
            yield f"{' ' * len(columns)} {gaps[row]:>{INDENT}} call{'s' * (gaps[row] != 1)} left out"
        yield f"{drawn} {call_line(calls[box.number])}"
        if mark := mark_of(unexpected, box.number):
            yield f"{' ' * len(columns)} {mark}"
