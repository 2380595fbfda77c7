"""Processes of a host, spoken to line by line; every wait has a limit, and nothing is left of them in the end."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

from vdi_conformance.doctor.lines import Answer, Reader, quoted
from vdi_conformance.host import pace
from vdi_conformance.host.codes import INVALID_REQUEST, PARSE_ERROR
from vdi_conformance.host.process_end import ABORT, KILL
from vdi_conformance.host.starting.spawned import PlainStarter
from vdi_conformance.host.starting.starter import Output, Started
from vdi_conformance.untrusted.printable import shown_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.process_end import Ended
    from vdi_conformance.host.spec import AdapterSpec

_NAP: Final = 0.25
_SECONDS_FOR_LAST_WORDS: Final = 2.0
_AFTER_ANOTHER: Final = 0.5
"""So many seconds an answer may come after one under a wrong id, which is taken for it otherwise."""
_TIMES_KEPT: Final = 1000
_SAID: Final = 600
_COMPLAINTS: Final = (PARSE_ERROR, INVALID_REQUEST)


class Silence(Exception):
    """A request had no answer in time, or the host said that it could not read it: `complaint` is that answer."""

    def __init__(self, method: str, seconds: float, answered: int, complaint: Answer | None = None) -> None:
        super().__init__(method)
        self.method = method
        self.seconds = seconds
        self.answered = answered
        self.complaint = complaint

    def __str__(self) -> str:
        if self.complaint is not None:
            return f"{self.method} was answered with {quoted(self.complaint.line)}, which names no request"
        before = f", after {self.answered} answers" if self.answered else ""
        return f"no answer to {self.method} within {self.seconds:g} s{before}"


class Death(Exception):
    """The process ended before it had answered."""

    def __init__(self, method: str, ended: Ended) -> None:
        super().__init__(method)
        self.method = method
        self.ended = ended

    def __str__(self) -> str:
        said = self.ended.stderr.strip()
        return f"it {self.ended} before it answered {self.method}" + (
            f", and said: {shown_end(said, _SAID)}" if said else ""
        )


class Spoken:
    """One process of a host, and what was said so far.

    `answered` counts its answers, `arrived` has their ids in the order in which they came.
    """

    def __init__(self, processes: Processes, key: int) -> None:
        self.pid: int | None = None
        self.ended: Ended | None = None
        self.answered = 0
        self.arrived: deque[int] = deque(maxlen=_TIMES_KEPT)
        self.reader = Reader()
        self._processes = processes
        self._key = key
        self._last = 0
        self._asked: dict[int, str] = {}
        self._open: set[int] = set()
        self._answers: dict[int, Answer] = {}
        self._unmatched: list[Answer] = []
        self._complaint: Answer | None = None

    def send(self, method: str, thread: str | None = None, /, **parameters: Any) -> int:
        """Send a request without waiting, and give its id."""
        number, line = self.request(method, thread, **parameters)
        self.write(line)
        return number

    def request(self, method: str, thread: str | None = None, /, **parameters: Any) -> tuple[int, bytes]:
        """Give the id and the line of a request that somebody is going to write."""
        self._last += 1
        self._asked[self._last] = method
        self._open.add(self._last)
        message = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": {"thread": thread, **parameters}}
        return self._last, json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def write(self, data: bytes) -> None:
        """Write bytes to its standard input, without waiting."""
        self._processes.starter.write(self._key, data)

    def call(self, method: str, thread: str | None = None, /, **parameters: Any) -> Answer:
        """Send a request, and wait for its answer."""
        return self.answer(self.send(method, thread, **parameters))

    def answer(self, number: int, seconds: float | None = None) -> Answer:
        """Wait for the answer of a request; a Silence or a Death where it does not come."""
        limit = self._processes.patience if seconds is None else seconds
        self._processes.wait(lambda: self._is_settled(number) or bool(self._unmatched), limit)
        self._processes.wait(lambda: self._is_settled(number), min(limit, _AFTER_ANOTHER))
        if number in self._answers or self._take_unmatched(number):
            return self._answers.pop(number)
        if self.ended is not None:
            raise Death(self._asked[number], self.ended)
        self._open.discard(number)
        complaint, self._complaint = self._complaint, None
        raise Silence(self._asked[number], limit, self.answered, complaint)

    def _is_settled(self, number: int) -> bool:
        """Whether nothing more is to be waited for; answers under wrong ids are meant for what is open."""
        meant = len(self._unmatched) >= len(self._open) > 0
        return number in self._answers or meant or self._complaint is not None or self.ended is not None

    def has_answered(self, number: int) -> bool:
        """Whether there is nothing more to wait for; looks at what came without waiting."""
        self._processes.pump(0)
        return self._is_settled(number)

    def wait_for_end(self, seconds: float | None = None) -> Ended | None:
        """Wait until the process has ended; None where it has not in time."""
        limit = self._processes.patience if seconds is None else seconds
        self._processes.wait(lambda: self.ended is not None, limit)
        return self.ended

    def wait_for_output(self, seconds: float) -> bool:
        """Wait until it has written a whole line or ended; tell whether it has written one."""
        self._processes.wait(lambda: self.has_spoken or self.ended is not None, seconds)
        return self.has_spoken

    @property
    def has_spoken(self) -> bool:
        """Whether any line came."""
        return bool(self.answered or self.reader.oddities)

    def end_input(self) -> None:
        """End its standard input."""
        self._processes.starter.end_input(self._key)

    def stop(self) -> None:
        """End the process, first in a way that lets it say where it was."""
        for signal in (ABORT, KILL):
            if self.ended is None:
                self._processes.starter.kill(self._key, signal)
                self.wait_for_end(_SECONDS_FOR_LAST_WORDS)

    def take(self, data: bytes) -> None:
        """Take what it wrote."""
        for answer in self.reader.feed(data):
            self.answered += 1
            if answer.id in self._asked and answer.id not in self.arrived and answer.id is not None:
                self._answers[answer.id] = answer
                self.arrived.append(answer.id)
                self._open.discard(answer.id)
            elif answer.id is None and answer.error_code in _COMPLAINTS:
                self._complaint = answer
            elif answer.id in self.arrived:
                self.reader.note("second-answer", f"a second answer to request {answer.id}")
            else:
                self._unmatched.append(answer)

    def _take_unmatched(self, number: int) -> bool:
        """Take an answer under an id that nobody has used for the one that is missing."""
        if not self._unmatched:
            return False
        self._note_wrong_id(number)
        self._answers[number] = self._unmatched.pop(0)
        self.arrived.append(number)
        self._open.discard(number)
        return True

    def _note_wrong_id(self, number: int | None = None) -> None:
        wrong = self._unmatched[0].members.get("id")
        right = "" if number is None else f", where the request had the id {number}"
        self.reader.note("wrong-id", f"an answer with the id {json.dumps(wrong)[:60]}{right}")

    def note_what_is_left(self) -> None:
        """Note answers that belong to no request, and what came after the last line when the process has ended."""
        if self.ended is not None and self.reader.rest().strip():
            self.reader.note("line-without-end", f"the output ends with {quoted(self.reader.rest())}")
        if self._unmatched:
            self._note_wrong_id()
            self._unmatched.clear()


class Processes:
    """Starts processes of hosts, and waits for what they say; `patience` is the limit of each answer in seconds."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.starter = PlainStarter()
        self._spoken: dict[int, Spoken] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.starter.close()

    @property
    def directory(self) -> str:
        """A directory that all of them share, and that goes with them."""
        return self.starter.directory

    def oddities(self) -> dict[str, str]:
        """Give each mistake in how answers were written, with what was seen."""
        seen: dict[str, str] = {}
        for spoken in self._spoken.values():
            spoken.note_what_is_left()
            for mistake, odd in spoken.reader.oddities.items():
                seen.setdefault(mistake, odd.seen)
        return seen

    def start(self, spec: AdapterSpec) -> Spoken:
        """Start a process, without waiting for it."""
        key = len(self._spoken) + 1
        spoken = self._spoken[key] = Spoken(self, key)
        self.starter.start(key, spec)
        return spoken

    def wait(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Pump until something is so, for longer where the machine is busy; tell whether it came to that in time."""
        return self._wait(happened, seconds) or self._wait(happened, seconds * (pace.stretch() - 1))

    def _wait(self, happened: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not happened():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(left, _NAP))
        return True

    def pump(self, seconds: float) -> None:
        """Wait for something to happen, at most so long, and pass it on."""
        for event in self.starter.wait(seconds):
            spoken = self._spoken[event.host]
            if isinstance(event, Output):
                spoken.take(event.data)
            elif isinstance(event, Started):
                spoken.pid = event.pid
            else:
                spoken.ended = event.ended
