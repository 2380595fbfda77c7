"""One host as the suite sees it: requests go out, typed replies come back, and its end is known."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

import msgspec

from vdi_conformance.contract import Capabilities
from vdi_conformance.host import connection
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.host.errors import (
    END_OF_INPUT,
    HostDied,
    HostError,
    HostHung,
    LacksMethods,
    NoEnd,
    ProtocolError,
    WrongId,
    WrongReply,
)
from vdi_conformance.host.messages.base import Initialize, Initialized, Reply, Request
from vdi_conformance.host.messages.client import codes_of, gives_null
from vdi_conformance.host.messages.concurrent_calls import ConcurrentCall, ConcurrentCalls
from vdi_conformance.host.messages.duties import lacking
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.host.process_end import ABORT, HALT, KILL, RESUME, Ended
from vdi_conformance.versions import read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vdi_conformance.host.spec import AdapterSpec, Role
    from vdi_conformance.host.starting.starter import Starter

R = TypeVar("R", bound=Reply)

PATIENCE: Final = 10.0
"""Seconds that a call may take unless the caller knows better; the run's time scale and a busy machine stretch them."""
PATIENCE_TO_START: Final = 30.0
_SECONDS_FOR_LAST_WORDS: Final = 1.0
_CALLS_KEPT: Final = 500


@dataclass(frozen=True)
class CallRecord:
    """One request and what came of it; `number` gives the order among all hosts, times are monotonic seconds."""

    number: int
    host: str
    method: str
    params: dict[str, Any]
    started: float
    ended: float | None
    reply: dict[str, Any] | None
    error: str | None


class HostLink(Protocol):
    """What a host needs of its supervisor."""

    @property
    def over(self) -> bool:
        """Whether the time for all requests is over, so that nothing is sent any more."""
        ...

    @property
    def starter(self) -> Starter:
        """The way to its process."""
        ...

    def pump(self, seconds: float) -> None:
        """Wait for something to happen to any host, at most so long, and pass it on."""
        ...

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Pump until something is so; tell whether it came to that in time."""
        ...

    def wait_patiently(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Pump until something is so, for longer where the machine is busy; tell whether it came to that in time."""
        ...

    def next_number(self) -> int:
        """Count the requests of all hosts."""
        ...


class Pending(Generic[R]):
    """A request that was sent, and its reply when that has come."""

    def __init__(self, host: Host, number: int, request: Request[R]) -> None:
        self.number = number
        self.request = request
        self._host = host
        self._started = time.monotonic()
        self._ended: float | None = None
        self._outcome: Reply | HostError | None = None

    @property
    def settled(self) -> bool:
        """Whether the reply or an error is known already; looks at nothing new."""
        return self._outcome is not None

    @property
    def outcome(self) -> Reply | HostError | None:
        """The reply or the error, where one has come; looks at nothing new."""
        return self._outcome

    @property
    def span(self) -> tuple[float, float]:
        """When it was sent, and when its end was seen, in monotonic seconds; for one that is settled."""
        assert self._ended is not None, "the request has no end yet"
        return self._started, self._ended

    @property
    def done(self) -> bool:
        """Whether the reply or an error has come; looks without waiting."""
        if self._outcome is None:
            self._host.look()
        return self._outcome is not None

    def result(self, patience: float = PATIENCE) -> R:
        """Wait for the reply, at most `patience` seconds times the run's scale; then the host is ended."""
        if not isinstance(self.request, Initialize):
            _ = self._host.initialized
        self.wait(patience, lambda: self.settled)
        if isinstance(self._outcome, HostError):
            raise self._outcome
        return cast("R", self._outcome)

    def wait(self, patience: float, happened: Callable[[], bool]) -> None:
        """Wait until something is so, at most as long as a `result` waits; then the host is ended."""
        if not happened():
            self._host.wait_for(self.request.method, patience, happened)

    def settle(self, outcome: Reply | HostError) -> None:
        """Take the reply or the error; what comes later changes nothing."""
        if self._outcome is None:
            self._outcome = outcome
            self._ended = time.monotonic()

    def no_end(self) -> NoEnd:
        """Give the error of a wait for this request that comes to no end."""
        return NoEnd(self._host.name, self.request.method)

    def record(self) -> CallRecord:
        """Give what is known of this call."""
        failed = isinstance(self._outcome, HostError)
        return CallRecord(
            number=self.number,
            host=self._host.name,
            method=self.request.method,
            params=msgspec.to_builtins(self.request),
            started=self._started,
            ended=self._ended,
            reply=None if failed or self._outcome is None else msgspec.to_builtins(self._outcome),
            error=str(self._outcome) if failed else None,
        )


