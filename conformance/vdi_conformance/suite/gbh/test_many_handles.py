"""Handles where there are very many of them, and much memory behind them: only --endurance goes that far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.harness.endurance import LOT
from vdi_conformance.harness.judging import ConformanceFailure, Needed, judging, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    mark,
    require_same_contents,
    require_same_memory,
    require_unchanged,
)
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, MIN_BLOCK_SIZE, TRANSFER_SIZE_UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.endurance import Endurance, Progress
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.testbed import Testbed

pytestmark = pytest.mark.vdi_endurance
MAPPED: Final = 4_096
"""So often a handle is mapped at the most: an implementation may map anew each time, and a system has its limit."""
AREA: Final = 64 << 20


@vdi_requirement("GBH-01", "MBH-01", "MBH-02")
def test_handles_do_not_run_out(testbed: Testbed, endurance: Endurance, progress: Progress) -> None:
    """GetBufferHandle of one buffer gives NOERROR more than 65,536 times, and what it gives maps to the same memory."""
    scripted = testbed.scripted(Scenario(secondaries=1))
    scripted.send(scripted.allocate())
    command = scripted.device.next_command()
    marked = mark(fetched_view(command), command.size, testbed.seed)
    every = -(-endurance.handles // LOT // MAPPED)
    views: list[BufferView] = []
    for number, lot in enumerate(progress.lots(endurance.handles, "handles"), 1):
        handles = _handles([command] * lot)
        if number % every == 0:
            views = _views(scripted, handles[-1:])
    require_unchanged(marked)
    with judging("MBH-02"):
        require_same_memory(command.size, fetched_view(command), *views, seed=testbed.seed)


@vdi_requirement("GBH-01", "GBH-02", "MBH-01", "MBH-02")
def test_thousands_of_buffers_are_told_apart(testbed: Testbed, endurance: Endurance, progress: Progress) -> None:
    """Of thousands of buffers in one set each has a handle that maps to it, and is none of those that are held."""
    scripted = testbed.scripted(
        Scenario(devices=2, secondaries=1, buffer_count=1, max_transfer_size=TRANSFER_SIZE_UNIT)
    )
    scripted.primary.most_commands = 2 * endurance.buffers
    scripted.server.request_buffers(MIN_BLOCK_SIZE, 1, endurance.buffers).expect(NOERROR, by=Needed("SRV-09"))
    held = _fetched(scripted, 1, TRANSFER_SIZE_UNIT, device=1) + _fetched(scripted, LOT, MIN_BLOCK_SIZE, device=1)
    taken = _distinct(_handles(held))
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(held)]
    for lot in progress.lots(endurance.buffers - LOT, "buffers"):
        commands = _fetched(scripted, lot, MIN_BLOCK_SIZE)
        _see_each(scripted, commands, taken)
        _complete(scripted, commands)
    require_unchanged(*marked)


@vdi_requirement("GBH-01", "GBH-02", "MBH-01", "MBH-02")
def test_buffers_of_more_than_a_gib_are_shared(testbed: Testbed, endurance: Endurance, progress: Progress) -> None:
    """Buffers of one set that come to more than 1 GiB, in areas of 64 MiB, have handles that map to each of them."""
    each = AREA // MAX_TRANSFER_SIZE
    areas = endurance.bytes // AREA
    scripted = testbed.scripted(
        Scenario(devices=2, secondaries=1, buffer_count=each, max_transfer_size=MAX_TRANSFER_SIZE)
    )
    held = _fetched(scripted, 1, MAX_TRANSFER_SIZE, device=1)
    taken = _distinct(_handles(held))
    marked = [mark(fetched_view(command), command.size, 1) for command in held]
    _see_each(scripted, rest := _fetched(scripted, each - 1, MAX_TRANSFER_SIZE), taken)
    _complete(scripted, rest)
    for _ in progress.over(range(areas - 1), areas - 1, "areas of 64 MiB"):
        scripted.request_buffers(each)
        commands = _fetched(scripted, each, MAX_TRANSFER_SIZE)
        _see_each(scripted, commands, taken)
        _complete(scripted, commands)
    require_unchanged(*marked)


def _fetched(scripted: ScriptedSet, number: int, size: int, device: int = 0) -> list[Fetched]:
    """Take so many further buffers, and fetch a command with each."""
    allocated = scripted.server.allocate_buffers(size, 1, number)
    buffers = [one.expect(NOERROR, by=Needed("SRV-09")) for one in allocated]
    sending = [scripted.start_to_send(buffer, size=size, device=device) for buffer in buffers]
    scripted.all_sent(sending)
    fetching = [scripted.devices[device].send_get_command() for _ in range(number)]
    return [one.result().expect(NOERROR, by=Needed("CMD-01")) for one in fetching]


def _handles(commands: Sequence[Fetched]) -> list[int]:
    """Ask for the handle of each buffer."""
    asked = [command.device.client.send_get_buffer_handle(command.buffer) for command in commands]
    return [one.result().expect(NOERROR, by="GBH-01") for one in asked]


def _distinct(handles: Sequence[int], taken: frozenset[int] = frozenset()) -> frozenset[int]:
    """Fail the check where two buffers have one handle."""
    if len(set(handles)) < len(handles) or taken.intersection(handles):
        raise ConformanceFailure("two buffers that are held at once have the same handle", by="GBH-02")
    return frozenset(handles)


def _views(scripted: ScriptedSet, handles: Sequence[int]) -> list[BufferView]:
    """Map each handle in the secondary."""
    other = scripted.secondaries[0]
    mapping = [other.send_map_buffer_handle(handle) for handle in handles]
    return [BufferView(other, one.result().expect(NOERROR, by="MBH-01")) for one in mapping]


def _see_each(scripted: ScriptedSet, commands: Sequence[Fetched], taken: frozenset[int]) -> None:
    """See that the handle of each buffer is its own, and that another process maps it to the same bytes."""
    handles = _handles(commands)
    _distinct(handles, taken)
    views = _views(scripted, handles)
    for number, command in enumerate(commands):
        mark(fetched_view(command), command.size, number)
    with judging("MBH-02"):
        for command, view in zip(commands, views, strict=True):
            require_same_contents(command.size, fetched_view(command), view)


def _complete(scripted: ScriptedSet, commands: Sequence[Fetched]) -> None:
    """Complete these commands, and let the server see it."""
    completing = [command.device.send_complete(command, 0, command.size) for command in commands]
    for one in completing:
        one.result().expect(NOERROR, by=Needed("CMP-01"))
    for _ in commands:
        if scripted.completion() is None:
            raise ConformanceFailure("a completion did not reach the server", by=Needed("CMP-01"))
