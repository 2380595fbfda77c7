"""The crash points of a run: a line of figures, and heat maps of steps by processes and events; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from vdi_conformance.crash_points import axes, impossible, is_crash_point, points
from vdi_conformance.evidence.records import VERDICTS, CheckRecord, Verdict

IMPOSSIBLE: Final = "-"
UNTRIED: Final = ""
_VERDICT_SIGNS: Final[Mapping[Verdict, str]] = MappingProxyType(
    {
        "passed": "ok",
        "failed": "FAIL",
        "warning": "warn",
        "known failure": "known",
        "not applicable": "n/a",
        "not tested": "?",
        "error": "ERR",
    }
)
SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{str(verdict): sign for verdict, sign in _VERDICT_SIGNS.items()},
        "there is no such point": IMPOSSIBLE,
        "not tried in this run": "empty",
    }
)
"""What stands in a cell, for whom colours say nothing."""


class Cell(NamedTuple):
    """One crash point: how it ended, where it was tried, and the number of the cause where it has one."""

    sign: str
    verdict: Verdict | None = None
    cause: int | None = None


class Line(NamedTuple):
    """One step, and what happened there to each process in each way."""

    step: str
    about: str
    cells: tuple[Cell, ...]


class HeatMap(NamedTuple):
    """Steps by processes and events, for one operation."""

    title: str
    processes: tuple[str, ...]
    events: tuple[str, ...]
    lines: tuple[Line, ...]


Point = tuple[str, str, str, str]


def heat_maps(checks: Iterable[CheckRecord], causes: Mapping[str, int]) -> tuple[HeatMap, ...]:
    """Draw the crash points of a run, one map an operation; none where there were none. `causes` are by check."""
    tried = {_point(check): check for check in _crash_points(checks)}
    if not tried:
        return ()
    never = {_place(one.values) for one in impossible()}
    operations, steps, processes, events = axes()

    def cell(place: Point) -> Cell:
        check = tried.get(place)
        if check is None:
            return Cell(IMPOSSIBLE if place in never else UNTRIED)
        return Cell(_VERDICT_SIGNS[check.verdict], check.verdict, causes.get(check.id))

    return tuple(
        HeatMap(
            operation.name.upper(),
            tuple(process.name for process in processes.values),
            tuple(event.name for event in events.values),
            tuple(
                Line(
                    step.name,
                    step.where,
                    tuple(
                        cell((operation.name, step.name, process.name, event.name))
                        for process in processes.values
                        for event in events.values
                    ),
                )
                for step in steps.values
            ),
        )
        for operation in operations.values
        if any(place[0] == operation.name for place in tried)
    )


def account(checks: Iterable[CheckRecord]) -> str | None:
    """Say in a line how many points were tried, how they ended, and how long that took; None where there were none."""
    tried = _crash_points(checks)
    if not tried:
        return None
    counts = Counter(check.verdict for check in tried)
    ended = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    open_ones = counts["not tested"] + counts["error"]
    hung = sum(check.cause is not None and check.cause.kind == "hung" for check in tried)
    longest = max(tried, key=lambda check: check.duration)
    values = ", ".join(longest.conditions[axis.name] for axis in axes())
    return (
        f"{len(tried)} of {len(points())} crash points: {ended}; {hung} hung, {open_ones} without a "
        f"verdict; the longest took {longest.duration:.1f} s ({values}), all together "
        f"{sum(check.duration for check in tried):.0f} s"
    )


def _crash_points(checks: Iterable[CheckRecord]) -> Sequence[CheckRecord]:
    return [check for check in checks if is_crash_point(check.conditions)]


def _point(check: CheckRecord) -> Point:
    return _place(check.conditions)


def _place(values: Mapping[str, str]) -> Point:
    return values["operation"], values["step"], values["process"], values["event"]
