"""A swim-lane picture as SVG: a column for each process, a row for each call; pure.

It has no script, no style and no resource from elsewhere, so that the strictest policy lets it be. Text and lines have
the colour of the text around it, and all others are seen on light and on dark.
"""

import html
from collections.abc import Iterator, Sequence
from typing import Final

from vdi_conformance.report.lanes.picture import Box, Lane, Mark, Picture, Piece, letter

WIDTH: Final = 262
"""So wide is the text of a lane, in pixels, as all that follows."""
THREAD: Final = 9
MARGIN: Final = 8
LINE: Final = 15
HEAD: Final = 34
GAP: Final = 24
LETTER: Final = 6.7
"""So wide is a letter of the text."""
LETTERS: Final = int((WIDTH - 14) / LETTER)
COLOURS: Final = ("#3b82f6", "#f59e0b", "#10b981", "#a855f7", "#ec4899", "#14b8a6", "#b08d57", "#84a713")
RED: Final = "#e5484d"
"""The colour of the call that the documents do not permit; the one that a check did not accept has another."""
AMBER: Final = "#d98a00"
FONT: Final = 'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11"'


STYLE: Final = (
    "<style>svg.lanes { color: #1d2329; background: #fff; } "
    "@media (prefers-color-scheme: dark) { svg.lanes { color: #e6e9ec; background: #15191d; } }</style>"
)
"""What a picture needs where no page is around it."""


def svg(picture: Picture, id: str, style: str = "") -> str:
    """Draw a picture; `id` is unique in the document that it comes into."""
    layout = _Layout(picture)
    size = f'width="{layout.width}" height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"'
    parts = [
        f'<svg class="lanes" xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id}" {size} ',
        f'{FONT} fill="currentColor">',
        style,
        f'<title id="{id}">{html.escape(picture.summary)}</title>',
        *_heads(layout),
        *(part for gap in picture.gaps for part in _gap(layout, gap.before, gap.calls)),
        *(part for box in picture.boxes for part in _box(layout, box)),
        "</svg>",
    ]
    return "".join(parts)


