"""Why a history fits no order: which call is to blame, what it might have given, and the fewest calls that show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vdi_conformance.histories.search import HARMLESS, find_order, parts
from vdi_conformance.histories.specification import permitted
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.histories.specification import Known


@dataclass(frozen=True)
class Violation:
    """The fewest `calls` that fit no order, and those of the whole history that overlap the one to blame.

    `blamed` is the call with which all would fit had it given one of `instead`; None where more than one is wrong.
    """

    calls: tuple[HistoryCall, ...]
    blamed: HistoryCall | None
    instead: tuple[str, ...]
    meanwhile: tuple[HistoryCall, ...]


def find_violation(
    initial: Sequence[Known],
    calls: Sequence[HistoryCall],
    preferred: Callable[[HistoryCall], bool] = lambda _: False,
) -> Violation | None:
    """Give what is wrong with a history; None where some order of it is permitted.

    Where each of several calls may be the wrong one, one that is `preferred` is to blame, else the last to end.
    """
    wrong = next((part for part in parts(initial, calls) if find_order(initial, part) is None), None)
    if wrong is None:
        return None
    considered = _with_one_suspect(initial, wrong)
    suspects = _suspects(initial, considered)
    suspects.sort(key=lambda call: (preferred(call), call.end), reverse=True)
    blamed = suspects[0] if suspects else None
    shown = _shortened(initial, considered, blamed)
    instead = _instead(initial, shown, blamed) if blamed else ()
    meanwhile = tuple(call for call in calls if blamed and call.overlaps(blamed) and call not in shown)
    return Violation(tuple(shown), blamed, instead, meanwhile)


def _suspects(initial: Sequence[Known], calls: list[HistoryCall]) -> list[HistoryCall]:
    """Give each call with which all would fit, had it given something else."""
    return [call for place, call in enumerate(calls) if find_order(initial, calls, otherwise=place) is not None]


def _with_one_suspect(initial: Sequence[Known], calls: list[HistoryCall]) -> list[HistoryCall]:
    """Leave out wrong calls until one alone is wrong, as far as these changed nothing that others depend on."""
    while not _suspects(initial, calls):
        for call in calls:
            rest = [one for one in calls if one is not call]
            left_out = call.act in HARMLESS or call.code != NOERROR
            if rest and left_out and find_order(initial, rest) is None:
                calls = rest
                break
        else:
            return calls
    return calls


def _shortened(initial: Sequence[Known], calls: list[HistoryCall], blamed: HistoryCall | None) -> list[HistoryCall]:
    """Leave out each call without which the history is as wrong as with it, and for the same reason."""
    for call in reversed(calls[:]):
        rest = [one for one in calls if one is not call]
        if call is not blamed and rest and _is_as_wrong(initial, rest, blamed):
            calls = rest
    return calls


def _is_as_wrong(initial: Sequence[Known], calls: list[HistoryCall], blamed: HistoryCall | None) -> bool:
    if find_order(initial, calls) is not None:
        return False
    return blamed is None or find_order(initial, calls, otherwise=calls.index(blamed)) is not None


def _instead(initial: Sequence[Known], calls: list[HistoryCall], blamed: HistoryCall) -> tuple[str, ...]:
    """Name what the call might have given, in whichever place of an order it had come."""
    order = find_order(initial, calls, otherwise=calls.index(blamed))
    if order is None:
        return ()
    place = order.places.index(calls.index(blamed))
    return permitted(order.states[place].model, blamed).names
