"""Whether some order of overlapping calls is permitted: the search of Wing and Gong, with the memory that Lowe gave it.

An order respects real time where no call comes before one that was over when it began. What a search has come to
is which calls have come and where that has led; who comes there again, by another order, need not go on from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.histories.history import predecessors
from vdi_conformance.histories.specification import Known, answered_otherwise, followed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from vdi_conformance.histories.history import HistoryCall

MOST: Final = 200_000
"""So many places are looked at before a search gives up."""
OF_A_DEVICE: Final = ("send", "get_command", "complete_command")
HARMLESS: Final = ("get_configuration", "get_buffer_handle", "map_buffer_handle")
"""What changes nothing for others."""
_NO_DEVICE: Final = -1


class Undecided(RuntimeError):
    """A history with too many orders to try them all: nothing is known of who made it."""

    def __init__(self, calls: int, places: int) -> None:
        super().__init__(
            f"the suite cannot decide whether {calls} overlapping calls fit some order: it has looked at {places} "
            "places; this says nothing about the adapter"
        )


class Order(NamedTuple):
    """An order that is permitted, as places in the history, with the state before each call and the last one."""

    places: tuple[int, ...]
    states: tuple[Known, ...]


def find_order(
    initial: Iterable[Known], calls: Sequence[HistoryCall], otherwise: Collection[int] = (), most: int = MOST
) -> Order | None:
    """Give an order that is permitted, None where there is none; Undecided where that takes too long.

    The calls at the places `otherwise` may have given anything that is permitted.
    """
    return next(find_orders(initial, calls, otherwise, most), None)


def find_orders(
    initial: Iterable[Known], calls: Sequence[HistoryCall], otherwise: Collection[int] = (), most: int = MOST
) -> Iterator[Order]:
    """Give permitted orders, one for each state that they end in."""
    return _Search(calls, otherwise, most).orders(initial)


def last_states(initial: Iterable[Known], calls: Sequence[HistoryCall], most: int = MOST) -> list[Known]:
    """Give every state that some permitted order ends in; none where there is no such order."""
    states = list(initial)
    for part in parts(states, calls):
        orders = find_orders(states, part, most=most)
        states = list({order.states[-1].key: order.states[-1] for order in orders}.values())
    return states


def parts(initial: Sequence[Known], calls: Sequence[HistoryCall]) -> list[list[HistoryCall]]:
    """Cut a history into such as have nothing to do with each other: all fits where each of them does.

    While nothing may end a set, what is done on one device means nothing to another one.
    """
    completed = {call.tag for call in calls if call.act == "complete_command"}
    independent = all(
        call.act in OF_A_DEVICE or (call.act in HARMLESS and call.tag not in completed - {None}) for call in calls
    )
    if not independent or not all(of.sound for state in initial for of in state.model.sets):
        return [list(calls)]
    cut: dict[int, list[HistoryCall]] = {}
    for call in calls:
        cut.setdefault(call.what if call.act in OF_A_DEVICE else _NO_DEVICE, []).append(call)
    return list(cut.values())


class _Search:
    """One search; the places that it has looked at stay known from one first state to the next."""

    def __init__(self, calls: Sequence[HistoryCall], otherwise: Collection[int], most: int) -> None:
        # Who ended first most likely came first.
        self._places = sorted(range(len(calls)), key=lambda place: calls[place].end)
        self._calls = calls
        self._before = predecessors(calls)
        self._otherwise = otherwise
        self._most = most
        self._seen: set[tuple[int, object]] = set()

    def orders(self, initial: Iterable[Known]) -> Iterator[Order]:
        """Give permitted orders; each of the first states may have been."""
        whole = (1 << len(self._calls)) - 1
        under_way = [(0, Order((), (one,))) for one in initial]
        while under_way:
            come, order = under_way.pop()
            if not self._is_new(come, order.states[-1]):
                continue
            if come == whole:
                yield order
                continue
            under_way += reversed(self._further(come, order))

    def _is_new(self, come: int, state: Known) -> bool:
        place = (come, state.key)
        if place in self._seen:
            return False
        self._seen.add(place)
        if len(self._seen) > self._most:
            raise Undecided(len(self._calls), self._most)
        return True

    def _further(self, come: int, order: Order) -> list[tuple[int, Order]]:
        """Give what may come next; what changes nothing comes at once: all else stays as possible as it was."""
        before = order.states[-1]
        found = []
        for place in self._places:
            if come >> place & 1 or self._before[place] & ~come:
                continue
            step = answered_otherwise if place in self._otherwise else followed
            further = [
                (come | 1 << place, Order((*order.places, place), (*order.states, state)))
                for state in step(before, self._calls[place])
            ]
            if further and all(other.states[-1].key == before.key for _, other in further):
                return further[:1]
            found += further
        return found
