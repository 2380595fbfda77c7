"""What a session does for each of its client's requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.tds.announced import AnnouncedSession
from vdi_conformance.tds.answering import AnswerEncoder, CallEncoder
from vdi_conformance.tds.answers import FATAL, Message, TransactionBegun, TransactionEnded
from vdi_conformance.tds.calls import TooManyParameters, read_calls
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import PacketType
from vdi_conformance.tds.parameter_values import UnknownType
from vdi_conformance.tds.procedures import Procedures
from vdi_conformance.tds.reading import after_headers, decoded
from vdi_conformance.tds.tokens import (
    Change,
    Done,
    Token,
    encode_begun,
    encode_bytes_change,
    encode_done,
    encode_ended,
    encode_message,
    encode_text_change,
)
from vdi_conformance.tds.transactions import TransactionAct, read_transaction_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vdi_conformance.tds.answers import Answer, Session
    from vdi_conformance.tds.limits import TdsLimits
    from vdi_conformance.tds.packets import ClientMessage
    from vdi_conformance.tds.response import Response
    from vdi_conformance.tds.transactions import TransactionRequest

_ERROR = 16


class Conversation:
    """The requests of one session, one after the other; `started` is called when a cancel is about one of them."""

    def __init__(self, session: Session, started: Callable[[], None], server: str, limits: TdsLimits) -> None:
        self._session = session
        self._announced = AnnouncedSession(session, started)
        self._server = server
        self._limits = limits
        self._procedures = Procedures(self._announced, limits)
        self._transaction = 0

    def answer(self, request: ClientMessage, response: Response) -> bool:
        """Do what is asked for, and tell whether the connection goes on; Malformed where it cannot be read."""
        if request.is_ignored:
            response.end(encode_done(0))
            return True
        if request.resets:
            response.write(self._reset())
        match request.type:
            case PacketType.SQL_BATCH:
                text = decoded(after_headers(request.payload).rest())
                return self._give(self._announced.batch(text), AnswerEncoder(self._server), response)
            case PacketType.RPC:
                return self._calls(request.payload, response)
            case PacketType.TRANSACTION_MANAGER:
                return self._transact(read_transaction_request(request.payload), response)
        raise Malformed(f"a session has no use for a message of type {request.type}")

    def _give(
        self, answers: Iterable[Answer], encoder: AnswerEncoder, response: Response, is_last: bool = True
    ) -> bool:
        """Send answers as they come; all are read, even where nobody waits for them."""
        goes_on = True
        for answer in answers:
            self._follow(answer)
            if response.is_wanted:
                response.write(encoder.encode(answer))
                if isinstance(answer, Message):
                    response.flush()
                    goes_on = goes_on and answer.severity < FATAL
        if not response.is_wanted:
            # What was left out may have been more than its end, which would say too much of it.
            response.end(encode_done(Done.ERROR))
        elif is_last or not goes_on:
            response.end(encoder.finish())
        else:
            response.write(encoder.finish(Done.MORE))
        return goes_on

    def _follow(self, answer: Answer) -> None:
        """Keep in mind which transaction there is, also where the client does not hear of it."""
        match answer:
            case TransactionBegun(number):
                self._transaction = number
            case TransactionEnded():
                self._transaction = 0

    def _calls(self, payload: bytes, response: Response) -> bool:
        try:
            calls = read_calls(payload, self._limits.parameters)
        except UnknownType as found:
            told = f"A parameter of a call has data type 0x{found.code:02X}, which is unknown here."
            return self._refuse(Message(8009, told, _ERROR), response)
        except TooManyParameters:
            told = f"The request has too many parameters: at most {self._limits.parameters} are possible."
            return self._refuse(Message(8003, told, _ERROR), response)
        for place, call in enumerate(calls, start=1):
            answers = self._procedures.run(call)
            goes_on = self._give(answers, CallEncoder(self._server, call.parameters), response, place == len(calls))
            if not goes_on or not response.is_wanted:
                return goes_on
        return True

    def _refuse(self, message: Message, response: Response) -> bool:
        response.end(encode_message(message, self._server) + encode_done(Done.ERROR, kind=Token.DONE_PROCEDURE))
        return True

    def _transact(self, request: TransactionRequest, response: Response) -> bool:
        match request.act:
            case TransactionAct.BEGIN:
                response.end(self._begin() + encode_done(0))
            case TransactionAct.COMMIT:
                self._end_transaction(request, True, response)
            case TransactionAct.ROLL_BACK:
                self._end_transaction(request, False, response)
            case TransactionAct.SAVE:
                quoted = request.name.replace("]", "]]")
                text = f"SAVE TRANSACTION [{quoted}]"
                return self._give(self._announced.batch(text), AnswerEncoder(self._server), response)
            case _:
                told = "Distributed transactions are not possible here: use one of this server alone."
                response.end(encode_message(Message(8501, told, _ERROR, 3), self._server) + encode_done(Done.ERROR))
        return True

    def _begin(self) -> bytes:
        self._transaction = self._session.begin()
        return encode_begun(self._transaction)

    def _end_transaction(self, request: TransactionRequest, commits: bool, response: Response) -> None:
        if not self._transaction:
            number, verb = (3902, "COMMIT") if commits else (3903, "ROLLBACK")
            told = f"The {verb} TRANSACTION request has no corresponding BEGIN TRANSACTION."
            response.end(encode_message(Message(number, told, _ERROR), self._server) + encode_done(Done.ERROR))
            return
        if commits:
            self._session.commit()
        else:
            self._session.roll_back()
        tokens = self._transaction_ended(commits) + (self._begin() if request.begins else b"")
        response.end(tokens + encode_done(0))

    def _transaction_ended(self, is_committed: bool) -> bytes:
        ended, self._transaction = self._transaction, 0
        return encode_ended(ended, is_committed)

    def _reset(self) -> bytes:
        """Make the session as new, and tell what is different therefore."""
        before = self._session.database
        self._session.reset()
        self._procedures.forget()
        tokens = self._transaction_ended(False) if self._transaction else b""
        if (name := self._session.database) != before:
            tokens += encode_text_change(Change.DATABASE, name, before)
        return tokens + encode_bytes_change(Change.RESET)
