"""Why a history fits no order: which call is to blame, what it might have given, and the fewest calls that show it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from vdi_conformance.histories.search import HARMLESS, find_order, find_orders, parts
from vdi_conformance.histories.specification import permitted
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.histories.specification import Known

    Calls = list[HistoryCall]

MOST_WRONG: Final = 3
"""So many wrong calls are told apart in one history."""


@dataclass(frozen=True)
class Violation:
    """The fewest `calls` that fit no order, and those of the whole history that overlap the one to blame.

    `blamed` is the call with which all would fit had it given one of `instead`, and perhaps a few others another code
    too; None where still more is wrong. `sent` says on which device each command was sent.
    """

    calls: tuple[HistoryCall, ...]
    blamed: HistoryCall | None
    instead: tuple[str, ...]
    meanwhile: tuple[HistoryCall, ...]
    sent: Mapping[int, int]


def find_violation(
    initial: Sequence[Known],
    calls: Sequence[HistoryCall],
    preferred: Callable[[HistoryCall], bool] = lambda _: False,
) -> Violation | None:
    """Give what is wrong with a history; None where some order of it is permitted.

    Where each of several calls may be the wrong one, one that is `preferred` is to blame, else the last to end.
    """
    unfit = next((part for part in parts(initial, calls) if find_order(initial, part) is None), None)
    if unfit is None:
        return None
    considered, wrong = _wrong_ones(initial, unfit, preferred)
    shown = _shortened(initial, considered, wrong)
    blamed = wrong[0] if wrong else None
    instead = _instead(initial, considered, wrong) if wrong else ()
    meanwhile = tuple(call for call in calls if blamed and call.overlaps(blamed) and call not in shown)
    return Violation(tuple(shown), blamed, instead, meanwhile, _sent(initial[0], calls))


def _sent(initial: Known, calls: Sequence[HistoryCall]) -> Mapping[int, int]:
    known = {command.tag: device.index for of in initial.model.sets for device in of.devices for command in device.sent}
    return known | {call.tag: call.what for call in calls if call.act == "send" and call.tag is not None}


def _wrong_ones(
    initial: Sequence[Known], calls: Calls, preferred: Callable[[HistoryCall], bool]
) -> tuple[Calls, Calls]:
    """Give a history in which as few calls as possible are wrong, and these; the one to blame comes first."""
    considered = _with_one_wrong(initial, calls, preferred)
    for number in range(1, MOST_WRONG + 1):
        found = [[*some] for some in combinations(considered, number) if _fits_without(initial, considered, some)]
        if found:
            for some in found:
                some.sort(key=lambda call: (preferred(call), call.end), reverse=True)
            return considered, max(found, key=lambda some: (preferred(some[0]), some[0].end))
    return considered, []


def _fits_without(initial: Sequence[Known], calls: Calls, wrong: Iterable[HistoryCall]) -> bool:
    """Tell whether all would fit, had these given something else."""
    return find_order(initial, calls, otherwise=[calls.index(call) for call in wrong]) is not None


def _with_one_wrong(initial: Sequence[Known], calls: Calls, preferred: Callable[[HistoryCall], bool]) -> Calls:
    """Leave out wrong calls until one alone is wrong, as far as these changed nothing that others depend on.

    Those that are preferred stay longest.
    """
    while not any(_fits_without(initial, calls, [call]) for call in calls):
        for call in sorted(calls, key=preferred):
            rest = [one for one in calls if one is not call]
            left_out = call.act in HARMLESS or call.code != NOERROR
            if rest and left_out and find_order(initial, rest) is None:
                calls = rest
                break
        else:
            return calls
    return calls


def _shortened(initial: Sequence[Known], calls: Calls, wrong: Calls) -> Calls:
    """Leave out each call without which the history is as wrong as with it, and for the same reason."""
    for call in reversed(calls[:]):
        rest = [one for one in calls if one is not call]
        if call not in wrong and rest and find_order(initial, rest) is None and _fits_without(initial, rest, wrong):
            calls = rest
    return calls


def _instead(initial: Sequence[Known], calls: Calls, wrong: Calls) -> tuple[str, ...]:
    """Name what the call to blame might have given, wherever in an order it had come."""
    places = [calls.index(call) for call in wrong]
    names: dict[str, None] = {}
    for order in find_orders(initial, calls, otherwise=places):
        before = order.states[order.places.index(places[0])]
        names |= dict.fromkeys(permitted(before.model, wrong[0]).names)
    return tuple(names)
