"""A swim-lane picture as a sequence diagram of Mermaid, which GitHub and GitLab draw in Markdown; pure."""

import re
from collections.abc import Iterator
from typing import Final

from vdi_conformance.report.lanes.picture import Box, Picture, Piece, letter

TEXT: Final = 200
"""So many characters of a call are told."""
_SPECIAL: Final = re.compile(r"[^\w ,.:=()/→…✗?+*'\u2B1B\U0001F7E0-\U0001F7EB\U0001F534\U0001F535-]")
_SQUARES: Final = "🟦🟧🟩🟪🟥🟨🟫⬛"
_BACK: Final = {"model": "rgba(229, 72, 77, 0.25)", "check": "rgba(217, 138, 0, 0.25)"}


def mermaid(picture: Picture) -> str:
    """Give the text of the diagram, without a fence around it."""
    return "\n".join(["sequenceDiagram", *(f"    {line}" for line in _lines(picture))]) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    for place, lane in enumerate(picture.lanes):
        yield f"participant p{place} as {_plain(lane.process)}"
    gaps = {gap.before: gap.calls for gap in picture.gaps}
    for row, box in enumerate(picture.boxes):
        if row in gaps:
            yield f"Note over p0,p{len(picture.lanes) - 1}: {gaps[row]} call{'s' * (gaps[row] != 1)} left out"
        mark = picture.mark if picture.mark is not None and picture.mark.row == row else None
        if mark is not None:
            yield f"rect {_BACK[mark.judge]}"
        yield from _begun(box)
        if mark is not None:
            yield f"Note over p{box.lane}: {'✗' * (mark.judge == 'model')} {_plain(mark.sentence)}"
            yield "end"
        yield from (line for one in picture.boxes[:row] if one.last == row for line in _ended(one))


def _begun(box: Box) -> Iterator[str]:
    """One that ended before any other began is told at once."""
    who = f"p{box.lane}"
    told = f"{box.number} {_plain(box.name)} {_values(box.given)}".rstrip()
    if box.first == box.last and not box.open:
        yield f"{who}->>{who}: {told}{_answer(box)}"
    else:
        yield f"{who}-){who}: {told} begins"


def _ended(box: Box) -> Iterator[str]:
    who = f"p{box.lane}"
    yield f"{who}--){who}: {box.number} {_plain(box.name)} ends{_answer(box)}"


def _answer(box: Box) -> str:
    return f" → {_values(box.answer)}" if box.answer else ""


def _values(pieces: tuple[Piece, ...]) -> str:
    return ", ".join(f"{_plain(piece.text)}{_square(piece.buffer)}" for piece in pieces)


def _square(buffer: int | None) -> str:
    return "" if buffer is None else f" {_SQUARES[buffer % len(_SQUARES)]}{letter(buffer)}"


def _plain(text: str) -> str:
    """Give a text as Mermaid shows it as it is: what has a meaning there is given by its code."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text[:TEXT])
