"""What a judging server asks for beyond its statement: all of it permitted, and the same by the same seed; pure."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from vdi_conformance.vdi import commands as vdc

UNKNOWN: Final = 999
"""A code that no header has."""
UNSUPPORTED: Final = frozenset({vdc.VDC_GET_ERROR, UNKNOWN})
"""What no client can support: a code without any description, and one without a name."""
JUNK_SIZE: Final = 0x7FFF_FE00
JUNK_POSITION: Final = 0x0BAD_0000_0000_0200
JUNK_BUFFER: Final = 0xDEAD_0000
"""Values of fields that a command does not have: whoever uses them is led astray."""
_LAST: Final = frozenset({vdc.VDC_SNAPSHOT, vdc.VDC_MOUNT_SNAPSHOT, vdc.VDC_COMPLETE})
"""After these nothing but the close may follow, so nothing is put before them either."""
_WITH_SIZE: Final = frozenset({vdc.VDC_SKIP_MARKS, vdc.VDC_SKIP_BLOCKS, vdc.VDC_LOAD})
_PLAIN: Final = 2
"""So many Reads and Writes of a device come first as the statement wants them."""


class Fields(NamedTuple):
    """What a command is sent with beside its code."""

    size: int
    position: int
    buffer: int


class Probes:
    """What one device is asked for."""

    def __init__(self, seed: object, features: int, block_size: int) -> None:
        self._random = Random(f"{seed}")
        self._is_backup = bool(features & vdc.VDF_WRITE_MEDIA)
        self._random_access = bool(features & vdc.VDF_RANDOM_ACCESS)
        self._has_positions = bool(features & (vdc.VDF_POSITION | vdc.VDF_RANDOM_ACCESS))
        self._block_size = block_size
        self._moved = 0
        self._before = self._chosen()

    def _chosen(self) -> dict[int, list[int]]:
        """Choose before which Reads and Writes, counted from 0, which codes are sent."""
        wanted = [vdc.VDC_GET_ERROR, UNKNOWN]
        self._random.shuffle(wanted)
        # All at once, since a short stream has room for little else.
        first = [vdc.VDC_FLUSH] if self._is_backup else []
        return {
            _PLAIN: [*first, wanted[0]],
            _PLAIN + 1: [vdc.VDC_GET_POSITION] * self._has_positions,
            _PLAIN + 2: wanted[1:],
        }

    def before(self, code: int) -> list[int]:
        """Give the codes of the commands to be sent before one of that code."""
        return self._before.pop(self._moved, []) if code in vdc.DATA_COMMANDS else []

    def size_of(self, code: int, size: int) -> int:
        """Give the size of a Read, which may be any number of blocks."""
        blocks = size // self._block_size
        if code != vdc.VDC_READ or self._moved < _PLAIN or self._moved % 2 or blocks < 2:
            return size
        return self._random.randrange(min(2, blocks - 1), blocks) * self._block_size

    def fields(self, code: int, fields: Fields, place: int) -> tuple[Fields, bool]:
        """Give the fields to send, and whether the position of a Read or Write now means nothing.

        Where no position is asked for, the others are that of the byte, `place`, which harms nobody who goes there.
        """
        if code in vdc.DATA_COMMANDS:
            self._moved += 1
            if self._random_access:
                return fields, False
            junk = self._moved > _PLAIN and bool(self._moved % 2)
            return fields._replace(position=JUNK_POSITION if junk else place), junk
        if code in _LAST or code == vdc.VDC_SET_POSITION:
            return fields, False
        size = fields.size if code in _WITH_SIZE else JUNK_SIZE
        return Fields(size, JUNK_POSITION, JUNK_BUFFER), False
