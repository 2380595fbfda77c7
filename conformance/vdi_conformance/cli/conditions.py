"""`vdi-conformance conditions`: the axes along which sets differ, how far their pairs are covered, one combination."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from vdi_conformance.cli import values
from vdi_conformance.cli.output import show
from vdi_conformance.cli.refusal import unknown
from vdi_conformance.cli.requirements import FORMATS, JSON, TEXT
from vdi_conformance.conditions import axes, combinations, constraints, triples
from vdi_conformance.conditions.coverage import Coverage, coverage, coverage_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.conditions import Combination


def conditions(
    combination: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            autocompletion=values.completing(lambda: [one.id for one in combinations()]),
            help="Show this one, such as scripted-017.",
        ),
    ] = None,
    format: Annotated[str, values.format_of(*FORMATS)] = TEXT,
) -> None:
    """List the conditions under which sharing is tried.

    Processes share buffers. Every pair of values that can go together is tried by a check of
    GBH/sharing_holds_under_conditions, for each server level; what cannot go together has its reason.
    """
    known = {one.id: one for one in combinations()}
    if combination is not None and combination.lower() not in known:
        raise unknown("combination", combination, known)
    if format == JSON:
        chosen = [one for one in known.values() if combination in (None, one.id)]
        typer.echo(json.dumps(summary() | {"combinations": [entry(one) for one in chosen]}, indent=2))
        return
    show(overview() if combination is None else details(known[combination.lower()]))


def summary() -> dict[str, Any]:
    """Lay out axes and coverage for JSON."""
    pairs, threes = _counted()
    return {
        "axes": {axis.name: {value.name: value.where for value in axis.values} for axis in axes()},
        "pairs": {"possible": len(pairs.possible), "covered": len(pairs.possible) - len(pairs.missing)},
        "triples": {"possible": len(threes.possible), "covered": len(threes.possible) - len(threes.missing)},
        "excluded": dict(Counter(reason for _, reason in pairs.excluded)),
    }


def entry(combination: Combination) -> dict[str, Any]:
    """Lay out one combination for JSON."""
    return {"id": combination.id, "values": dict(combination.values)}


def overview() -> Iterator[Text]:
    """Give the axes and how far they are covered, line by line."""
    for axis in axes():
        yield Text(axis.name, "bold")
        for value in axis.values:
            yield Text(f"  {value.name}: {value.where} ({value.source})")
    pairs, threes = _counted()
    yield Text()
    yield Text(f"{len(combinations())} combinations, for each server level by itself:")
    yield Text(f"  pairs of values: {_shares(pairs)}")
    yield Text(f"  triples of {', '.join(triples())}: {_shares(threes)}")
    yield Text("Pairs that are excluded, by what excludes them:")
    for reason, count in Counter(reason for _, reason in pairs.excluded).most_common():
        yield Text(f"  {count}: {reason}")
    for missing in (*pairs.missing, *threes.missing):
        yield Text(f"  MISSING {', '.join(map(str, missing))}", "bold red")


def details(combination: Combination) -> Iterator[Text]:
    """Give one combination in words, and how to run it."""
    yield Text(combination.id, "bold")
    for axis in axes():
        value = axis.value(combination.values[axis.name])
        yield Text(f"  {value}: {value.where}")
    check = f"GBH/sharing_holds_under_conditions[{combination.id}]"
    yield Text(f"  vdi-conformance run --adapter REF --check '{check}'", "dim", no_wrap=True)


def _counted() -> tuple[Coverage, Coverage]:
    shipped = axes(), constraints(), combinations()
    return coverage(2, *shipped), coverage_of(3, triples(), *shipped)


def _shares(counted: Coverage) -> str:
    possible, missing = len(counted.possible), len(counted.missing)
    return f"{possible} can be, {possible - missing} are covered, {len(counted.excluded)} are excluded"
