"""Whether several processes look at the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import ConformanceFailure, Needed, not_tested
from vdi_conformance.harness.memory import Seeded, Stretch, digests_of
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import MAX_ALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.memory import ProcessMemory


HANDLE: Final = Needed("GBH-01")
MAPPING: Final = Needed("MBH-01")
SAME_MEMORY: Final = Needed("MBH-02")
"""What most checks of buffers need of handles and mappings."""


@dataclass(frozen=True)
class BufferView:
    """An address at which a process sees a buffer."""

    process: ProcessMemory
    address: int


def fetched_view(command: Fetched) -> BufferView:
    """How the process that fetched a command sees its buffer."""
    return BufferView(command.device.client, command.buffer)


@dataclass(frozen=True)
class Marked:
    """What a client stored, and must find again as long as the memory is its own."""

    view: BufferView
    size: int
    digest: str


def mark(view: BufferView, size: int, seed: int) -> Marked:
    """Store recognisable contents through a view, and note them."""
    (digest,) = view.process.fill_and_digest([Stretch(view.process, view.address, size)], seed)
    return Marked(view, size, digest)


def require_unchanged(*marked: Marked) -> None:
    """Fail the check unless everything that was marked is still there."""
    for one in marked:
        if one.view.process.digest(one.view.address, one.size) != one.digest:
            raise ConformanceFailure(
                f"the {one.size} bytes of {one.view.process.name} at {one.view.address:#x} were changed by another",
                by=Needed("BUF-01"),
            )


def zone_view(command: Fetched, size: int) -> BufferView:
    """How the process that fetched a command sees the prefix zone of its buffer."""
    return BufferView(command.device.client, command.buffer - size)


def handle_of(command: Fetched) -> int:
    """Ask, in the process that fetched a command, for the handle of its buffer."""
    return command.device.client.get_buffer_handle(command.buffer).expect(NOERROR, by=HANDLE)


def mapped_view(client: Client, handle: int) -> BufferView:
    """Map a handle, and give the way in which that process sees the buffer."""
    return BufferView(client, client.map_buffer_handle(handle).expect(NOERROR, by=MAPPING))


def require_same_contents(size: int, *views: BufferView) -> None:
    """Fail the check unless all views show the same bytes."""
    require_each_the_same(size, [views])


def require_each_the_same(size: int, buffers: Sequence[Sequence[BufferView]]) -> None:
    """Fail the check unless all views of each of these buffers show the same bytes; all processes look at once."""
    digests = iter(digests_of([Stretch(view.process, view.address, size) for views in buffers for view in views]))
    for first, *others in buffers:
        wanted = next(digests)
        for view in others:
            if next(digests) != wanted:
                raise ConformanceFailure(other_bytes(view, first), by=SAME_MEMORY)


def other_bytes(view: BufferView, first: BufferView) -> str:
    """Say that a view shows other bytes than another one of the same buffer."""
    return (
        f"{view.process.name} sees other bytes at its address {view.address:#x} than {first.process.name} at "
        f"{first.address:#x}"
    )


def require_same_memory(size: int, *views: BufferView, seed: int) -> None:
    """Fail the check unless what is stored through each view, over the whole size, shows in every other one.

    The bytes that were there before are compared first and replaced afterwards.
    """
    require_same_contents(size, *views)
    for number, (writer, reader) in enumerate(permutations(views, 2)):
        writer.process.fill(writer.address, Seeded(seed + number), size)
        require_same_contents(size, writer, reader)


def require_distinct(names: dict[str, int], what: str) -> None:
    """Fail the check where two of these numbers are equal."""
    for (one, left), (other, right) in combinations(names.items(), 2):
        if left == right:
            raise ConformanceFailure(f"{one} and {other} have the same {what}: {left:#x}")


def need_different_addresses(*views: BufferView) -> None:
    """End the check as not tested where processes happen to see the buffer at equal addresses."""
    if len({view.address for view in views}) < len(views):
        not_tested("processes saw the buffer at equal addresses, so that a handle which is an address looks right")


def is_inside(mapped: BufferView, size: int, buffers: Sequence[BufferView], seed: int) -> bool:
    """Tell whether the byte at a mapped address is, turn after turn, one of those in these buffers.

    Addresses are not compared: each mapping may lie elsewhere. What the buffers held is replaced.
    """
    candidates: set[tuple[int, int]] | None = None
    for turn in range(4):
        for number, buffer in enumerate(buffers):
            buffer.process.fill(buffer.address, Seeded(seed + turn * len(buffers) + number), size)
        contents = [buffer.process.read(buffer.address, size) for buffer in buffers]
        seen = mapped.process.read(mapped.address, 1)[0]
        if candidates is None:
            candidates = {(n, at) for n, content in enumerate(contents) for at in range(size) if content[at] == seen}
        candidates = {(n, at) for n, at in candidates if contents[n][at] == seen}
    return bool(candidates)


def require_inside(mapped: BufferView, size: int, buffers: Sequence[BufferView], seed: int) -> None:
    """Fail the check unless a mapped address lies inside one of these buffers."""
    if not is_inside(mapped, size, buffers, seed):
        raise ConformanceFailure(f"{mapped.process.name} was given the address of other memory", by=SAME_MEMORY)


def keep_free(process: Client, command: Fetched) -> None:
    """Reserve the fetcher's addresses in another process, or find that they are reserved there already."""
    first = command.buffer // MAX_ALIGNMENT * MAX_ALIGNMENT
    process.reserve(first, command.buffer + command.size - first)
    if process.has_memory_at(command.buffer):
        not_tested("the other process has memory of its own at the fetcher's address")
