"""The procedures with which drivers run a text with parameters, or prepare it first, such as sp_executesql."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.answers import Message, OutputValue, Parameter, ReturnStatus, SqlType
from vdi_conformance.tds.calls import SpecialProcedure
from vdi_conformance.tds.declarations import Undeclared, read_declarations
from vdi_conformance.tds.prepared import NoRoom, Prepared, PreparedStatements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.tds.announced import AnnouncedSession
    from vdi_conformance.tds.answers import Answer
    from vdi_conformance.tds.calls import Call
    from vdi_conformance.tds.declarations import Declared
    from vdi_conformance.tds.limits import TdsLimits

_HANDLE: Final = SqlType("int")
_ERROR: Final = 16
_NO_ROOM: Final = 17
_SHOWN: Final = 200
"""Characters of a text that a message quotes."""

_OPENERS: Final = frozenset(
    {
        SpecialProcedure.SP_CURSOROPEN,
        SpecialProcedure.SP_CURSORPREPARE,
        SpecialProcedure.SP_CURSOREXECUTE,
        SpecialProcedure.SP_CURSORPREPEXEC,
    }
)

Answers = Iterator["Answer"]


class Refused(Exception):
    """A call that cannot be made, with what SQL Server says of it."""

    def __init__(self, number: int, text: str, severity: int = _ERROR) -> None:
        super().__init__(text)
        self.message = Message(number, text, severity)


class Procedures:
    """The procedures of one session, which knows its prepared statements."""

    def __init__(self, session: AnnouncedSession, limits: TdsLimits) -> None:
        self._session = session
        self._prepared = PreparedStatements(limits)
        self._special: dict[SpecialProcedure, Callable[[Call], Answers]] = {
            SpecialProcedure.SP_EXECUTESQL: self._execute_sql,
            SpecialProcedure.SP_PREPARE: self._prepare,
            SpecialProcedure.SP_PREPEXEC: self._prepare_and_execute,
            SpecialProcedure.SP_PREPEXECRPC: self._prepare_and_call,
            SpecialProcedure.SP_EXECUTE: self._execute,
            SpecialProcedure.SP_UNPREPARE: self._unprepare,
        }

    def run(self, call: Call) -> Answers:
        """Run a call of any procedure."""
        if call.special is None:
            yield from self._session.call(call.procedure, call.parameters)
            return
        try:
            yield from self._special.get(call.special, self._no_cursor)(call)
        except Refused as refused:
            yield refused.message
            yield ReturnStatus(refused.message.number)

    def forget(self) -> None:
        """Have nothing prepared, since the session begins anew."""
        self._prepared.clear()

    def _no_cursor(self, call: Call) -> Answers:
        """Refuse a cursor of the server's, of which there are none."""
        if call.special in _OPENERS:
            told = (
                "A server cursor cannot be opened on the given statement or statements. Use a default result set or "
                "client cursor."
            )
            raise Refused(16937, told)
        handle = _shown_handle(_value_at(call, 0))
        raise Refused(16909, f"{call.procedure}: The cursor identifier value provided ({handle:x}) is not valid.")

    def _execute_sql(self, call: Call) -> Answers:
        """Run a text: its parameters are declared in the second place, and have their values in the others."""
        text = _text_at(call, 0)
        declared = _declared(_text_at(call, 1) if len(call.parameters) > 1 else "")
        return self._run(Prepared(text, declared), call.parameters[2:])

    def _prepare(self, call: Call) -> Answers:
        """Prepare a text for later: handle, declarations, text."""
        handle = self._keep(_statement(call))
        yield ReturnStatus(0)
        yield _handle_value(handle, call)

    def _prepare_and_execute(self, call: Call) -> Answers:
        """Prepare a text and run it at once: handle, declarations, text, values."""
        return self._run_first(_statement(call), call, 3)

    def _prepare_and_call(self, call: Call) -> Answers:
        """Prepare a call of a procedure and make it at once: handle, name, values."""
        return self._run_first(Prepared(_text_at(call, 1), is_procedure=True), call, 2)

    def _execute(self, call: Call) -> Answers:
        """Run what was prepared: handle, values."""
        handle = _value_at(call, 0)
        if (found := self._prepared.find(handle)) is None:
            raise _no_statement(handle)
        return self._run(found, call.parameters[1:])

    def _unprepare(self, call: Call) -> Answers:
        """Forget what was prepared."""
        handle = _value_at(call, 0)
        if not self._prepared.discard(handle):
            raise _no_statement(handle)
        yield ReturnStatus(0)

    def _keep(self, statement: Prepared) -> int:
        try:
            return self._prepared.add(statement)
        except NoRoom:
            told = "A session can prepare no more statements than this one has: unprepare those that are not used."
            raise Refused(701, told, _NO_ROOM) from None

    def _run_first(self, statement: Prepared, call: Call, before_values: int) -> Answers:
        """Keep a statement, give its handle back, and run it."""
        yield _handle_value(self._keep(statement), call)
        yield from self._run(statement, call.parameters[before_values:])

    def _run(self, statement: Prepared, values: Sequence[Parameter]) -> Answers:
        """Run a text with values; what it returns is the number of its last error, or 0."""
        if statement.is_procedure:
            yield from self._session.call(statement.text, values)
            return
        failure = 0
        for answer in self._session.batch(statement.text, _bound(statement, values)):
            if isinstance(answer, Message) and answer.is_error:
                failure = answer.number
            # A procedure that the text has called is none of the caller's.
            if not isinstance(answer, ReturnStatus):
                yield answer
        yield ReturnStatus(failure)


