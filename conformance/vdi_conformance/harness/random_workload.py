"""A play on one scripted set: work in any order, by any of its processes, and what must come of it.

It takes no part in what is only recommended or left open: commands of one device are completed in their order, on the
device that handed them out, with success; a handle is asked for once, and mapped once in each other process.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.exploration import telling
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_same_contents,
)
from vdi_conformance.vdi.commands import VDC_READ, VDC_WRITE
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.scripted_set import ScriptedSet

OUTSTANDING: Final = 2
"""So many commands are outstanding on one device at most: more need not fit into its queue."""
ACTIONS: Final = (
    "rest",
    "send",
    "fetch",
    "share",
    "store",
    "complete",
    "complete_again",
    "map_a_stale_handle",
)


@dataclass(frozen=True)
class Action:
    """What is done, and three numbers that choose with what; a step that finds nothing to do does nothing."""

    act: str
    first: int
    second: int
    third: int


@dataclass
class _SentCommand:
    """A command on its way, with the digest of what the server stored for it."""

    tag: int
    buffer: int
    code: int
    size: int
    digest: str


@dataclass
class _HeldCommand:
    """A command in the hands of its fetcher, and who sees its buffer where."""

    sent: _SentCommand
    command: Fetched
    views: list[BufferView]
    handle: int | None = None


class RandomWorkload:
    """A set with what the play knows of it."""

    def __init__(self, scripted: ScriptedSet, seed: int) -> None:
        self._scripted = scripted
        self._seed = seed
        self._free = deque(scripted.allocate() for _ in range(scripted.scenario.buffer_count))
        self._queued: dict[Device, deque[_SentCommand]] = {device: deque() for device in scripted.devices}
        self._held: dict[Device, deque[_HeldCommand]] = {device: deque() for device in scripted.devices}
        self._completed: dict[Device, Fetched] = {}
        self._stale: list[int] = []
        self._story: list[str] = []

    def perform(self, steps: Sequence[Action]) -> None:
        """Take these steps, then complete what is outstanding; a failure tells the story that led to it."""
        self._story.clear()
        with telling(lambda: "; ".join(self._story)):
            for step in steps:
                self._take(step)
            self._finish()

    def _take(self, step: Action) -> None:
        device = self._scripted.devices[step.first % len(self._scripted.devices)]
        match step.act:
            case "send":
                self._send(device, step.second, step.third)
            case "fetch":
                self._fetch(device)
            case "share":
                self._share(device, step.second)
            case "store":
                self._store(device, step.second, step.third)
            case "complete":
                self._complete(device, step.second)
            case "complete_again":
                self._complete_again(device)
            case "map_a_stale_handle":
                self._map_a_stale_handle(step.second, step.third)

    def _send(self, device: Device, second: int, third: int) -> None:
        if not self._free or len(self._queued[device]) + len(self._held[device]) >= OUTSTANDING:
            return
        scenario = self._scripted.scenario
        buffer, code = self._free.popleft(), (VDC_WRITE, VDC_READ)[second % 2]
        size = scenario.block_size * (1 + third % (scenario.max_transfer_size // scenario.block_size))
        self._seed += 1
        self._scripted.server.fill(buffer, Seeded(self._seed), size)
        digest = self._scripted.server.digest(buffer, size)
        number = self._scripted.devices.index(device)
        tag = self._scripted.send(buffer, code, size, device=number)
        self._queued[device].append(_SentCommand(tag, buffer, code, size, digest))
        self._tell(f"the server sends command {tag}, a {_name(code)} of {size} bytes, on device {number}")

    def _fetch(self, device: Device) -> None:
        if not self._queued[device]:
            return
        sent, command = self._queued[device].popleft(), device.next_command()
        self._completed = {other: one for other, one in self._completed.items() if other.client is not device.client}
        self._held[device].append(_HeldCommand(sent, command, [fetched_view(command)]))
        self._tell(f"{device.client.name} fetches command {sent.tag}")
        if (command.code, command.size) != (sent.code, sent.size):
            raise ConformanceFailure(f"it came as a {_name(command.code)} of {command.size} bytes", by="CMD-11")
        if sent.code == VDC_WRITE and device.client.digest(command.buffer, sent.size) != sent.digest:
            raise ConformanceFailure("it came with other bytes than the server stored", by="BUF-03")

    def _share(self, device: Device, second: int) -> None:
        if not self._held[device]:
            return
        held = self._held[device][second % len(self._held[device])]
        mapper = self._scripted.clients[second // 2 % len(self._scripted.clients)]
        if mapper in [view.process for view in held.views]:
            return
        self._tell(f"{mapper.name} maps the buffer of command {held.sent.tag}")
        if held.handle is None:
            taken = {one.handle for every in self._held.values() for one in every}
            held.handle = handle_of(held.command)
            if held.handle in taken:
                raise ConformanceFailure(
                    f"two buffers that are held have the same handle: {held.handle:#x}", by="GBH-02"
                )
        held.views.append(mapped_view(mapper, held.handle))
        require_same_contents(held.sent.size, *held.views)

    def _store(self, device: Device, second: int, third: int) -> None:
        if not self._held[device]:
            return
        held = self._held[device][second % len(self._held[device])]
        writer = held.views[second // 2 % len(held.views)]
        self._seed += 1
        offset = third * held.sent.size // 256
        size = held.sent.size - offset
        writer.process.fill(writer.address + offset, Seeded(self._seed), size)
        self._tell(f"{writer.process.name} stores the last {size} bytes of command {held.sent.tag}")
        require_same_contents(held.sent.size, *held.views)

    def _complete(self, device: Device, second: int) -> None:
        if not self._held[device]:
            return
        held = self._held[device].popleft()
        require_same_contents(held.sent.size, *held.views)
        count = held.sent.size * (8 - second) // 8 if held.sent.code == VDC_READ else held.sent.size
        digest = device.client.digest(held.command.buffer, count)
        self._tell(f"{device.client.name} completes command {held.sent.tag} with {count} bytes")
        device.complete(held.command, ERROR_SUCCESS, count).expect(NOERROR, by="CMP-01")
        self._scripted.completed(held.sent.tag, ERROR_SUCCESS, count)
        if held.sent.code == VDC_READ and self._scripted.server.digest(held.sent.buffer, count) != digest:
            raise ConformanceFailure("the server sees other bytes than the clients saw", by="BUF-04")
        self._completed[device] = held.command
        if held.handle is not None:
            self._stale.append(held.handle)
        self._free.append(held.sent.buffer)

    def _complete_again(self, device: Device) -> None:
        """Only where nothing was fetched since in that process: the address may be another command's then."""
        if device in self._completed:
            self._tell(f"{device.client.name} completes the command before once more")
            device.complete(self._completed[device].address, ERROR_SUCCESS, 512).expect(VD_E_INVALID, by="CMP-03")

    def _map_a_stale_handle(self, second: int, third: int) -> None:
        """What it gives is not judged here: it must do no harm."""
        if self._stale:
            mapper = self._scripted.clients[third % len(self._scripted.clients)]
            self._tell(f"{mapper.name} maps the handle of a completed command")
            mapper.map_buffer_handle(self._stale[-1 - second % len(self._stale)])

    def _finish(self) -> None:
        for device in self._scripted.devices:
            while self._queued[device]:
                self._fetch(device)
            while self._held[device]:
                self._complete(device, 0)

    def _tell(self, sentence: str) -> None:
        self._story.append(sentence)


def _name(code: int) -> str:
    return {VDC_READ: "Read", VDC_WRITE: "Write"}.get(code, f"command of code {code}")
