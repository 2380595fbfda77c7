"""The lines that sqlcmd and osql make of a SQL Server's answers; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.sqlserver.sqlcmd.values import NUMBERS, text_of, width_of
from vdi_conformance.tds.answers import Columns, DatabaseChanged, Message, Row, StatementEnd

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.sqlcmd.options import Options
    from vdi_conformance.tds.answers import Answer, Column

_TO_ALL: Final = -1
"""What -m names so that informing messages have a head too."""


class Text(NamedTuple):
    """Something to be written; `is_error` to standard error."""

    text: str
    is_error: bool = False


class _Shape(NamedTuple):
    """A column of a result: how wide it is (0: as its values are), and on which side its values stand."""

    column: Column
    width: int
    to_the_right: bool

    def filled(self, text: str) -> str:
        """Bring a text to the width of the column."""
        if not self.width:
            return text
        cut = text[: self.width]
        return cut.rjust(self.width) if self.to_the_right else cut.ljust(self.width)


class Renderer:
    """Makes text of answers, one after the other."""

    def __init__(self, options: Options, server_name: str) -> None:
        self._options = options
        self._server_name = server_name
        self._shapes: tuple[_Shape, ...] = ()
        self._rows = 0

    def render(self, answer: Answer) -> Text | None:
        """Give what is to be written for an answer; None where nothing is."""
        if isinstance(answer, Message):
            return self._message(answer)
        if isinstance(answer, DatabaseChanged):
            return None
        text = ""
        if isinstance(answer, Columns):
            self._shapes = tuple(self._shape(column) for column in answer.columns)
            self._rows = 0
            text = self._header()
        elif isinstance(answer, Row):
            text = self._row(answer)
        elif isinstance(answer, StatementEnd):
            text = self._end(answer)
        return Text(text) if text else None

    # Messages

    def _message(self, message: Message) -> Text | None:
        options = self._options
        to_error = options.errors_from is not None and message.severity >= options.errors_from
        is_error = to_error and options.output is None
        lowest = options.shown_from
        has_head = message.is_error or lowest == _TO_ALL
        if lowest is not None and lowest > 0 and message.severity < lowest:
            if options.program == "sqlcmd":
                return None
            has_head = False
        return Text((self._head(message) if has_head else "") + f"{message.text}\n", is_error)

    def _head(self, message: Message) -> str:
        place = f"Procedure {message.procedure}, Line {message.line}" if message.procedure else f"Line {message.line}"
        told = f"Msg {message.number}, Level {message.severity}, State {message.state}"
        return f"{told}, Server {self._server_name}, {place}\n"

    # Results

    def _shape(self, column: Column) -> _Shape:
        options = self._options
        width = width_of(column.type, options.longest_variable, options.longest_fixed)
        return _Shape(column, max(width, len(column.name)) if width else 0, column.type.name in NUMBERS)

    def _header(self) -> str:
        """Give the names of the columns, and the dashes below them."""
        if self._options.rows_per_header < 0 or any(not shape.width for shape in self._shapes):
            return ""
        if self._options.trims:
            names = [shape.column.name for shape in self._shapes]
            dashes = ["-" * max(len(name), 1) for name in names]
        else:
            names = [shape.column.name.ljust(shape.width) for shape in self._shapes]
            dashes = ["-" * shape.width for shape in self._shapes]
        return self._line(names) + self._line(dashes)

    def _row(self, row: Row) -> str:
        texts = [text_of(value, shape.column.type) for value, shape in zip(row.values, self._shapes, strict=True)]
        shown = [shape.filled(text) for text, shape in zip(texts, self._shapes, strict=True)]
        if self._options.trims:
            shown = [text.strip() for text in shown]
        self._rows += 1
        line = self._line(shown)
        every = self._options.rows_per_header
        return line + f"\n{self._header()}" if every > 0 and self._rows % every == 0 else line

    def _line(self, texts: list[str]) -> str:
        separator = self._options.separator
        line = separator.join(texts)
        return self._wrapped(separator + line if self._options.program == "osql" else line)

    def _wrapped(self, line: str) -> str:
        """Go on in a new line where a line is as wide as the screen."""
        width = self._options.width or max(len(line), 1)
        pieces = [line[start : start + width] for start in range(0, len(line), width)] or [""]
        return "".join(f"{piece}\n" for piece in pieces)

    def _end(self, end: StatementEnd) -> str:
        had_rows, self._shapes = bool(self._shapes), ()
        if end.rows is None:
            return "\n" if had_rows else ""
        noun = "row" if self._options.program == "osql" and end.rows == 1 else "rows"
        return f"\n({end.rows} {noun} affected)\n"
