"""Concurrent calls: let go at the same moment, in one process or in several."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.harness.expectations import PendingAnswer
    from vdi_conformance.harness.memory import ProcessMemory

SETS: Final = 12
"""So often calls are made concurrently on sets that a server configures."""
A_WHILE: Final = 2_000
"""So many milliseconds, before scaling, a call waits that a concurrent one is bound to wake."""


def concurrently(
    turn: int, processes: Sequence[ProcessMemory], *starts: Callable[[], PendingAnswer[Any, Any]]
) -> list[Any]:
    """Start calls of these processes at the same moment; give their answers, in the order in which they stand here.

    Each turn another one is let go first, and every four turns another process, since those often come first.
    """
    return [later.result() for later in let_go(turn, processes, starts)]


def let_go(
    turn: int, processes: Sequence[ProcessMemory], starts: Sequence[Callable[[], PendingAnswer[Any, Any]]]
) -> list[PendingAnswer[Any, Any]]:
    """Start calls of these processes at the same moment, in the order of `concurrently`; none is waited for."""
    first = turn % len(starts)
    under_way: dict[int, PendingAnswer[Any, Any]] = {}
    with ExitStack() as stack:
        for process in processes if turn // 4 % 2 else reversed(processes):
            stack.enter_context(process.host.concurrently())
        for place in [*range(first, len(starts)), *range(first)]:
            under_way[place] = starts[place]()
    return [under_way[place] for place in range(len(starts))]
