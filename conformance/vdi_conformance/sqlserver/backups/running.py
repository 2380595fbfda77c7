"""A statement that takes long: it works on a thread of its own, while the session hears of it, and may cancel it."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.tds.answers import Answer

_GLANCE: Final = 0.05
"""How often it is looked whether a statement was cancelled, in seconds."""


class Job(Protocol):
    """Work that tells of itself as it goes on; its errors are told too."""

    def run(self, tell: Callable[[Answer], None]) -> None:
        """Do it."""
        ...

    def cancel(self) -> None:
        """Let it end soon; called from another thread, perhaps more than once."""
        ...


def answers(job: Job, cancelled: threading.Event) -> Iterator[Answer]:
    """Run a job, and give what it tells as that comes; it has ended when this does, however that comes."""
    told: queue.SimpleQueue[Answer | BaseException | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_run, args=(job, told), daemon=True)
    thread.start()
    was_cancelled = has_ended = False
    try:
        while True:
            if cancelled.is_set() and not was_cancelled:
                was_cancelled = True
                job.cancel()
            try:
                answer = told.get(timeout=_GLANCE)
            except queue.Empty:
                continue
            if answer is None:
                has_ended = True
                return
            if isinstance(answer, BaseException):
                raise answer
            yield answer
    finally:
        if not has_ended:
            job.cancel()
        thread.join()


def _run(job: Job, told: queue.SimpleQueue[Answer | BaseException | None]) -> None:
    try:
        job.run(told.put)
    except BaseException as error:
        told.put(error)
    told.put(None)
