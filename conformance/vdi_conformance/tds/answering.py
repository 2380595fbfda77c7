"""Turns the answers of a session into tokens, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdi_conformance.tds.answers import (
    Columns,
    DatabaseChanged,
    Message,
    OutputValue,
    ReturnStatus,
    Row,
    StatementEnd,
    TransactionBegun,
    TransactionEnded,
)
from vdi_conformance.tds.column_values import written_type
from vdi_conformance.tds.tokens import (
    SELECT,
    Change,
    Done,
    Token,
    encode_begun,
    encode_columns,
    encode_done,
    encode_ended,
    encode_message,
    encode_output,
    encode_return_status,
    encode_text_change,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.tds.answers import Answer, Parameter


class AnswerEncoder:
    """Encodes the answers to one batch.

    The end of a statement is kept back until it is known whether something follows it, which has to be told in it.
    """

    def __init__(self, server: str) -> None:
        self.has_failed = False
        self._server = server
        self._writers: tuple[Callable[[Any], bytes], ...] = ()
        self._command = 0
        self._end: StatementEnd | None = None
        self._ends_procedure = False

    def encode(self, answer: Answer) -> bytes:
        """Give what can be sent for an answer now."""
        before = self._ended(Done.MORE) if self._end is not None else b""
        return before + self._encoded(answer)

    def finish(self, status: int = 0) -> bytes:
        """Give the end, which is the last token of the answer; `status` is what else it says."""
        if self._end is None:
            self._end = StatementEnd(failed=self.has_failed)
        return self._ended(status)

    def _encoded(self, answer: Answer) -> bytes:
        match answer:
            case Message():
                self.has_failed = self.has_failed or answer.is_error
                return encode_message(answer, self._server)
            case Columns(columns):
                self._writers = tuple(written_type(column.type).write for column in columns)
                self._command = SELECT
                return encode_columns(columns)
            case Row(values):
                return self._row(values)
            case StatementEnd() | ReturnStatus() | OutputValue():
                return self._structural(answer)
        return _changed(answer)

    def _structural(self, answer: StatementEnd | ReturnStatus | OutputValue) -> bytes:
        """Encode what tells where statements and procedures end."""
        match answer:
            case StatementEnd():
                self._end = answer
                return b""
            case ReturnStatus(value):
                self._ends_procedure = True
                return encode_return_status(value)
            case OutputValue():
                return encode_output(answer, 0)

    def _row(self, values: Sequence[object]) -> bytes:
        if len(values) != len(self._writers):
            raise ValueError(f"a row has {len(values)} values for {len(self._writers)} columns")
        return bytes([Token.ROW]) + b"".join(write(value) for write, value in zip(self._writers, values, strict=True))

    def _ended(self, status: int) -> bytes:
        assert self._end is not None
        failed = Done.ERROR if self._end.failed else 0
        kind = Token.DONE_PROCEDURE if self._ends_procedure else Token.DONE
        done = encode_done(status | failed, self._end.rows, kind, self._command)
        self._end = None
        self._command = 0
        self._ends_procedure = False
        return done


def _changed(answer: DatabaseChanged | TransactionBegun | TransactionEnded) -> bytes:
    """Tell of what a statement has changed around its session."""
    match answer:
        case DatabaseChanged(name, before):
            return encode_text_change(Change.DATABASE, name, before)
        case TransactionBegun(number):
            return encode_begun(number)
        case TransactionEnded(number, is_committed):
            return encode_ended(number, is_committed)


class CallEncoder(AnswerEncoder):
    """Encodes the answers to one call of a procedure with these parameters.

    What the procedure returns and gives back is told at its end, whatever comes after it.
    """

    def __init__(self, server: str, parameters: Sequence[Parameter]) -> None:
        super().__init__(server)
        self._places = {place: one.name.casefold() for place, one in enumerate(parameters) if one.is_output}
        self._status = 0
        self._has_returned = False
        self._outputs: list[OutputValue] = []

    def encode(self, answer: Answer) -> bytes:
        """Give what can be sent for an answer now."""
        return self._encoded(answer)

    def finish(self, status: int = 0) -> bytes:
        """Give the end of the procedure."""
        end = self._end or StatementEnd(failed=self.has_failed)
        given = [encode_output(one, self._place(one.name.casefold())) for one in self._outputs]
        failed = Done.ERROR if end.failed else 0
        done = encode_done(status | failed, end.rows, Token.DONE_PROCEDURE, self._command)
        return encode_return_status(self._status) + b"".join(given) + done

    def _place(self, name: str) -> int:
        """Give the place of an output among the parameters of the call: that of its name, or the next that has none."""
        fitting = [place for place, one in self._places.items() if one == name] or [
            place for place, one in self._places.items() if not one
        ]
        if not fitting:
            return 0
        del self._places[fitting[0]]
        return fitting[0]

    def _structural(self, answer: StatementEnd | ReturnStatus | OutputValue) -> bytes:
        match answer:
            case StatementEnd() if self._has_returned:
                self._end = answer
            case StatementEnd(rows, failed):
                status = Done.MORE | (Done.ERROR if failed else 0)
                done = encode_done(status, rows, Token.DONE_IN_PROCEDURE, self._command)
                self._command = 0
                return done
            case ReturnStatus(value):
                self._status = value
                self._has_returned = True
            case OutputValue():
                self._outputs.append(answer)
        return b""
