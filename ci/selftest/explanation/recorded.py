"""Traces of checks, written down call by call."""

import itertools
from collections.abc import Mapping
from typing import Any

from vdi_conformance.evidence.records import Call
from vdi_conformance.harness.traces import Trace
from vdi_conformance.vdi.commands import VDC_WRITE
from vdi_conformance.vdi.hresult import NOERROR

NAME = "a-set"
CONFIG = {"device_count": 1}
SIZE = 512
BUFFER = 0x10000
RECORD = 0x9000
SERVERS = 0x50000


class Recorded:
    """A set at work: its primary holds a Write from a server that is told every step, one secondary has joined.

    Calls take one millisecond each, one after the other, unless a span is given.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.ended: dict[str, float] = {}
        self._numbers = itertools.count(1)

    @property
    def trace(self) -> Trace:
        """All calls so far."""
        return Trace(self.calls, self.ended)

    def call(
        self,
        process: str,
        method: str,
        answer: Mapping[str, Any] | str | None,
        span: tuple[float, float | None] | None = None,
        thread: str = "one",
        **params: Any,
    ) -> int:
        """Record one, and give its number."""
        number = next(self._numbers)
        begin, end = span or (float(number * 10), number * 10 + 1.0)
        given = None if answer is None or isinstance(answer, str) else dict(answer)
        self.calls.append(
            Call(
                number=number,
                process=process,
                thread=thread,
                method=method,
                params=params,
                answer=answer if isinstance(answer, str) else given,
                begin=begin,
                end=end,
            )
        )
        return number

    def set_to_work(self) -> None:
        """Come to where a Write is held and has a handle."""
        ok = {"code": NOERROR}
        self.call("primary", "set.create_ex", ok, set="s1", name=NAME, config=CONFIG)
        self.call("server", "server.open", ok, server="server", name=NAME)
        self.call("server", "server.begin_configuration", ok, server="server", timeout=0)
        self.call("server", "server.end_configuration", ok, server="server")
        self.call("primary", "set.get_configuration", ok | {"config": {}}, set="s1", timeout=10_000)
        self.call("secondary 1", "set.open_in_secondary_ex", ok, set="s2", name=NAME)
        self.call("server", "server.open_device", ok, server="server", name=NAME)
        self.call("primary", "set.open_device", ok | {"opened": True}, set="s1", name=NAME, device="d")
        allocated = ok | {"address": hex(SERVERS)}
        self.call("server", "server.allocate_buffer", allocated, server="server", size=SIZE, alignment=1)
        self.send(tag=1, buffer=SERVERS)
        self.fetch()
        self.call("primary", "set.get_buffer_handle", ok | {"handle": 7}, set="s1", address=hex(BUFFER))

    def send(self, tag: int, buffer: int) -> int:
        """The server sends a Write."""
        values: dict[str, Any] = {"code": VDC_WRITE, "size": SIZE, "position": "0x0", "buffer": hex(buffer), "tag": tag}
        return self.call("server", "server.send_command", {"code": NOERROR}, server="server", device=NAME, **values)

    def fetch(self, code: int = NOERROR, command: Mapping[str, Any] | None = None) -> int:
        """The primary fetches it."""
        record = {"address": hex(RECORD), "code": VDC_WRITE, "size": SIZE, "position": "0x0", "buffer": hex(BUFFER)}
        answer = {"code": code, "command": (record | dict(command or {})) if code == NOERROR else None}
        return self.call("primary", "device.get_command", answer, device="d", timeout=0)

    def complete(self, code: int = NOERROR, transferred: int = SIZE) -> int:
        """The primary completes it with success."""
        values: dict[str, Any] = {
            "command": hex(RECORD),
            "completion_code": 0,
            "bytes_transferred": transferred,
            "position": "0x0",
        }
        return self.call("primary", "device.complete_command", {"code": code}, device="d", **values)

    def completion(self, tag: int = 1, transferred: int = SIZE, code: int = 0) -> int:
        """The server sees its end."""
        record = {"tag": tag, "device": NAME, "code": code, "bytes_transferred": transferred, "thread_of_sender": False}
        return self.call("server", "server.next_completion", {"completion": record}, server="server", timeout=10_000)

    def map(self, address: int = 0x70000, handle: int = 7, code: int = NOERROR) -> int:
        """The secondary maps the handle."""
        answer = {"code": code, "address": hex(address) if code == NOERROR else None}
        return self.call("secondary 1", "set.map_buffer_handle", answer, set="s2", handle=handle)

    def store(self, process: str, address: int, data: bytes) -> int:
        """A process stores bytes."""
        return self.call(process, "memory.write", {}, address=hex(address), data=data.hex())

    def look(self, process: str, address: int, data: bytes) -> int:
        """A process sees bytes."""
        return self.call(process, "memory.read", {"data": data.hex()}, address=hex(address), size=len(data))
