"""A batch while it runs: its variables, what its statements answer, and where its errors go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.conditions import condition
from vdi_conformance.sqlserver.language.expressions import Frame, Scope, value
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.sqltypes import NVARCHAR_MAX
from vdi_conformance.sqlserver.language.surroundings import Environment
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.sqlserver.seam import Refused
from vdi_conformance.tds.answers import FATAL, Message, StatementEnd, TransactionBegun, TransactionEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.sqlserver.language.instructions import Instruction
    from vdi_conformance.sqlserver.language.surroundings import Cell
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.sqlserver.state import SessionState
    from vdi_conformance.tds.answers import Answer, SqlType, Value

    Handler = Callable[["Run", Any], Iterator[Answer]]

DEEPEST: Final = 32
"""So often may EXEC be within EXEC."""


class Left(Exception):
    """BREAK, CONTINUE or RETURN."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class BatchAborted(Exception):
    """An error that was told already has ended the whole batch."""


class Caught(Exception):
    """An error within BEGIN TRY, on its way to the CATCH block."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.text)
        self.message = message


def _begins(statement: Instruction) -> bool:
    """Tell whether a statement begins a transaction by itself where IMPLICIT_TRANSACTIONS is on."""
    if isinstance(statement, does.Select):
        return not isinstance(statement.query.body, tree.Select) or statement.query.body.source is not None
    return isinstance(statement, does.Insert | does.Update | does.Delete | does.CreateTable | does.DropTables)


class Run:
    """A batch that runs; one within another (EXEC) has variables of its own."""

    def __init__(self, state: SessionState, variables: dict[str, Cell], tries: int = 0) -> None:
        self.state = state
        self.environment = Environment(state, variables)
        self.tries = tries
        """How many TRY blocks are around."""

    # Expressions

    @property
    def variables(self) -> dict[str, Cell]:
        """The variables by their names in small letters."""
        return self.environment.variables

    @property
    def scope(self) -> Scope:
        """What an expression outside of a query knows."""
        return Scope((), None, self.environment)

    def evaluate(self, expression: Expression, as_type: SqlType | None = None) -> Any:
        """Compute an expression, as a value of a type where one is given."""
        computed = value(expression, self.scope)
        return (computed.run if as_type is None else computed.as_type(as_type))(Frame())

    def text(self, expression: Expression) -> str | None:
        """Compute an expression as a text."""
        found: str | None = self.evaluate(expression, NVARCHAR_MAX)
        return found

    def test(self, expression: Expression) -> bool:
        """Tell whether a condition is true."""
        return bool(condition(expression, self.scope)(Frame()))

    def cell(self, name: str, line: int) -> Cell:
        """Give a variable, or raise 137."""
        found = self.variables.get(name.lower())
        if found is None:
            raise fault(137, name, line=line)
        return found

    def assign(self, name: str, given: Value, given_type: SqlType, line: int) -> None:
        """Store a value in a variable, as one of its type."""
        cell = self.cell(name, line)
        cell.value = convert(given, given_type, cell.type)

    # Answers

    def end(self, rows: int | None = None) -> StatementEnd:
        """End a statement that was about so many rows, or about none."""
        self.state.globals.update(ROWCOUNT=rows or 0, ERROR=0)
        return StatementEnd(None if self.state.is_on("NOCOUNT") else rows)

    def transaction_changes(self, before: int, committed: bool) -> Iterator[Answer]:
        """Tell of a transaction that began or ended since its number was the one before."""
        if self.state.transaction == before:
            return
        yield TransactionEnded(before, committed) if before else TransactionBegun(self.state.transaction)

    def relay(self, answers: Iterator[Answer], line: int) -> Iterator[Answer]:
        """Pass on what an instance or a procedure answers, the lines of messages filled in; raise what TRY catches."""
        failed: Message | None = None
        for answer in answers:
            if not isinstance(answer, Message):
                yield answer
                continue
            told = answer._replace(line=line)
            failed = told if told.is_error else failed
            if not (told.is_error and self.tries and told.severity < FATAL):
                yield told
        if failed is None:
            return
        self.state.globals["ERROR"] = failed.number
        if self.tries:
            raise Caught(failed)
        yield StatementEnd(None, failed=True)

    # Statements

    def statements(self, statements: Sequence[Instruction]) -> Iterator[Answer]:
        """Run statements one after the other."""
        for statement in statements:
            self.state.look_up()
            yield from self.statement(statement)

    def statement(self, statement: Instruction) -> Iterator[Answer]:
        """Run a statement; its error is told or caught, and may end the batch."""
        from vdi_conformance.sqlserver.execution.handlers import handler_of

        if self.state.is_on("NOEXEC") and not isinstance(statement, does.SetOptions):
            return
        if self.state.is_on("IMPLICIT_TRANSACTIONS") and not self.state.in_transaction and _begins(statement):
            yield TransactionBegun(self.state.begin())
        try:
            yield from handler_of(statement)(self, statement)
        except SqlError as error:
            yield from self._failed(error.at(statement.line))
        except Refused as refused:
            told = (message._replace(line=statement.line) for message in refused.messages)
            yield from self._failed(SqlError(*told))
        except RecursionError:
            yield from self._failed(fault(191, line=statement.line))

    def _failed(self, error: SqlError) -> Iterator[Answer]:
        last = error.messages[-1]
        self.state.globals.update(ERROR=last.number, ROWCOUNT=0)
        if self.tries and last.severity < FATAL:
            raise Caught(last)
        yield from error.messages
        yield StatementEnd(None, failed=True)
        if error.aborts or (self.state.is_on("XACT_ABORT") and last.severity > 10):
            if self.state.is_on("XACT_ABORT") and self.state.in_transaction:
                before = self.state.transaction
                self.state.roll_back()
                yield from self.transaction_changes(before, committed=False)
            raise BatchAborted
