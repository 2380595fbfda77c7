"""One session: batches and calls run in it, one at a time, and end when they are cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.execution.run import BatchAborted, Left, Run
from vdi_conformance.sqlserver.language.checking import checked
from vdi_conformance.sqlserver.language.faults import Cancelled, SqlError, message
from vdi_conformance.sqlserver.language.surroundings import Cell
from vdi_conformance.sqlserver.language.tokens import name_of
from vdi_conformance.sqlserver.language.tree import Name
from vdi_conformance.sqlserver.procedures import Call, Given, bound, find
from vdi_conformance.sqlserver.seam import Refused
from vdi_conformance.tds.answers import FATAL, Message, OutputValue, ReturnStatus, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.sqlserver.state import SessionState
    from vdi_conformance.tds.answers import Answer, Parameter

_WAITING: Final = "AWAITING COMMAND"
_RUNNING: Final = "SELECT"


class SqlSession:
    """A session; answers come while its statements run. `leave` is called once, when it is closed."""

    def __init__(self, state: SessionState, leave: Callable[[], None]) -> None:
        self._state = state
        self._leave = leave
        self._is_closed = False

    @property
    def database(self) -> str:
        """The name of the database that the session is in."""
        return self._state.database

    @property
    def session_id(self) -> int:
        """The id of the session, which @@SPID gives."""
        return self._state.session_id

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run a batch, `parameters` being variables; those that give something back come after its statements."""
        self._state.cancelled.clear()
        return self._guarded(self._batch(text, parameters))

    def _batch(self, text: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        state = self._state
        variables = {parameter.name.lower(): Cell(parameter.type, parameter.value) for parameter in parameters}
        state.table_variables = {}
        try:
            statements = checked(text, state.is_on("QUOTED_IDENTIFIER"), variables)
        except SqlError as error:
            yield from self._refused(error)
            return
        if state.is_on("PARSEONLY") and not text.upper().count("PARSEONLY"):
            yield StatementEnd()
            return
        try:
            yield from Run(state, variables).statements(statements)
        except Left:
            pass
        except BatchAborted:
            return
        for parameter in parameters:
            if parameter.is_output:
                cell = variables[parameter.name.lower()]
                yield OutputValue(parameter.name, cell.type, cell.value)

    def call(self, procedure: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Run a procedure of the server's, and give its status and what it gives back."""
        self._state.cancelled.clear()
        return self._guarded(self._call(procedure, parameters))

    def _call(self, name: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        given = [Given(one.name, one.type, one.value, one.is_output, None) for one in parameters]
        try:
            found = find(Name(tuple(name_of(part) for part in name.split(".")), 1))
            call = Call(self._state, bound(found, given))
            yield from self._with_lines(found.run(call), found.name)
        except SqlError as error:
            yield from self._refused(error)
            return
        except Refused as refused:
            yield from self._refused(SqlError(*(one._replace(line=1) for one in refused.messages)))
            return
        yield ReturnStatus(call.status)
        for parameter, argument in call.arguments.items():
            if argument.given is not None and argument.given.is_output:
                yield OutputValue(argument.given.name or parameter, argument.type, argument.value)
        yield StatementEnd()

    def _with_lines(self, answers: Iterator[Answer], procedure: str) -> Iterator[Answer]:
        for answer in answers:
            yield answer._replace(procedure=procedure) if isinstance(answer, Message) else answer

    def _refused(self, error: SqlError) -> Iterator[Answer]:
        told = error.at(1)
        self._state.globals.update(ERROR=told.messages[-1].number, ROWCOUNT=0)
        yield from told.messages
        yield StatementEnd(None, failed=True)

    def _guarded(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        """Give answers until what runs is cancelled; a session that was ended says so at last."""
        state = self._state
        state.command = _RUNNING
        try:
            if not state.ended.is_set():
                yield from self._told(answers)
        except Cancelled:
            pass
        finally:
            state.command = _WAITING
            state.caught = None
            state.globals["NESTLEVEL"] = 0
        if state.ended.is_set():
            yield message(596, line=1)
            yield StatementEnd(None, failed=True)

    def _told(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        """Give answers up to an error that ends the connection."""
        for answer in answers:
            yield answer
            if isinstance(answer, Message) and answer.severity >= FATAL:
                self._state.ended.set()
                return

    def begin(self) -> int:
        """Begin a transaction and give its number."""
        return self._state.begin()

    def commit(self) -> None:
        """End the transaction that was begun; nothing where there is none."""
        if self._state.in_transaction:
            self._state.commit()

    def roll_back(self) -> None:
        """End the transaction that was begun and undo it; nothing where there is none."""
        if self._state.in_transaction:
            self._state.roll_back()

    def cancel(self) -> None:
        """Let the request that runs end as soon as it can; called from another thread, at any time."""
        self._state.cancelled.set()
        self._state.shared.locks.wake()

    def end(self) -> None:
        """End the session from another thread: what runs is cancelled, and says that the session is over."""
        self._state.ended.set()
        self.cancel()

    def reset(self) -> None:
        """Go back to what the session was after its login."""
        self._state.reset()

    def close(self) -> None:
        """End the session, and what it holds; once is enough."""
        if self._is_closed:
            return
        self._is_closed = True
        self.cancel()
        if self._state.in_transaction:
            self._state.roll_back()
        self._state.shared.locks.release_all(self._state.session_id)
        self._leave()
