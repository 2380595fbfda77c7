"""EXEC: procedures of the server, and texts that are batches of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.execution.run import DEEPEST, Left, Run
from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.checking import checked
from vdi_conformance.sqlserver.language.expressions import Frame, value
from vdi_conformance.sqlserver.language.faults import SqlError, fault
from vdi_conformance.sqlserver.language.parsing import parse
from vdi_conformance.sqlserver.language.sqltypes import INT, NVARCHAR_MAX
from vdi_conformance.sqlserver.language.surroundings import Cell
from vdi_conformance.sqlserver.language.values import convert
from vdi_conformance.sqlserver.procedures import Call, Given, bound, find
from vdi_conformance.tds.answers import DatabaseChanged, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.sqlserver.execution.run import Handler
    from vdi_conformance.sqlserver.language.instructions import Declaration
    from vdi_conformance.tds.answers import Answer

_OUTPUT: Final = re.compile(r"\s+OUT(?:PUT)?\b(?=\s*(?:,|$))", re.IGNORECASE)
_EXECUTESQL: Final = "sp_executesql"


def _text(run: Run, statement: does.ExecuteText) -> Iterator[Answer]:
    yield from inner(run, run.text(statement.text) or "", {})


def inner(run: Run, text: str, variables: dict[str, Cell]) -> Iterator[Answer]:
    """Run a text as a batch within a batch: with variables of its own, and back in the database of before."""
    state = run.state
    try:
        statements = checked(text, state.is_on("QUOTED_IDENTIFIER"), variables)
    except SqlError as error:
        raise SqlError(*error.messages) from None
    if state.globals["NESTLEVEL"] >= DEEPEST:
        raise fault(217, DEEPEST)
    before = state.database, state.table_variables
    state.globals["NESTLEVEL"] += 1
    state.table_variables = {}
    try:
        yield from Run(state, variables, run.tries).statements(statements)
    except Left:
        pass
    finally:
        state.globals["NESTLEVEL"] -= 1
        there = state.database
        state.database, state.table_variables = before
    if there != state.database:
        yield DatabaseChanged(state.database, there)
        yield StatementEnd()


def _execute(run: Run, statement: does.Execute) -> Iterator[Answer]:
    name = statement.procedure
    called = tree.Name(tuple((run.text(name) or "").split(".")), name.line) if isinstance(name, tree.Variable) else name
    given = [_given(run, argument) for argument in statement.arguments]
    if called.last.lower() == _EXECUTESQL:
        yield from _executesql(run, given, statement)
        return
    procedure = find(called)
    call = Call(run.state, bound(procedure, given))
    answers = procedure.run(call)
    failed = False
    for answer in run.relay(answers, statement.line):
        failed = failed or (isinstance(answer, StatementEnd) and answer.failed)
        yield answer
    _give_back(run, statement, given, call)
    if statement.result:
        run.assign(statement.result, call.status, INT, statement.line)
    if not failed:
        yield run.end()


def _given(run: Run, argument: does.Argument) -> Given:
    computed = value(argument.value, run.scope)
    variable = argument.value.name if isinstance(argument.value, tree.Variable) else None
    return Given(argument.name, computed.type, computed.run(Frame()), argument.is_output, variable)


def _give_back(run: Run, statement: does.Execute, given: Sequence[Given], call: Call) -> None:
    """Store what a procedure gives back in the variables that were named OUTPUT."""
    for name, argument in call.arguments.items():
        for one in given:
            if one is argument.given and one.is_output and one.variable:
                run.assign(one.variable, call.arguments[name].value, argument.type, statement.line)


def declarations_of(text: str) -> tuple[Declaration, ...]:
    """Read the declarations of sp_executesql's parameters."""
    if not text.strip():
        return ()
    (found,) = parse(f"DECLARE {_OUTPUT.sub('', text)}")
    if not isinstance(found, does.Declare):
        raise fault(102, text[:64])
    return found.declarations


def _executesql(run: Run, given: Sequence[Given], statement: does.Execute) -> Iterator[Answer]:
    """Run a text whose parameters are variables, and give back those that are named OUTPUT."""
    if not given:
        raise fault(201, _EXECUTESQL, "@stmt")
    text, declared, *values = (*given, Given("", NVARCHAR_MAX, "", False, None)) if len(given) == 1 else given
    cells = {one.name.lower(): Cell(one.type) for one in declarations_of(str(declared.value or ""))}
    places = list(cells)
    taken = []
    for place, one in enumerate(values):
        name = one.name.lower() or (places[place] if place < len(places) else "")
        if name not in cells:
            raise fault(8144, _EXECUTESQL)
        cells[name].value = convert(one.value, one.type, cells[name].type)
        taken.append((name, one))
    for name in places:
        if name not in (known for known, _ in taken):
            raise fault(201, _EXECUTESQL, name)
    yield from inner(run, str(text.value or ""), cells)
    for name, one in taken:
        if one.is_output and one.variable:
            run.assign(one.variable, cells[name].value, cells[name].type, statement.line)
    if statement.result:
        run.assign(statement.result, 0, INT, statement.line)


HANDLERS: Final[dict[type, Handler]] = {does.Execute: _execute, does.ExecuteText: _text}
