"""Functions that choose one of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.language.expressions import Computed
from vdi_conformance.sqlserver.language.functions.registry import UNLIMITED, function
from vdi_conformance.sqlserver.language.sqltypes import INT, NULL, common
from vdi_conformance.sqlserver.language.values import sort_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.sqlserver.language.expressions import Frame
    from vdi_conformance.sqlserver.language.surroundings import Surroundings
    from vdi_conformance.tds.answers import Value


@function("ISNULL", 2)
def _isnull(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    first = arguments[0]
    result = arguments[1].type if first.type == NULL else first.type
    second = arguments[1].as_type(result)

    def run(frame: Frame) -> Value:
        found = first.run(frame)
        return second(frame) if found is None else found

    return Computed(result, run)


@function("COALESCE", 2, UNLIMITED)
def _coalesce(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    result = common(argument.type for argument in arguments)
    runs = [argument.as_type(result) for argument in arguments]
    return Computed(result, lambda frame: next((found for run in runs if (found := run(frame)) is not None), None))


@function("NULLIF", 2)
def _nullif(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    first = arguments[0]
    both = common(argument.type for argument in arguments)
    one, other = (argument.as_type(both) for argument in arguments)

    def run(frame: Frame) -> Value:
        return None if sort_key(one(frame)) == sort_key(other(frame)) else first.run(frame)

    return Computed(first.type, run)


@function("CHOOSE", 2, UNLIMITED)
def _choose(arguments: Sequence[Computed], session: Surroundings) -> Computed:
    index, choices = arguments[0].as_type(INT), arguments[1:]
    result = common(argument.type for argument in choices)
    runs = [argument.as_type(result) for argument in choices]

    def run(frame: Frame) -> Value:
        place = index(frame)
        found: Value = runs[place - 1](frame) if place is not None and 1 <= place <= len(runs) else None
        return found

    return Computed(result, run)
