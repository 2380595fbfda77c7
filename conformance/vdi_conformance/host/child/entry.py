"""The host process of a Python adapter: reads requests, runs them on the threads of their labels, writes answers.

Standard output carries the protocol, so it is moved away before the adapter is loaded: what an adapter prints goes
to standard error. Imports are few, because each one costs every host its time to start.
"""

import contextlib
import ctypes
import faulthandler
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, NoReturn

from vdi_conformance.contract import Environment
from vdi_conformance.host.child import (
    client_methods,
    concurrent_calls,
    credentials,
    layout,
    memory_methods,
    native_methods,
    own_files,
    server_methods,
)
from vdi_conformance.host.child.dispatch import DispatchedCall, Methods, read_call
from vdi_conformance.host.child.loader import load
from vdi_conformance.host.child.parameters import Kind, one_of, seed, version
from vdi_conformance.host.child.session import Session
from vdi_conformance.host.codes import INVALID_REQUEST, PROTOCOL_NOT_SPOKEN, PROTOCOL_VERSION, Refused
from vdi_conformance.versions import Version

if sys.platform == "win32":
    import msvcrt
else:
    import resource

SWITCH_INTERVAL: Final = 0.0002
"""Seconds: what a busy Python loop of an adapter may cost the threads of other labels."""
_CHUNK: Final = 65536

METHODS = Methods[Session]()
for _module in (client_methods, server_methods, memory_methods, native_methods, concurrent_calls, own_files):
    METHODS.include(_module.METHODS)


def _environment(value: Any) -> Environment:
    try:
        return Environment(str(value["directory"]), seed(value["seed"]), float(value["time_scale"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError("an object with directory, seed and time_scale") from None


_environment_kind: Kind = _environment


@METHODS.method(
    "initialize", protocol=version, role=one_of("client", "server", "broker"), environment=_environment_kind
)
def _initialize(session: Session, protocol: Version, role: str, environment: Environment) -> dict[str, Any]:
    if not PROTOCOL_VERSION.goes_with(protocol):
        sentence = f"this host speaks version {PROTOCOL_VERSION} of the protocol, not {protocol}"
        raise Refused(PROTOCOL_NOT_SPOKEN, sentence)
    if session.adapter is not None:
        raise Refused(INVALID_REQUEST, "initialize was sent already")
    adapter = load(session.target, environment, session.credentials)
    identity = adapter.identity()
    capabilities = adapter.capabilities().to_mapping()
    if role == "broker":
        adapter.start_broker()
    session.adapter = adapter
    return {
        "protocol": str(PROTOCOL_VERSION),
        "identity": {
            "name": identity.name,
            "version": identity.version,
            "vendor": identity.vendor,
            "library": identity.library,
        },
        "capabilities": capabilities,
        "process": {
            "pid": os.getpid(),
            "pointer_bytes": ctypes.sizeof(ctypes.c_void_p),
            "platform": sys.platform,
            "own_layout": session.own_layout,
        },
        "methods": sorted(METHODS.names()),
    }


class _Answers:
    """The way out: whole lines, whichever thread has one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def write_all(self, lines: list[bytes]) -> None:
        """Write lines in one piece, and forget them."""
        if lines:
            self.write(b"".join(lines))
            lines.clear()

    def write(self, line: bytes) -> None:
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(0)  # nobody reads any more: the parent is gone


class _Job(NamedTuple):
    """A call, and what its thread passes first where others begin at the same moment."""

    call: DispatchedCall
    gate: threading.Barrier | None = None


class _Threads:
    """One thread and one queue a label; without a label the reader itself runs the call."""

    def __init__(self, target: str, own_layout: bool, credentials: list[int], answers: _Answers) -> None:
        self._session = Session(target, own_layout, self._let_go, self._end, credentials)
        self._answers = answers
        self._queues: dict[str, tuple[threading.Thread, queue.SimpleQueue[_Job | None]]] = {}

    def take(self, call: DispatchedCall) -> None:
        if call.thread is None:
            self._run(call)
        else:
            self._hand_over(call.thread, _Job(call))

    def _let_go(self, calls: tuple[DispatchedCall, ...]) -> None:
        gate = threading.Barrier(len(calls))
        for call in calls:
            self._hand_over(call.thread or "", _Job(call, gate))

    def _hand_over(self, label: str, job: _Job) -> None:
        if label not in self._queues:
            waiting = queue.SimpleQueue[_Job | None]()
            thread = threading.Thread(target=self._work, args=(waiting,), name=label, daemon=True)
            self._queues[label] = thread, waiting
            thread.start()
        self._queues[label][1].put(job)

    def _end(self, label: str) -> None:
        if label in self._queues:
            thread, waiting = self._queues.pop(label)
            waiting.put(None)
            thread.join()

    def _work(self, waiting: "queue.SimpleQueue[_Job | None]") -> None:
        while (job := waiting.get()) is not None:
            call, gate = job
            if gate is not None:
                gate.wait()
            self._run(call)

    def _run(self, call: DispatchedCall) -> None:
        self._answers.write(self.answer(call))

    def answer(self, call: DispatchedCall) -> bytes:
        """Run a call on the thread that asks for it, and give the line that answers it."""
        return METHODS.answer(self._session, call)


def main(target: str, own_layout: bool, account: list[int]) -> NoReturn:
    """Be the host of the adapter `target` until standard input ends, under another account where one is given."""
    requests, descriptor = _take_the_protocol_away()
    answers = _Answers(descriptor)
    threads = _Threads(target, own_layout, account, answers)
    for texts in _lines(requests):
        looks: list[bytes] = []
        for text in texts:
            call = read_call(text)
            if isinstance(call, DispatchedCall) and _only_looks(call):
                looks.append(threads.answer(call))
                continue
            answers.write_all(looks)
            if isinstance(call, DispatchedCall):
                threads.take(call)
            else:
                answers.write(call)
        answers.write_all(looks)
    leave()


def _only_looks(call: DispatchedCall) -> bool:
    """Whether a call runs nothing of the adapter's, so that its answer may go out together with others."""
    return call.thread is None and call.method.startswith("memory.")


def prepare() -> None:
    """Do what a fork inherits: crashes say where, threads take turns, and what Python prints goes out by lines."""
    faulthandler.enable(file=2, all_threads=True)
    sys.setswitchinterval(SWITCH_INTERVAL)
    sys.stdout = open(1, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115


def spawned_main(target: str, slot: int, account: str = "", *preload: str) -> NoReturn:
    """Be the host of an adapter in a process that was started by itself, not forked."""
    prepare()
    limit_cores()
    if account:
        credentials.preload(preload)
    main(target, layout.separate(slot), credentials.unpacked(account))


def leave() -> NoReturn:
    """End the process at once, whatever its threads are waiting for; only what Python has printed is kept."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(0)


def _take_the_protocol_away() -> tuple[int, int]:
    """Keep the two descriptors of the protocol for ourselves; the adapter finds an empty input and standard error."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    if sys.platform == "win32":
        msvcrt.setmode(requests, os.O_BINARY)
        msvcrt.setmode(answers, os.O_BINARY)
    return requests, answers


def _lines(descriptor: int) -> Iterator[list[bytes]]:
    """Give the lines that have come whole, as many at once as have."""
    rest = b""
    while data := os.read(descriptor, _CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        yield lines


def limit_cores() -> None:
    """A core file a crash is a burden; the limit is 1, since 0 does not stop one that is piped to a program."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
