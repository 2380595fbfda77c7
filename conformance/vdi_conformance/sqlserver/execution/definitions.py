"""CREATE, ALTER and DROP DATABASE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.seam import ModifyName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.execution.run import Handler, Run
    from vdi_conformance.tds.answers import Answer


def _create(run: Run, statement: does.CreateDatabase) -> Iterator[Answer]:
    instance, asker = run.state.instance, run.state.asker()
    told = instance.create_database(statement.name, statement.files, statement.collation, asker)
    yield from run.relay(iter(told), statement.line)
    yield run.end()


def _alter(run: Run, statement: does.AlterDatabase) -> Iterator[Answer]:
    state = run.state
    for change in statement.changes:
        name = statement.name or state.database
        yield from run.relay(iter(state.instance.alter_database(name, change, state.asker())), statement.line)
        if isinstance(change, ModifyName) and name.lower() == state.database.lower():
            state.database = change.new_name
    yield run.end()


def _drop(run: Run, statement: does.DropDatabases) -> Iterator[Answer]:
    instance = run.state.instance
    for name in statement.names:
        if statement.if_exists and instance.database(name) is None:
            continue
        yield from run.relay(iter(instance.drop_database(name, run.state.asker())), statement.line)
    yield run.end()


HANDLERS: Final[dict[type, Handler]] = {
    does.CreateDatabase: _create,
    does.AlterDatabase: _alter,
    does.DropDatabases: _drop,
}
