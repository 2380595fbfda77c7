"""Procedures of the server: by name, with their parameters; what each does is in procedures_*.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.values import convert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.sqlserver.state import SessionState
    from vdi_conformance.tds.answers import Answer, SqlType, Value

_MODULES: Final = (
    "procedures_backups",
    "procedures_drivers",
    "procedures_locks",
    "procedures_registry",
    "procedures_sessions",
)
_SCHEMAS: Final = ("", "dbo", "sys")


class Parameter(NamedTuple):
    """A parameter of a procedure: with its @, and whether it must be given, or may give something back."""

    name: str
    type: SqlType
    default: Value = None
    is_required: bool = False
    is_output: bool = False


class Given(NamedTuple):
    """An argument as EXEC has it: the name of the parameter (or none), and the variable that it comes from."""

    name: str
    type: SqlType
    value: Value
    is_output: bool
    variable: str | None


@dataclass
class Argument:
    """The argument for one parameter, whose value a procedure may replace."""

    type: SqlType
    value: Value
    given: Given | None


@dataclass
class Call:
    """A procedure while it runs: who called it with what, and the status that it returns."""

    state: SessionState
    arguments: dict[str, Argument]
    status: int = field(default=0)

    def __getitem__(self, name: str) -> Any:
        """Give the value of a parameter."""
        return self.arguments[name].value

    def was_given(self, name: str) -> bool:
        """Tell whether an argument was given for a parameter."""
        return self.arguments[name].given is not None

    def give_back(self, name: str, value: Value) -> None:
        """Set the value of a parameter for the caller."""
        self.arguments[name].value = value


class Procedure(NamedTuple):
    """A procedure."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[[Call], Iterator[Answer]]


REGISTRY: Final[dict[str, Procedure]] = {}


def procedure(*names: str, parameters: Sequence[Parameter] = ()) -> Callable[[Any], Any]:
    """Enter what follows under one or several names."""

    def enter(run: Callable[[Call], Iterator[Answer]]) -> Callable[[Call], Iterator[Answer]]:
        for name in names:
            REGISTRY[name] = Procedure(name, tuple(parameters), run)
        return run

    return enter


@cache
def _procedures() -> dict[str, Procedure]:
    """Give every procedure that there is."""
    for module in _MODULES:
        import_module(f"{__package__}.{module}")
    return REGISTRY


def find(name: Name) -> Procedure:
    """Find a procedure, whichever database it is called in, or raise 2812."""
    found = _procedures().get(name.last.lower())
    schema = name.parts[-2].lower() if len(name.parts) > 1 else ""
    if found is None or schema not in _SCHEMAS or len(name.parts) > 3:
        raise fault(2812, name.written, line=name.line)
    return found


def bound(found: Procedure, given: Sequence[Given]) -> dict[str, Argument]:
    """Give each parameter its argument, by name or by place (201, 8144, 8145, 8162)."""
    by_name = {parameter.name.lower(): parameter for parameter in found.parameters}
    arguments: dict[str, Argument] = {}
    for place, one in enumerate(given):
        if one.name:
            parameter = by_name.get(one.name.lower())
            if parameter is None:
                raise fault(8145, found.name, one.name)
        elif place < len(found.parameters):
            parameter = found.parameters[place]
        else:
            raise fault(8144, found.name)
        if one.is_output and not parameter.is_output:
            raise fault(8162, parameter.name)
        arguments[parameter.name] = Argument(parameter.type, convert(one.value, one.type, parameter.type), one)
    for parameter in found.parameters:
        if parameter.name not in arguments:
            if parameter.is_required:
                raise fault(201, found.name, parameter.name)
            arguments[parameter.name] = Argument(parameter.type, parameter.default, None)
    return arguments
