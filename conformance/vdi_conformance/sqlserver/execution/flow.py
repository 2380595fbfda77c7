"""What decides which statements run: IF, WHILE, blocks, TRY and CATCH."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.execution.run import Caught, Left
from vdi_conformance.sqlserver.language import instructions as does

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.tds.answers import Answer


def _if(run: Run, statement: does.If) -> Iterator[Answer]:
    chosen = statement.then if run.test(statement.condition) else statement.otherwise
    if chosen is not None:
        yield from run.statement(chosen)


def _while(run: Run, statement: does.While) -> Iterator[Answer]:
    while run.test(statement.condition):
        run.state.look_up()
        try:
            yield from run.statement(statement.body)
        except Left as left:
            if left.how == "BREAK":
                return
            if left.how == "RETURN":
                raise


def _block(run: Run, statement: does.Block) -> Iterator[Answer]:
    yield from run.statements(statement.statements)


def _try(run: Run, statement: does.Try) -> Iterator[Answer]:
    run.tries += 1
    try:
        yield from run.statements(statement.tried)
        return
    except Caught as caught:
        message = caught.message
    finally:
        run.tries -= 1
    before = run.state.caught
    run.state.caught = message
    try:
        yield from run.statements(statement.caught)
    finally:
        run.state.caught = before


def _leave(run: Run, statement: does.Leave) -> Iterator[Answer]:
    raise Left(statement.how)


HANDLERS: Final[dict[type, Handler]] = {
    does.If: _if,
    does.While: _while,
    does.Block: _block,
    does.Try: _try,
    does.Leave: _leave,
}
