"""An address layout of its own for each live host, so that a handle which is only a pointer cannot look right.

Hosts that are forked from one process map things at the same addresses. Each live host has a slot and reserves a slice
of address space that is longer than the next one's by more than they take; fresh maps then begin at the far edge of
the slice.
The holes that are left elsewhere are plugged, because a fresh map takes the first hole that fits. The low 32 bits of
the edge differ too, since a handle may be a truncated pointer: each slot has 32 MiB of its own in them, and starts at
a random place in the first half of these. A 32-bit process has no more than those bits: its slices are short, and there
is room for some 50 of them.
"""

import ctypes
import os
import sys
from typing import Final

from vdi_conformance.host.child import pages

SLOTS: Final = 100
_ROOMY: Final = ctypes.sizeof(ctypes.c_void_p) == 8
_LOW: Final = 1 << (32 if _ROOMY else 24)
# A reservation costs nothing on Linux. Wine writes down every page of it, so that much would take longer there than all
# else that a host does to start.
_BAND: Final = (4 if sys.platform == "win32" else 64) << 30 if _ROOMY else 256 << 20
_SLICE: Final = (8 if sys.platform == "win32" else 256) << 30 if _ROOMY else 64 << 20
_LOW_SLICE: Final = 32 << 20
_PLUGS: Final = tuple(1 << power for power in range(30 if _ROOMY else 27, 11, -1))
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


def separate(slot: int, plugged: bool = False) -> bool:
    """Give this process the layout of `slot`, before anything of the adapter is mapped; tell whether it worked.

    Where the process that it was forked from had its holes `plugged`, nothing but the slice is left to be reserved.
    """
    if slot == 0:
        return False
    fresh = _reserve_slice(slot * _SLICE, slot * _LOW_SLICE + _random_part())
    if fresh is None:
        return False
    if plugged and _lands_there(fresh):
        return True
    _plug_holes(fresh)
    return _lands_there(fresh)


def plug_holes() -> None:
    """Plug the holes of a process that is going to be forked, so that its forks need not each do that themselves."""
    start = pages.reserve(_BAND)
    if start is not None:
        pages.free(start, _BAND)
        _plug_holes(range(start, start + _BAND))


def _plug_holes(fresh: range) -> None:
    left = _MOST_PLUGS
    for size in _PLUGS:
        left = _plug(size, fresh, left)


def _reserve_slice(size: int, low: int) -> range | None:
    """Reserve a bit more than `size`; give where fresh maps will lie, at whose near edge the low bits are `low`."""
    first, probe = pages.reserve(size), pages.reserve(_BAND)
    if first is None or probe is None:
        return None
    # Linux places maps at falling addresses, Windows at rising ones, Wine does both.
    rising = probe > first
    more = (low - first - size) % _LOW if rising else (first - low) % _LOW
    pages.free(first, size)
    pages.free(probe, _BAND)
    start = pages.reserve(size + more)
    if start is None:
        return None
    edge = start + size + more
    return range(edge, edge + _BAND) if rising else range(start - _BAND, start)


def _random_part() -> int:
    grains = _LOW_SLICE // 2 // pages.GRAIN
    return (int.from_bytes(os.urandom(4), "little") % grains) * pages.GRAIN


def _plug(size: int, fresh: range, left: int) -> int:
    """Keep what lands in a hole elsewhere; give how many plugs may still be made."""
    while left:
        address = pages.reserve(size)
        if address is None:
            return left
        if address in fresh:
            pages.free(address, size)
            return left
        left -= 1
    return 0


def _lands_there(fresh: range) -> bool:
    return all(_lands_in(fresh, size) for size in _PROBES)


def _lands_in(fresh: range, size: int) -> bool:
    address = pages.reserve(size)
    if address is None:
        return False
    pages.free(address, size)
    return address in fresh
