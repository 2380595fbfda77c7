"""The search for the first call that no order explains: that of Wing and Gong, as `histories` has it, over a check.

Calls are taken in the order in which they ended. Before each of them, calls that were under way may have taken effect;
what cannot have is found where no way leads past its end.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.explanation.situation import Situation
    from vdi_conformance.explanation.trace import Operation

MOST: Final = 1_000
"""So many places are looked at, beside one for each call, before a search gives up."""

Following = tuple[list["Situation"], tuple[str, ...]]
"""The situations that a call may lead to, and what it might have given where it leads to none."""


class Blocked(NamedTuple):
    """The first call that cannot have given what it gave, and what it might have given."""

    operation: Operation
    permitted: tuple[str, ...]


class _Node(NamedTuple):
    """How many calls have ended, which others have taken effect, and where that has led."""

    ended: int
    early: frozenset[int]
    situation: Situation


def first_blocked(
    first: Situation, made: Sequence[Operation], follow: Callable[[Situation, Operation], Following]
) -> Blocked | None:
    """Give the first call that no order explains; None where there is none, or none is found in time."""
    return _Search(made, follow).run(first)


class _Search:
    def __init__(self, made: Sequence[Operation], follow: Callable[[Situation, Operation], Following]) -> None:
        self._made = made
        self._follow = follow
        self._ends = sorted((one for one in made if one.end < math.inf), key=lambda one: (one.end, one.place))
        self._order = {one.place: rank for rank, one in enumerate(self._ends)}
        self._before = _before(made)
        self._beside: dict[int, list[Operation]] = {}
        self._seen: set[tuple[int, frozenset[int], object]] = set()
        self._furthest = -1
        self._permitted: dict[str, None] = {}

    def run(self, first: Situation) -> Blocked | None:
        """Go on where the first way leads, and come back to another one where it leads no further."""
        ways = [iter([_Node(0, frozenset(), first)])]
        looked = 0
        while ways:
            node = next(ways[-1], None)
            if node is None:
                ways.pop()
                continue
            node = self._past_what_has_come(node)
            if node.ended == len(self._ends):
                return None
            # Until a way has led nowhere, each place is new.
            if self._furthest >= 0 and not self._is_new(node):
                continue
            looked += 1
            if looked > MOST + len(self._ends):
                return None
            ways.append(self._next(node))
        return Blocked(self._ends[self._furthest], tuple(self._permitted))

    def _past_what_has_come(self, node: _Node) -> _Node:
        ended, early = node.ended, node.early
        while ended < len(self._ends) and self._ends[ended].place in early:
            early = early - {self._ends[ended].place}
            ended += 1
        return _Node(ended, early, node.situation)

    def _is_new(self, node: _Node) -> bool:
        key = (node.ended, node.early, node.situation.key)
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _next(self, node: _Node) -> Iterator[_Node]:
        """Let the call that ends next take effect, or first another that is under way."""
        ending = self._ends[node.ended]
        yield from self._after(node, ending)
        for operation in self._under_way(node, ending):
            further = [*self._after(node, operation)]
            yield from further
            if further and all(_same(one.situation, node.situation) for one in further):
                # What changes nothing may come at once: all else stays as possible as it was.
                return

    def _after(self, node: _Node, operation: Operation) -> Iterator[_Node]:
        if not self._is_next_of_its_lane(node, operation):
            return
        situations, permitted = self._follow(node.situation, operation)
        if not situations:
            self._note(node, operation, permitted)
        for situation in situations:
            yield _Node(node.ended, node.early | {operation.place}, situation)

    def _under_way(self, node: _Node, ending: Operation) -> list[Operation]:
        """Give what began before a call ended, and has not taken effect; who ended first most likely came first."""
        if node.ended not in self._beside:
            found = (one for one in self._made if one.begin < ending.end and self._rank(one.place) > node.ended)
            self._beside[node.ended] = sorted(found, key=lambda one: one.end)
        return [one for one in self._beside[node.ended] if one.place not in node.early]

    def _rank(self, place: int) -> int:
        return self._order.get(place, len(self._ends))

    def _is_next_of_its_lane(self, node: _Node, operation: Operation) -> bool:
        before = self._before[operation.place]
        if before is None or before in node.early:
            return True
        return self._rank(before) < node.ended

    def _note(self, node: _Node, operation: Operation, permitted: tuple[str, ...]) -> None:
        if operation is not self._ends[node.ended] or node.ended < self._furthest:
            return
        if node.ended > self._furthest:
            self._furthest = node.ended
            self._permitted.clear()
        self._permitted |= dict.fromkeys(permitted)


def _same(one: Situation, other: Situation) -> bool:
    return one is other or one.key == other.key


def _before(made: Sequence[Operation]) -> dict[int, int | None]:
    """Name for each call the one before it on its thread."""
    last: dict[tuple[str, str], int] = {}
    before = {}
    for one in made:
        before[one.place] = last.get(one.lane)
        last[one.lane] = one.place
    return before
