"""The host protocol, as the suite reads what a host writes, and as our own host reads what it is sent."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import msgspec

from fuzzing.mutation import linewise, of_json
from fuzzing.target import Broken, Target, alone
from fuzzing.targets.samples import encoded, sample
from selftest.host.toy import Toy
from vdi_conformance.contract import Capabilities
from vdi_conformance.doctor.lines import Reader
from vdi_conformance.host.child import entry, memory, pages
from vdi_conformance.host.child.dispatch import DispatchedCall, read_call
from vdi_conformance.host.child.session import Session
from vdi_conformance.host.codes import ADAPTER_RAISED, PROTOCOL_VERSION
from vdi_conformance.host.errors import HostError, ProtocolError
from vdi_conformance.host.messages.base import HostEnvironment, Initialize, Request
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.host.process import Host
from vdi_conformance.host.spec import AdapterSpec
from vdi_conformance.untrusted.printable import keepable, shown_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fuzzing.target import Read
    from vdi_conformance.host.starting.starter import Starter

_ENVIRONMENT: Final[dict[str, Any]] = {"directory": "", "seed": 0, "time_scale": 1.0}
_LEFT_OUT: Final = frozenset({"memory.save", "memory.load", "device.serve", "process.files"})
"""The paths of the first three are the suite's own, and a host writes wherever it is told; the last takes nothing."""


class _NoProcess:
    """A host's way to its process (host.process.HostLink), without one."""

    over = False

    def __init__(self) -> None:
        self._numbers = 0

    @property
    def starter(self) -> Starter:
        return self  # type: ignore[return-value]

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def pump(self, seconds: float) -> None:
        return

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        return happened()

    wait_patiently = wait_until

    def write(self, key: int, data: bytes) -> None:
        return

    def kill(self, key: int, signal: int) -> None:
        return


@cache
def _asked() -> tuple[Request[Any], ...]:
    """Give a request of every kind."""
    return tuple(msgspec.convert(sample(kind), kind) for name, kind in requests().items() if name != Initialize.method)


def _answers() -> Sequence[bytes]:
    """Give what a host answers to these, in order."""
    identity = sample(Initialize.reply) | {
        "protocol": str(PROTOCOL_VERSION),
        "capabilities": Capabilities(server="scripted").to_mapping(),
        "methods": sorted(requests()),
    }
    replies = [identity, *(sample(request.reply) for request in _asked())]
    lines = [encoded({"jsonrpc": "2.0", "id": number, "result": one}) for number, one in enumerate(replies, 1)]
    refusal = {"code": -32001, "message": "it raised", "data": {"traceback": "here"}}
    refused = [encoded({"jsonrpc": "2.0", "id": number, "error": refusal}) for number in range(1, 4)]
    return [b"\n".join(lines[start : start + 6]) + b"\n" for start in range(0, len(lines), 6)] + [
        b"\n".join([lines[0], *reversed(lines[1:9])]) + b"\n",
        b"\n".join(refused) + b"\n",
    ]


def _read_answers(data: bytes) -> bool:
    """Be the suite, which has sent a request of every kind, and hears this."""
    link = _NoProcess()
    host = Host(link, 1, "primary", AdapterSpec("toy", "python", "toy"), "client", 1.0)
    host.initialize(Initialize(protocol="2.0", role="client", environment=HostEnvironment(**_ENVIRONMENT)))
    pending = [host.send(request) for request in _asked()]
    middle = len(data) // 2
    host.take_output(data[:middle])
    host.take_output(data[middle:])
    for sentence in {str(one.outcome) for one in pending if isinstance(one.outcome, HostError)}:
        _need_printable(sentence)
    for record in host.calls:
        if record.reply is not None:
            encoded(keepable(record.reply))
    return not any(isinstance(one.outcome, ProtocolError) for one in pending)


def _need_printable(sentence: str) -> None:
    if not sentence or sentence != shown_lines(sentence, 2 * len(sentence) + 100):
        raise Broken(f"the sentence is not fit to be shown: {sentence[:100]!r}")


class _NoPages:
    """Memory that can be read and never written, so that no address does any harm."""

    GRAIN = 4096

    def __init__(self, real: Any) -> None:
        self.copy_out = real.copy_out
        self.stack_address = real.stack_address

    def allocate(self, size: int) -> int | None:
        return 0x10000 if size < 1 << 40 else None

    def reserve(self, size: int, address: int) -> int | None:
        return self.allocate(size)

    def copy_in(self, address: int, data: bytes) -> bool:
        return False


def _calls() -> Sequence[bytes]:
    """Give a request of every kind, after one that makes what they are about."""
    plain = {name: sample(kind) for name, kind in requests().items() if name not in _LEFT_OUT}
    plain[Initialize.method] = {"protocol": str(PROTOCOL_VERSION), "role": "client", "environment": _ENVIRONMENT}
    making = [Initialize.method, "set.new", "set.open_device", "server.new"]
    names = [*making, *(name for name in plain if name not in making)]
    lines = [
        encoded({"jsonrpc": "2.0", "id": number, "method": name, "params": plain[name]})
        for number, name in enumerate(names, 1)
        if name in plain
    ]
    return [b"\n".join([*lines[:4], *lines[start : start + 5]]) for start in range(4, len(lines), 5)]


@contextmanager
def _host(_: Path) -> Iterator[Read]:
    """Be the host of the toy adapter, which answers on one thread."""
    target = f"{Toy.__module__}:{Toy.__name__}"
    with patch.object(memory, "pages", _NoPages(pages)):

        def read(data: bytes) -> bool:
            answers: list[bytes] = []
            session = Session(target, False, lambda calls: answers.extend(map(perform, calls)), lambda _: None)

            def perform(call: DispatchedCall) -> bytes:
                answer = entry.METHODS.answer(session, call)
                _need_own_refusal(call, answer)
                return answer

            for line in data.split(b"\n"):
                call = read_call(line)
                answers.append(call if isinstance(call, bytes) else perform(call))
            return any("result" in json.loads(answer) for answer in answers)

        yield read


def _need_own_refusal(call: DispatchedCall, answer: bytes) -> None:
    """Have whatever no adapter does be refused by the host itself, and not by an exception out of it."""
    error = json.loads(answer).get("error", {})
    if error.get("code") == ADAPTER_RAISED and call.method.partition(".")[0] in ("memory", "calls", "process"):
        raise Broken(f"{call.method} raised: {error['message'][:60]}")


def _examine(data: bytes) -> bool:
    """Be the doctor, who takes what a host writes for what it is meant to be."""
    reader = Reader()
    middle = len(data) // 2
    answers = [*reader.feed(data[:middle]), *reader.feed(data[middle:])]
    for oddity in reader.oddities.values():
        _need_printable(oddity.seen)
    for answer in answers:
        encoded(keepable(answer.members))
    return not reader.oddities


TARGETS: Final = (
    Target("host-answers", "what a host writes, as a run reads it", _answers, linewise(of_json), alone(_read_answers)),
    Target("host-requests", "what our own host is sent", _calls, linewise(of_json), _host),
    Target("doctor", "what a host writes, as the doctor reads it", _answers, linewise(of_json), alone(_examine)),
)
