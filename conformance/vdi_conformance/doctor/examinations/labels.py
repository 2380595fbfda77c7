"""Labels and threads: what waits, what goes on meanwhile, and in which order requests are done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.conversation import Silence
from vdi_conformance.doctor.examinations.waiting import begin_waiting
from vdi_conformance.doctor.subject import NotApplicable
from vdi_conformance.host.loaded import own_process
from vdi_conformance.host.messages.client import GetBufferHandle, NewSet, SignalAbort
from vdi_conformance.host.messages.memory import AllocateMemory, DigestMemory, ReadMemory, WriteMemory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.doctor.subject import Examiner

_LABEL: Final = "order"
_LARGE: Final = 8 << 20
"""So many bytes take a while to digest, so that what comes after could overtake it."""
_ROUNDS: Final = 5
_GLANCE: Final = 0.002


def order(examiner: Examiner) -> None:
    """Requests of one label are done one after the other, in the order in which they came."""
    address = examiner.call(AllocateMemory(size=_LARGE)).address
    requests = [DigestMemory(address=address, size=_LARGE, thread=_LABEL), *_steps(address)]
    host = examiner.host
    numbers = [examiner.send(request, host) for request in requests]
    answers = [host.answer(number) for number in numbers]
    came = [number for number in host.arrived if number in numbers]
    if came != numbers:
        late = next(index for index, number in enumerate(came) if number != numbers[index])
        raise examiner.stop("label-out-of-order", f"request {came[late]} was answered before request {numbers[late]}")
    for index, (request, answer) in enumerate(zip(requests, answers, strict=True)):
        if isinstance(request, ReadMemory) and examiner.reply(request, answer).data != f"{index // 2:02x}":
            raise examiner.stop("label-out-of-order", "a read gave not what the write before it had stored")


def _steps(address: str) -> Iterator[WriteMemory | ReadMemory]:
    for value in range(1, 6):
        yield WriteMemory(address=address, data=f"{value:02x}", thread=_LABEL)
        yield ReadMemory(address=address, size=1, thread=_LABEL)


def waits(examiner: Examiner) -> None:
    """While a call waits under one label, requests under another one and without any are answered."""
    waiting = begin_waiting(examiner)
    examiner.facts.append("GetConfiguration waited without end meanwhile")
    try:
        _answer_meanwhile(examiner)
        released = examiner.send(SignalAbort(set=waiting.set, thread="other"), waiting.host)
        waiting.host.answer(released)
    finally:
        examiner.subject.drop()


def _answer_meanwhile(examiner: Examiner) -> None:
    try:
        examiner.call(NewSet(set="meanwhile"))
        examiner.call(AllocateMemory(size=1))
    except Silence as silence:
        raise examiner.stop("reader-blocks", f"{silence}, which has no label, while a call waited") from None
    try:
        examiner.call(GetBufferHandle(set="meanwhile", address="0x1000", thread="other"))
    except Silence as silence:
        raise examiner.stop("labels-block", f"{silence} under another label, while a call waited") from None


def threads(examiner: Examiner) -> None:
    """Requests of one label are done by one thread, which is kept."""
    process, started = examiner.subject.initialized, examiner.host.pid
    if process is None or started is None:
        raise NotApplicable("which process is the host is not known")
    tasks = Path("/proc") / str(own_process(started, process.process.pid)) / "task"
    if not tasks.exists():
        raise NotApplicable("which threads a process has can be seen on Linux only")
    address = examiner.call(AllocateMemory(size=_LARGE)).address
    known = _names(tasks)
    fresh = []
    for _ in range(_ROUNDS):
        seen = _seen_during(examiner, tasks, address)
        fresh.append(seen - known)
        known |= seen
    examiner.facts.append(f"the process has {len(_names(tasks))} threads")
    # The first round may make the thread of the label, and a runtime may make some of its own now and then.
    if all(fresh[1:]):
        examiner.found(
            "thread-for-each-request", f"each of {_ROUNDS} requests was done with a new thread in the process"
        )


def _seen_during(examiner: Examiner, tasks: Path, address: str) -> set[str]:
    """Name the threads that there are while a request is being done."""
    host = examiner.host
    number = examiner.send(DigestMemory(address=address, size=_LARGE, thread="kept"), host)
    seen: set[str] = set()
    until = time.monotonic() + examiner.subject.processes.patience
    while not host.has_answered(number) and time.monotonic() < until:
        seen |= _names(tasks)
        examiner.subject.processes.pump(_GLANCE)
    host.answer(number)
    return seen


def _names(tasks: Path) -> set[str]:
    try:
        return {task.name for task in tasks.iterdir()}
    except OSError:
        return set()