def _bound(prepared: Prepared, values: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Give each declared parameter its value, by name or by place."""
    by_name = {one.name.casefold(): one for one in values if one.name}
    by_place = [one for one in values if not one.name]
    if len(by_place) > len(prepared.declared):
        raise Refused(8144, "Procedure or function  has too many arguments specified.")
    bound = []
    for place, declared in enumerate(prepared.declared):
        given = by_place[place] if place < len(by_place) else by_name.pop(declared.name.casefold(), None)
        if given is None and not declared.has_default:
            raise _missing(prepared, declared)
        if given is not None:
            bound.append(given._replace(name=declared.name, is_output=given.is_output and declared.is_output))
    if by_name:
        raise Refused(8145, f"{next(iter(by_name.values())).name} is not a parameter for procedure .")
    return tuple(bound)


def _missing(prepared: Prepared, declared: Declared) -> Refused:
    names = ", ".join(one.name for one in prepared.declared)
    told = f"({names}){prepared.text}"[:_SHOWN]
    return Refused(
        8178, f"The parameterized query '{told}' expects the parameter '{declared.name}', which was not supplied."
    )


def _no_statement(handle: object) -> Refused:
    return Refused(8179, f"Could not find prepared statement with handle {_shown_handle(handle)}.")


def _shown_handle(handle: object) -> int:
    """Give the number of a handle, of which null and what is none are 0."""
    return handle if isinstance(handle, int) else 0


def _statement(call: Call) -> Prepared:
    """Read what is to be prepared: declarations in the second place, and the text in the third."""
    return Prepared(_text_at(call, 2), _declared(_text_at(call, 1)))


def _handle_value(handle: int, call: Call) -> OutputValue:
    """Give a handle back as the first parameter of the call."""
    return OutputValue(call.parameters[0].name, _HANDLE, handle)


def _declared(text: str) -> tuple[Declared, ...]:
    try:
        return read_declarations(text)
    except Undeclared as found:
        raise Refused(102, f"Incorrect syntax near '{str(found)[:_SHOWN]}'.", 15) from None


def _value_at(call: Call, place: int) -> object:
    if place >= len(call.parameters):
        raise Refused(
            201, f"Procedure or function '{call.procedure}' expects parameter {place + 1}, which was not supplied."
        )
    return call.parameters[place].value


def _text_at(call: Call, place: int) -> str:
    """Give a text, of which null is the empty one."""
    value = _value_at(call, place)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(
            214, f"Procedure expects parameter {place + 1} of '{call.procedure}' of type 'ntext/nchar/nvarchar'."
        )
    return value
