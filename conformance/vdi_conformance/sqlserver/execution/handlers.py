"""Which function runs which kind of statement."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.execution import (
    backups,
    calls,
    cursors,
    definitions,
    flow,
    inserts,
    selects,
    settings,
    table_definitions,
    talk,
    updates,
)

_MODULES: Final = (
    *(backups, calls, cursors, definitions, flow, inserts),
    *(selects, settings, table_definitions, talk, updates),
)

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.execution.run import Handler
    from vdi_conformance.sqlserver.language.instructions import Instruction


@cache
def _handlers() -> dict[type, Handler]:
    """Put the functions of all modules together."""
    return {kind: handler for module in _MODULES for kind, handler in module.HANDLERS.items()}


def handler_of(statement: Instruction) -> Handler:
    """Give the function that runs a statement."""
    return _handlers()[type(statement)]
