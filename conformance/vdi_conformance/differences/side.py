"""One of the two that are compared: an adapter and its server, and the thread that plays sequences on them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from vdi_conformance.differences.acts import ACTS
from vdi_conformance.differences.playing import Playing
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from vdi_conformance.differences.seen import Seen
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.traces import Trace
    from vdi_conformance.harness.worker_session import Parties

CHECK: Final = "difference"
"""What names of sets and seeds follow from: the same on both sides."""
SECONDS: Final = 60.0
"""So long at most one sequence goes on."""


class Traced(NamedTuple):
    """What was seen of a sequence, all calls that it made, and how many had been made before each step."""

    seen: list[Seen]
    trace: Trace
    before: list[int]


class Side:
    """Plays sequences, each in fresh processes, in the order in which they are asked for.

    Hosts belong to the thread that starts them, so each side has one, and both play at once.
    """

    def __init__(self, parties: Parties) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="side")
        self._session = self._thread.submit(WorkerSession, parties).result()

    def play(self, steps: Sequence[Step]) -> Future[list[Seen]]:
        """Begin to play a sequence."""
        return self._thread.submit(self._play, tuple(steps))

    def play_traced(self, steps: Sequence[Step]) -> Future[Traced]:
        """Begin to play a sequence whose calls are to be judged."""
        return self._thread.submit(self._play_traced, tuple(steps))

    def _begin(self) -> Playing:
        self._session.begin(SECONDS)
        return Playing(Testbed(self._session, CHECK, seconds=SECONDS), ACTS)

    def _play(self, steps: Sequence[Step]) -> list[Seen]:
        playing = self._begin()
        try:
            return playing.play(steps)
        finally:
            playing.finish()

    def _play_traced(self, steps: Sequence[Step]) -> Traced:
        playing = self._begin()
        seen: list[Seen] = []
        before: list[int] = []
        try:
            for step in steps:
                before.append(len(playing.testbed.processes.trace().calls))
                seen.append(playing.take(step))
            return Traced(seen, playing.testbed.processes.trace(), before)
        finally:
            playing.finish()

    def close(self) -> None:
        """End every process; what was asked for and has not begun is not played any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        # The executor takes nothing more: the thread that made the session is gone when this returns.
        self._thread.shutdown(wait=True)
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