class Host:
    """One process that runs a role of an adapter; made by `Supervisor.launch`, used from one thread.

    `codes` are the HRESULTs that it has answered with so far, each with the name of the method that gave it; `answered`
    counts what it has answered with a reply since it told who it is, by the methods. `leaving` is when it was told to
    leave, or else was seen to have left, in monotonic seconds.
    """

    def __init__(self, link: HostLink, key: int, name: str, spec: AdapterSpec, role: Role, time_scale: float) -> None:
        self.name = name
        self.spec = spec
        self.role = role
        self.key = key
        self.pid: int | None = None
        self.codes: set[tuple[str, int]] = set()
        self.answered: Counter[str] = Counter()
        self._link = link
        self._time_scale = time_scale
        self._lines = connection.Lines(name)
        self._waiting: dict[int, Pending[Any]] = {}
        self._calls: deque[Pending[Any]] = deque(maxlen=_CALLS_KEPT)
        self._made = 0
        self._failure: ProtocolError | HostHung | None = None
        self._ended: Ended | None = None
        self._input_ended = False
        self._killed = False
        self.leaving: float | None = None
        self._initialize: Pending[Initialized] | None = None
        self._gathered: list[Pending[Any]] | None = None
        self._lets_calls_go_at_once = False

    def initialize(self, request: Initialize) -> None:
        """Send the first request."""
        self._initialize = self.send(request)

    @property
    def initialized(self) -> Initialized:
        """Who answers and what it declares; waits for it, and fails where the adapter could not be loaded."""
        if self._initialize is None:
            raise RuntimeError("the supervisor initializes a host when it launches it")
        return self._initialize.result(PATIENCE_TO_START)

    @property
    def ended(self) -> Ended | None:
        """How the process ended, or None while it lives; looks without waiting."""
        self.look()
        return self._ended

    @property
    def broke_the_protocol(self) -> ProtocolError | None:
        """The error of a host that broke the host protocol, whether or not a request was there to be told of it."""
        self.look()
        return self._failure if isinstance(self._failure, ProtocolError) else None

    @property
    def told_to_exit(self) -> bool:
        """Whether the process was told to leave, in one way or the other."""
        return self._killed or self._input_ended

    def awaits(self, kind: type[Request[Any]]) -> bool:
        """Tell whether a request of that kind has no answer yet; looks at nothing new."""
        return any(isinstance(pending.request, kind) for pending in self._waiting.values())

    @property
    def calls(self) -> list[CallRecord]:
        """The last requests after `initialize`, oldest first."""
        return [pending.record() for pending in self._calls]

    @property
    def forgotten(self) -> int:
        """How many requests came between `initialize` and these."""
        return self._made - len(self._calls)

    def call(self, request: Request[R], *, patience: float = PATIENCE) -> R:
        """Send a request and wait for its reply, at most `patience` seconds times the run's scale."""
        return self.send(request).result(patience)

    def send(self, request: Request[R]) -> Pending[R]:
        """Send a request without waiting; a HostError where the time for all of them is over."""
        (pending,) = self.send_all([request])
        return pending

    def send_all(self, requests: Iterable[Request[R]]) -> list[Pending[R]]:
        """Send requests in one piece, which the host takes one after the other; that costs less than one by one."""
        pendings = [self._begin(request) for request in requests]
        waiting = [pending for pending in pendings if not pending.settled]
        if self._gathered is None:
            self._write(waiting)
        else:
            self._gathered += waiting
        return pendings

    def _begin(self, request: Request[R]) -> Pending[R]:
        if self._link.over:
            raise NoEnd(self.name, request.method)
        pending = Pending(self, self._link.next_number(), request)
        if not isinstance(request, Initialize):
            self._calls.append(pending)
            self._made += 1
        if self._failure is not None:
            pending.settle(self._failure)
        elif self._ended is not None:
            pending.settle(HostDied(self.name, request.method, self._ended))
        else:
            self._waiting[pending.number] = pending
        return pending

    @contextlib.contextmanager
    def concurrently(self) -> Iterator[None]:
        """Gather what is sent meanwhile, and let it all go at the same moment, each on the thread of its label.

        A host that does not name a method for that is sent one after the other.
        """
        gathered: list[Pending[Any]] = []
        self._gathered = gathered
        try:
            yield
        finally:
            self._gathered = None
        if not (self._lets_calls_go_at_once and gathered):
            self._write(gathered)
            return
        calls = [ConcurrentCall(one.number, one.request.method, msgspec.to_builtins(one.request)) for one in gathered]
        self.send(ConcurrentCalls(calls=calls))

    def _write(self, pendings: Iterable[Pending[Any]]) -> None:
        lines = b"".join(connection.encode(pending.number, pending.request) for pending in pendings)
        if lines:
            self._link.starter.write(self.key, lines)

    def kill(self, signal: int = KILL) -> None:
        """Send a signal to the process, without waiting for what comes of it."""
        if self._ended is None:
            self._killed = True
            self._leave()
            self._link.starter.kill(self.key, signal)

    def halt(self) -> None:
        """Let the process stand still, without waiting until it does; it must be resumed before it is to end."""
        self._link.starter.kill(self.key, HALT)

    def resume(self) -> None:
        """Let it go on."""
        self._link.starter.kill(self.key, RESUME)

    def end_input(self) -> None:
        """End the host's standard input, without waiting for the process to leave; a second time does nothing."""
        if self._ended is None and not self._input_ended:
            self._input_ended = True
            self._leave()
            self._link.starter.end_input(self.key)

    def finish(self, patience: float = PATIENCE) -> Ended:
        """End the host's standard input and wait for the process to leave; one that stays is ended."""
        self.end_input()
        return self._wait_for_end(END_OF_INPUT, patience)

    def wait_until_ended(self, patience: float = PATIENCE) -> Ended:
        """Wait for the process to end by itself; one that stays is ended."""
        return self._wait_for_end("what ends it", patience)

    def look(self) -> None:
        """Take in what has happened, without waiting."""
        if self._ended is None:
            self._link.pump(0)

    def wait_for(self, method: str, patience: float, happened: Callable[[], bool]) -> None:
        """Wait for what a request to this host brings about; when patience ends, so does the host."""
        seconds = patience * self._time_scale
        if not self._link.wait_patiently(happened, seconds):
            raise self._end_by_force(method, seconds)

    def take_output(self, data: bytes) -> None:
        """Take what the process wrote."""
        if self._failure is not None:
            return
        try:
            for line in self._lines.feed(data):
                self._take_line(line)
        except ProtocolError as error:
            self._break(error)

    def take_end(self, ended: Ended) -> None:
        """Take that the process has ended."""
        self._ended = ended
        self._leave()
        null = any(gives_null(pending.request) for pending in self._waiting.values())
        self._settle_all(lambda method: HostDied(self.name, method, ended, was_given_null=null))

    def _leave(self) -> None:
        self.leaving = self.leaving or time.monotonic()

    def _take_line(self, line: bytes) -> None:
        if not line.strip():
            return
        answer = connection.read_answer(self.name, line)
        pending = None if answer.id is None else self._waiting.pop(answer.id, None)
        if pending is None:
            raise WrongId(self.name, line)
        outcome = connection.read_reply(self.name, pending.request, answer, line)
        if isinstance(outcome, Initialized):
            outcome = self._check(outcome, line)
        if isinstance(outcome, Reply) and not isinstance(outcome, Initialized):
            self.answered[pending.request.method] += 1
            self.codes.update(codes_of(pending.request, outcome))
        pending.settle(outcome)
        if isinstance(outcome, ProtocolError):
            raise outcome
        if isinstance(outcome, HostError) and isinstance(pending.request, ConcurrentCalls):
            self._take_apart(pending.request, outcome)

    def _take_apart(self, refused: ConcurrentCalls, error: HostError) -> None:
        """Let each of the calls that were refused as one have that for its answer."""
        for pending in [self._waiting.pop(call.id) for call in refused.calls if call.id in self._waiting]:
            pending.settle(error)

    def _check(self, reply: Initialized, line: bytes) -> Initialized | HostError:
        if read_version(reply.protocol) is None:
            problem = f"protocol must be a version such as {PROTOCOL_VERSION}"
            return WrongReply(self.name, Initialize.method, problem, line)
        reply = msgspec.structs.replace(reply, capabilities=reply.declared)
        try:
            Capabilities.from_mapping(reply.capabilities)
        except ValueError as error:
            return WrongReply(self.name, Initialize.method, str(error), line)
        # Tried in vain, they would be sent again after what was sent since.
        self._lets_calls_go_at_once = ConcurrentCalls.method in (reply.methods or ())
        if self.role == "client" and (missing := lacking(reply.methods, requests())):
            return LacksMethods(self.name, missing)
        return reply

    def _break(self, error: ProtocolError) -> None:
        """A host that broke the protocol is not listened to any more."""
        self._failure = error
        self._settle_all(lambda _: error)
        self.kill()

    def _wait_for_end(self, cause: str, patience: float) -> Ended:
        seconds = patience * self._time_scale
        if not self._link.wait_patiently(self._has_ended, seconds):
            raise self._end_by_force(cause, seconds)
        return cast("Ended", self._ended)

    def _end_by_force(self, method: str, seconds: float) -> HostHung:
        """Abort it first, since a host of ours then writes the stacks of its threads."""
        waiting, self._waiting = self._waiting, {}
        for signal in (ABORT, KILL):
            self.kill(signal)
            if self._link.wait_until(self._has_ended, _SECONDS_FOR_LAST_WORDS):
                break
        under_way = tuple(pending.request.method for pending in waiting.values())
        error = self._failure = HostHung(self.name, method, seconds, self._ended, under_way)
        for pending in waiting.values():
            pending.settle(error)
        return error

    def _settle_all(self, error: Callable[[str], HostError]) -> None:
        for pending in self._waiting.values():
            pending.settle(error(pending.request.method))
        self._waiting.clear()

    def _has_ended(self) -> bool:
        return self._ended is not None
