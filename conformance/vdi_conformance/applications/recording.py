"""Takes what the broker and judging servers tell, from their threads, and hands it on in one order on one clock."""

from __future__ import annotations

import itertools
import threading
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.applications.events import (
    BufferMisuse,
    Call,
    Departure,
    ObjectKey,
    Place,
    ReadBehind,
    ReadLook,
    Stopped,
    Streams,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.applications.events import Event
    from vdi_conformance.applications.streams import StreamTrace
    from vdi_conformance.emulator.state import CallAnswer

BACKUPS: Final = 64
"""So many of the last BACKUPs are known to a RESTORE."""


class Recording:
    """An observer of one broker, and what its judging servers report to; `take` is given every event.

    `trouble` is the traceback of what has ended the recording before its time, mostly empty.
    """

    def __init__(self, take: Callable[[Event], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._take = take
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._fills = itertools.count(1)
        self._labels = itertools.count(1)
        self._connections: dict[object, tuple[int, int]] = {}
        self._under_way: dict[object, tuple[int, ObjectKey, str, tuple[Any, ...], float]] = {}
        self._backups: deque[Streams] = deque(maxlen=BACKUPS)
        self._stopped = False
        self.trouble = ""

    def _now(self) -> float:
        return self._clock() - self._began

    def _hand_on(self, event: Event) -> None:
        """Hand an event on; a rule that fails must not take the broker along, and ends the judgement alone."""
        if self._stopped:
            return
        try:
            self._take(event)
        except Exception:
            self._stopped = True
            self.trouble = traceback.format_exc()

    # The broker's side

    def came(self, process: int) -> None:
        """Nothing follows from that a process came."""

    def called(self, connection: object, process: int, name: str, fields: Sequence[Any]) -> None:
        """Take the beginning of a call."""
        number, *arguments = fields or (0,)
        with self._lock:
            key = ObjectKey(process, number)
            self._under_way[connection] = next(self._numbers), key, name, tuple(arguments), self._now()

    def answered(self, connection: object, answer: CallAnswer) -> None:
        """Take its end."""
        with self._lock:
            begun = self._under_way.pop(connection, None)
            if begun is None:  # it began before the recording did
                return
            number, key, name, arguments, begin = begun
            label, _ = self._connections.setdefault(connection, (next(self._labels), key.process))
            values = tuple(answer.values)
            answered, end = next(self._numbers), self._now()
            self._hand_on(Call(number, key, label, name, arguments, begin, answered, end, answer.code, values))

    def went(self, process: int) -> None:
        """Take the end of a process."""
        with self._lock:
            self._under_way = {one: call for one, call in self._under_way.items() if call[1].process != process}
            self._connections = {one: of for one, of in self._connections.items() if of[1] != process}
            self._hand_on(Departure(next(self._numbers), process, self._now()))

    def stop(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._hand_on(Stopped(self._now()))
            self._stopped = True

    # The servers' side

    def next_fill(self) -> int:
        """Number a filling of a buffer."""
        return next(self._fills)

    def misused(self, instance: str | None, name: str, device: str, code: int) -> None:
        """Take that a buffer is not as the server left it."""
        with self._lock:
            self._hand_on(BufferMisuse(Place(instance, name, device), code, self._now()))

    def looked_into(
        self, instance: str | None, name: str, device: str, reported: int, unfilled: int, silent: bool, stale: bool
    ) -> None:
        """Take what a Read gave."""
        if unfilled or silent or stale:
            with self._lock:
                self._hand_on(ReadLook(Place(instance, name, device), reported, unfilled, silent, stale))

    def read_behind(self, instance: str | None, name: str, device: str, code: int, count: int) -> None:
        """Take how a Read behind the last byte was completed."""
        with self._lock:
            self._hand_on(ReadBehind(Place(instance, name, device), code, count))

    def moved(
        self, instance: str | None, name: str, written: bool, complete: bool, devices: tuple[StreamTrace, ...]
    ) -> None:
        """Take the streams of a statement that has ended."""
        with self._lock:
            streams = Streams(Place(instance, name), written, complete, devices, self._now())
            if written and complete:
                self._backups.append(streams)
            self._hand_on(streams)

    def written_with(self, head: bytes, index: int, devices: int) -> StreamTrace | None:
        """Find what a stream that begins so is like: the last one with that beginning, or in that place."""
        with self._lock:
            return written_like(tuple(self._backups), head, index, devices)


def written_like(backups: Sequence[Streams], head: bytes, index: int, devices: int) -> StreamTrace | None:
    """Find the stream of a BACKUP by its beginning, or else by the place of its device, or give None."""
    for streams in reversed(backups):
        for trace in streams.devices:
            if trace.head == head:
                return trace
    for streams in reversed(backups):
        if len(streams.devices) == devices:
            return streams.devices[index]
    return None
