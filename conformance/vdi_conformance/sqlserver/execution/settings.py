"""What changes the session: USE, SET, variables, transactions, KILL and maintenance."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from vdi_conformance.data_tables import shipped
from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import operators
from vdi_conformance.sqlserver.language.expressions import Frame, value
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.sqltypes import INT
from vdi_conformance.sqlserver.language.surroundings import Cell
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.sqlserver.seam import Refused
from vdi_conformance.sqlserver.tables import MemoryTable
from vdi_conformance.tds.answers import DatabaseChanged, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.sqlserver.language.tree import Expression
    from vdi_conformance.tds.answers import Answer, SqlType, Value

_DEFAULTS: Final = (
    "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "CONCAT_NULL_YIELDS_NULL", "QUOTED_IDENTIFIER", "ANSI_NULL_DFLT_ON",
)  # fmt: skip
_DBCC_DONE: Final = Message(2528, "DBCC execution completed. If it printed errors, tell who administers the server.", 0)


def use(run: Run, statement: does.Use) -> Iterator[Answer]:
    """Go to another database, and say so to the client."""
    state = run.state
    try:
        found = state.instance.use(statement.database, state.asker())
    except Refused as refused:
        # What follows is meant for the other database.
        raise SqlError(*(one._replace(line=statement.line) for one in refused.messages), aborts=True) from None
    before, state.database = state.database, found.name
    yield DatabaseChanged(found.name, before)
    yield Message(5701, f"Changed database context to '{found.name}'.", 0, 1, statement.line)
    yield run.end()


def combined(operator: str, cell: Cell, given: Value, given_type: SqlType) -> Value:
    """Give what a variable has after an assignment such as = or +=."""
    if operator == "=":
        return convert(given, given_type, cell.type)
    sign = operator[0]
    result = operators.result_type(sign, cell.type, given_type)
    left = convert(cell.value, cell.type, operators.operand_type(sign, cell.type, result))
    right = convert(given, given_type, operators.operand_type(sign, given_type, result))
    if left is None or right is None:
        return None
    return convert(operators.compute(sign, left, right, result), result, cell.type)


def _assign(run: Run, statement: does.Assign) -> Iterator[Answer]:
    cell = run.cell(statement.variable, statement.line)
    computed = value(statement.expression, run.scope)
    cell.value = combined(statement.operator, cell, computed.run(Frame()), computed.type)
    run.end(1)
    yield run.end()


def _declare(run: Run, statement: does.Declare) -> Iterator[Answer]:
    for declaration in statement.declarations:
        if declaration.table is not None:
            key = declaration.name.lower()
            run.state.table_variables[key] = MemoryTable(declaration.table.definition)
            run.state.defaults[key] = {name.lower(): default for name, default in declaration.table.defaults}
            continue
        cell = Cell(declaration.type)
        run.variables[declaration.name.lower()] = cell
        if declaration.value is not None:
            computed = value(declaration.value, run.scope)
            cell.value = convert(computed.run(Frame()), computed.type, cell.type)
    yield from ()


def _set(run: Run, statement: does.SetOptions) -> Iterator[Answer]:
    for name in statement.names:
        _set_one(run, name, statement)
    yield run.end()


@cache
def _options() -> dict[str, str]:
    """Give the options of SET: switch (ON or OFF), number or word."""
    return {line["option"]: line["kind"] for line in shipped("vdi_conformance.sqlserver.language", "set_options.tsv")}


def _set_one(run: Run, name: str, statement: does.SetOptions) -> None:
    state, wanted = run.state, statement.value.upper()
    if statement.table is not None:
        _set_identity(run, statement)
        return
    kind = _options().get(name)
    if kind is None:
        raise fault(195, name, "SET option", line=statement.line)
    if kind == "switch" and wanted not in ("ON", "OFF"):
        raise fault(102, statement.value, line=statement.line)
    if kind == "number":
        state.globals["LIMIT" if name == "ROWCOUNT" else name] = _number(run, statement)
    if name == "ANSI_DEFAULTS":
        state.options.update(dict.fromkeys(_DEFAULTS, wanted))
    state.options[name] = wanted


def _number(run: Run, statement: does.SetOptions) -> int:
    given = statement.value
    if given.startswith("@"):
        cell = run.cell(given, statement.line)
        return int(str(convert(cell.value, cell.type, INT) or 0))
    if not given.lstrip("-").isdigit():
        raise fault(102, given, line=statement.line)
    return int(given)


def _set_identity(run: Run, statement: does.SetOptions) -> None:
    """IDENTITY_INSERT is on for one table at the most."""
    assert statement.table is not None
    name = statement.table.last.lower()
    if statement.value.upper() != "ON":
        run.state.identity_insert = ""
        return
    run.state.rows_of(statement.table)
    if run.state.identity_insert not in ("", name):
        raise fault(8107, run.state.identity_insert)
    run.state.identity_insert = name


def _transaction(run: Run, statement: does.Transaction) -> Iterator[Answer]:
    state, before = run.state, run.state.transaction
    if statement.action == "BEGIN":
        state.begin()
    elif statement.action == "COMMIT":
        state.commit()
    elif statement.action == "ROLLBACK":
        state.roll_back()
    elif not state.in_transaction:
        raise fault(628)
    yield from run.transaction_changes(before, committed=statement.action == "COMMIT")
    yield run.end()


def _session_number(run: Run, expression: Expression) -> int:
    found: int | None = run.evaluate(expression, INT)
    if found is None or found < 1:
        raise fault(6101, found)
    return found


def _kill(run: Run, statement: does.Kill) -> Iterator[Answer]:
    number = _session_number(run, statement.session)
    if number == run.state.session_id:
        raise fault(6104)
    if not run.state.shared.end_session(number):
        raise fault(6106, number)
    yield run.end()


def _maintain(run: Run, statement: does.Maintenance) -> Iterator[Answer]:
    if statement.name != "CHECKPOINT":
        yield _DBCC_DONE._replace(line=statement.line)
    yield run.end()


HANDLERS: Final[dict[type, Handler]] = {
    does.Use: use,
    does.Assign: _assign,
    does.Declare: _declare,
    does.SetOptions: _set,
    does.Transaction: _transaction,
    does.Kill: _kill,
    does.Maintenance: _maintain,
}
