"""Reads and Writes that pass over every device of a set at once, digested at both ends."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import COMPLETE_COMMAND, GET_COMMAND
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.memory import Seeded, Stretch, digests_of
from vdi_conformance.harness.shared_memory import BufferView, fetched_view, other_bytes
from vdi_conformance.vdi.commands import VDC_WRITE
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.scripted_set import ScriptedSet

BLOCKS: Final = 16
"""So many blocks has a transfer at the most: small ones, since their number is what counts."""


class Transfers:
    """Passes round after round of transfers, one of each device, and looks at all bytes from both ends.

    What is stored follows from the seed. A Write that shows other bytes breaks BUF-03, a Read BUF-04, and a command
    that comes to another device CMD-12.
    """

    def __init__(self, scripted: ScriptedSet, seed: int) -> None:
        self._scripted = scripted
        self._draw = random.Random(seed)
        self._buffers = [scripted.allocate() for _ in scripted.devices]
        self._sent = 0

    def pass_round(self, code: int) -> None:
        """Pass one Read or Write over each device."""
        block = self._scripted.scenario.block_size
        sizes = [block * self._draw.randint(1, BLOCKS) for _ in self._buffers]
        at_server = [BufferView(self._scripted.server, buffer) for buffer in self._buffers]
        if code == VDC_WRITE:
            stored = self._store(at_server, sizes)
            tags, commands = self._passed(code, sizes)
            _require_stored(at_server, [*map(fetched_view, commands)], sizes, stored, by="BUF-03")
            self._complete(tags, commands)
        else:
            tags, commands = self._passed(code, sizes)
            at_clients = [*map(fetched_view, commands)]
            stored = self._store(at_clients, sizes)
            self._complete(tags, commands)
            _require_stored(at_clients, at_server, sizes, stored, by="BUF-04")

    def _store(self, views: Sequence[BufferView], sizes: Sequence[int]) -> list[str]:
        """Store something new through each view, and give the digests of it."""
        filling = [
            view.process.start_fill(view.address, Seeded(self._draw.getrandbits(31)), size)
            for view, size in zip(views, sizes, strict=True)
        ]
        for one in filling:
            one()
        return _digests(views, sizes)

    def _passed(self, code: int, sizes: Sequence[int]) -> tuple[list[int], list[Fetched]]:
        """Send a command to each device and fetch it there; give the tags of all, and what was fetched."""
        positions = range(self._sent, self._sent + len(sizes))
        self._sent += len(sizes)
        sending = [
            self._scripted.start_to_send(self._buffers[device], code, size, positions[device], device)
            for device, size in enumerate(sizes)
        ]
        tags = self._scripted.all_sent(sending)
        fetching = [device.send_get_command() for device in self._scripted.devices]
        commands = [one.result().expect(NOERROR, by=GET_COMMAND) for one in fetching]
        for command, size, position in zip(commands, sizes, positions, strict=True):
            if (command.size, command.position) != (size, position):
                sentence = f"{command.device.name} handed out another command than the one that it was sent"
                raise ConformanceFailure(sentence, by="CMD-12")
        return tags, commands

    def _complete(self, tags: Sequence[int], commands: Sequence[Fetched]) -> None:
        """Complete each command with success, and let the server see it."""
        completing = [command.device.send_complete(command, ERROR_SUCCESS, command.size) for command in commands]
        for one in completing:
            one.result().expect(NOERROR, by=COMPLETE_COMMAND)
        self._scripted.all_completed(dict(zip(tags, (command.size for command in commands), strict=True)))


def _digests(views: Sequence[BufferView], sizes: Sequence[int]) -> list[str]:
    return digests_of([Stretch(view.process, view.address, size) for view, size in zip(views, sizes, strict=True)])


def _require_stored(
    stored_by: Sequence[BufferView], views: Sequence[BufferView], sizes: Sequence[int], stored: Sequence[str], by: str
) -> None:
    """Fail the check unless these views show what was stored."""
    for first, view, wanted, found in zip(stored_by, views, stored, _digests(views, sizes), strict=True):
        if found != wanted:
            raise ConformanceFailure(other_bytes(view, first), by=by)
