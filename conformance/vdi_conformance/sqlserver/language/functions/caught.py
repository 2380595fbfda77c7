"""Functions that tell of the error that a CATCH block is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.functions.registry import function
from vdi_conformance.sqlserver.language.sqltypes import INT, SYSNAME
from vdi_conformance.tds.answers import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Message, Value

_TOLD: Final[dict[str, tuple[SqlType, Callable[[Message], Value]]]] = {
    "ERROR_NUMBER": (INT, lambda message: message.number),
    "ERROR_SEVERITY": (INT, lambda message: message.severity),
    "ERROR_STATE": (INT, lambda message: message.state),
    "ERROR_LINE": (INT, lambda message: message.line),
    "ERROR_MESSAGE": (SqlType("nvarchar", 4000), lambda message: message.text),
    "ERROR_PROCEDURE": (SYSNAME, lambda message: message.procedure or None),
}


def _enter(name: str) -> None:
    result, told = _TOLD[name]

    @function(name, 0)
    def make(arguments: Sequence[Computed], session: Surroundings) -> Computed:
        return Computed(result, lambda frame: None if session.caught is None else told(session.caught))


for _name in _TOLD:
    _enter(_name)


@function("XACT_STATE", 0)
def _state(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    return Computed(INT, lambda frame: int(session.globals["TRANCOUNT"] > 0))
