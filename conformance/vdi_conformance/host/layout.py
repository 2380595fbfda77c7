"""An address layout of its own for each live host, so that a handle which is only a pointer cannot look right.

Hosts that are forked from one process map things at the same addresses. Each live host has a slot and reserves a
slice that is longer than the next one's by 256 GiB. The holes that are left on the near side of the slice are plugged
as well, because a fresh map takes the first hole that fits. The low 32 bits differ too, since a handle may be a
truncated pointer: each slot has 32 MiB of its own in them, and starts at a random place in the first half of these.
"""

import ctypes
import os
from typing import Final

from vdi_conformance.host import pages

SLOTS: Final = 100
_SLICE: Final = 256 << 30
_LOW: Final = 1 << 32
_LOW_SLICE: Final = 32 << 20
_PLUGS: Final = tuple(1 << power for power in range(30, 11, -1))
_PROBES: Final = (4096, 65536, 4 << 20, 64 << 20)
_MOST_PLUGS: Final = 4096


class Slots:
    """Which slots are taken by live hosts."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self) -> int:
        """Take the lowest free slot; 0, which is no layout of its own, when all are taken."""
        slot = next((slot for slot in range(1, SLOTS + 1) if slot not in self._taken), 0)
        self._taken.add(slot)
        return slot

    def give_back(self, slot: int) -> None:
        """Free the slot of a host that has ended."""
        self._taken.discard(slot)


def separate(slot: int) -> bool:
    """Give this process the layout of `slot`, before anything of the adapter is mapped; tell whether it worked."""
    if slot == 0 or ctypes.sizeof(ctypes.c_void_p) < 8:
        return False
    start = _reserve_slice(slot * _SLICE, slot * _LOW_SLICE + _random_part())
    if start is None:
        return False
    left = _MOST_PLUGS
    for size in _PLUGS:
        left = _plug(size, start, left)
    return all(_lands_beyond(size, start) for size in _PROBES)


def _reserve_slice(size: int, low: int) -> int | None:
    """Reserve a bit more than `size`, such that the far edge, where fresh maps will begin, has these low 32 bits."""
    start = pages.reserve(size)
    if start is None:
        return None
    more = (low - start - size) % _LOW if pages.GROWS_UP else (start - low) % _LOW
    pages.free(start, size)
    return pages.reserve(size + more)


def _random_part() -> int:
    grains = _LOW_SLICE // 2 // pages.GRAIN
    return (int.from_bytes(os.urandom(4), "little") % grains) * pages.GRAIN


def _beyond(address: int, start: int) -> bool:
    return address > start if pages.GROWS_UP else address < start


def _plug(size: int, start: int, left: int) -> int:
    """Keep what lands in a hole before the slice; give how many plugs may still be made."""
    while left:
        address = pages.reserve(size)
        if address is None:
            return left
        if _beyond(address, start):
            pages.free(address, size)
            return left
        left -= 1
    return 0


def _lands_beyond(size: int, start: int) -> bool:
    address = pages.reserve(size)
    if address is None:
        return False
    pages.free(address, size)
    return _beyond(address, start)