class _Layout:
    """Where everything comes to lie."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.lefts = [MARGIN]
        for lane in picture.lanes:
            self.lefts.append(self.lefts[-1] + len(lane.threads) * THREAD + WIDTH)
        gaps = {gap.before for gap in picture.gaps}
        self.lines = [_lines(box, picture.mark) for box in picture.boxes]
        self.tops: list[int] = []
        top = HEAD
        for row, lines in enumerate(self.lines):
            top += GAP * (row in gaps)
            self.tops.append(top)
            top += len(lines) * LINE + 9
        self.height = top + MARGIN
        self.width = self.lefts[-1] + MARGIN

    def bottom(self, row: int) -> int:
        """Give where the text of a row ends."""
        return self.tops[row] + len(self.lines[row]) * LINE + 4

    def text_left(self, lane: int) -> int:
        """Give where the text of a lane begins: its threads lie left of it."""
        return self.lefts[lane] + len(self.picture.lanes[lane].threads) * THREAD + 4


def _heads(layout: _Layout) -> Iterator[str]:
    for place, lane in enumerate(layout.picture.lanes):
        left = layout.lefts[place]
        yield (
            f'<text x="{layout.text_left(place)}" y="20" font-size="13" font-weight="bold">'
            f"<title>{html.escape(_threads(lane))}</title>{html.escape(_cut(lane.process))}</text>"
        )
        if place:
            yield _line(left - 4, 4, left - 4, layout.height - 4, "0.25")
        for thread in range(len(lane.threads)):
            middle = left + thread * THREAD + THREAD // 2
            yield _line(middle, HEAD - 6, middle, layout.height - MARGIN, "0.2")
    yield _line(MARGIN, HEAD - 8, layout.width - MARGIN, HEAD - 8, "0.4")


def _threads(lane: Lane) -> str:
    named = [thread or "without a label" for thread in lane.threads]
    return f"{lane.process}, threads: {', '.join(named)}"


def _gap(layout: _Layout, row: int, calls: int) -> Iterator[str]:
    y = layout.tops[row] - GAP // 2
    yield (
        f'<line x1="{MARGIN}" y1="{y - 4}" x2="{layout.width - MARGIN}" y2="{y - 4}" stroke="currentColor" '
        'stroke-opacity="0.5" stroke-dasharray="2 5"/>'
        f'<text x="{MARGIN}" y="{y + 8}" fill-opacity="0.75" font-style="italic">'
        f"{calls} call{'s' * (calls != 1)} left out</text>"
    )


def _box(layout: _Layout, box: Box) -> Iterator[str]:
    mark = layout.picture.mark
    marked = mark is not None and mark.row == box.first
    colour = "currentColor" if mark is None or not marked else RED if mark.judge == "model" else AMBER
    top, bottom = layout.tops[box.first], layout.bottom(box.last)
    bar = layout.lefts[box.lane] + box.thread * THREAD + 1
    dashes = ' stroke-dasharray="3 2"' if box.open else ""
    yield f"<g><title>{html.escape(_whole(layout, box))}</title>"
    yield (
        f'<rect x="{bar}" y="{top}" width="{THREAD - 2}" height="{bottom - top}" rx="2" fill="{colour}" '
        f'fill-opacity="{"0.8" if marked else "0.35"}" stroke="{colour}"{dashes}/>'
    )
    left = layout.text_left(box.lane)
    yield (
        f'<rect x="{left - 2}" y="{top}" width="{WIDTH - 10}" height="{layout.bottom(box.first) - top}" rx="3" '
        f'fill="{colour}" fill-opacity="{"0.1" if marked else "0.05"}" stroke="{colour}" '
        f'stroke-opacity="{"1" if marked else "0.25"}" stroke-width="{"2" if marked else "1"}"/>'
    )
    for number, line in enumerate(layout.lines[box.first]):
        yield from _text(line, left + 3, top + 12 + number * LINE, bold=not number or line.noticed, colour=colour)
    yield "</g>"


class _TextLine:
    """A line of a box: its pieces, cut where there is no more room."""

    def __init__(self, pieces: Sequence[Piece], begin: str = "", noticed: bool = False) -> None:
        self.noticed = noticed
        self.parts: list[tuple[str, int | None]] = [(begin, None)] if begin else []
        room = LETTERS - len(begin)
        for place, piece in enumerate(pieces):
            text = piece.text + (f" {letter(piece.buffer)}" if piece.buffer is not None else "")
            text = f"{text}{',' if place + 1 < len(pieces) else ''}"
            if room <= 1:
                break
            self.parts.append((text if len(text) <= room else f"{text[: room - 1]}…", piece.buffer))
            room -= len(text) + 1


def _lines(box: Box, mark: Mark | None) -> list[_TextLine]:
    found = [_TextLine((), f"{box.number} {box.name}")]
    found += _wrapped(box.given, "")
    found += _wrapped(box.answer, "→ ")
    if mark is not None and mark.row == box.first:
        found += [_TextLine((), line, noticed=True) for line in _folded(f"{_SIGNS[mark.judge]} {mark.sentence}")]
    return found


_SIGNS: Final = {"model": "✗", "check": "?"}


def _wrapped(pieces: Sequence[Piece], begin: str) -> list[_TextLine]:
    """Put as many pieces on a line as there is room for."""
    lines: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        needed = len(piece.text) + 4
        if not lines or needed > room:
            lines.append([])
            room = LETTERS - len(begin)
        lines[-1].append(piece)
        room -= needed
    return [_TextLine(line, begin if not number else " " * len(begin)) for number, line in enumerate(lines)]


def _folded(sentence: str) -> list[str]:
    lines = [""]
    for word in sentence.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LETTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [_cut(line) for line in lines]


def _text(line: _TextLine, x: float, y: int, *, bold: bool, colour: str) -> Iterator[str]:
    weight = ' font-weight="bold"' if bold else ""
    for text, buffer in line.parts:
        width = len(text) * LETTER
        if buffer is not None:
            hue = COLOURS[buffer % len(COLOURS)]
            yield (
                f'<rect x="{x - 2:.1f}" y="{y - 11}" width="{width + 3:.1f}" height="14" rx="3" fill="{hue}" '
                f'fill-opacity="0.28" stroke="{hue}"/>'
            )
        fill = f' fill="{colour}"' if line.noticed else ""
        yield (
            f'<text x="{x:.1f}" y="{y}"{weight}{fill} textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs" '
            f'xml:space="preserve">{html.escape(text)}</text>'
        )
        x += width + LETTER


def _whole(layout: _Layout, box: Box) -> str:
    lane = layout.picture.lanes[box.lane]
    thread = lane.threads[box.thread]
    took = "no end was seen" if box.milliseconds is None else f"{box.milliseconds:.3f} ms"
    given, answer = (", ".join(piece.text for piece in pieces) for pieces in (box.given, box.answer))
    on = f", thread {thread}" if thread else ""
    return f"{box.number} {lane.process}{on}: {box.name}({given}) → {answer or 'done'} ({took})"


def _line(x1: int, y1: int, x2: int, y2: int, opacity: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor" stroke-opacity="{opacity}"/>'


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
