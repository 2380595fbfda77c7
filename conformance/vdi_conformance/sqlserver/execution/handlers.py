"""Which function runs which kind of statement."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.execution import (
    backups,
    calls,
    changes,
    cursors,
    definitions,
    flow,
    selects,
    settings,
    talk,
)

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.execution.run import Handler
    from vdi_conformance.sqlserver.language.instructions import Instruction


@cache
def _handlers() -> dict[type, Handler]:
    """Put the functions of all modules together."""
    found: dict[type, Handler] = {}
    for module in (backups, calls, changes, cursors, definitions, flow, selects, settings, talk):
        found.update(module.HANDLERS)
    return found


def handler_of(statement: Instruction) -> Handler:
    """Give the function that runs a statement."""
    return _handlers()[type(statement)]
