"""The buffer pool of a set: areas of shared memory, the buffers in them, and their handles.

An area is one shared segment. It is cut into slots, one for each buffer that was requested, so that whatever
order they are allocated in, the requested number always fits. A slot is [prefix zone][data]; offsets are those
of the data, and every process maps an area at a multiple of the largest alignment, so offsets decide alignment.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.vdi.structures import MAX_ALIGNMENT

if TYPE_CHECKING:
    from random import Random


AREA_LIMIT: Final = 1 << 30
"""The largest area in bytes; what is larger counts as out of memory."""

_HANDLES: Final = 1 << 32


class BufferRequest(NamedTuple):
    """`number` buffers of `size` bytes, aligned to `alignment`."""

    size: int
    alignment: int
    number: int


class Slot:
    """Room for one buffer at `offset` of the area of that number.

    `allocated` is the size that the server took (0: free), `busy` says that a command with it is outstanding,
    `holder` who fetched that command and so owns the bytes.
    """

    __slots__ = ("allocated", "area", "busy", "handle", "holder", "offset", "size")

    def __init__(self, area: int, offset: int, size: int, handle: int) -> None:
        self.area = area
        self.offset = offset
        self.size = size
        self.handle = handle
        self.allocated = 0
        self.busy = False
        self.holder: object = None

    def fits(self, size: int, alignment: int) -> bool:
        """Tell whether a buffer of that size and alignment can be had here now."""
        return not self.allocated and self.size >= size and self.offset % alignment == 0


class BufferPool:
    """All buffers of one set, shared by its devices."""

    def __init__(self, first_handle: int) -> None:
        self.prefix = 0
        self.alignment = 1
        self.areas: list[int] = []
        self.lengths: dict[int, int] = {}
        self.wanted: list[BufferRequest] = []
        self._first_handle = first_handle
        self._slots: list[Slot] = []
        self._taken_first = 0
        self._by_place: dict[tuple[int, int], Slot] = {}

    def request(self, size: int, alignment: int, number: int) -> None:
        """Note a wish; the next area fulfils it."""
        self.wanted.append(BufferRequest(size, max(alignment, self.alignment), number))

    def wanted_length(self) -> int:
        """Give the length in bytes of an area for all wishes (0 where there is none)."""
        cursor = 0
        for size, alignment, number in self.wanted:
            first = _up(cursor + self.prefix, alignment)
            stride = _up(size + self.prefix, alignment)
            cursor = first + (number - 1) * stride + size
        return _up(cursor, MAX_ALIGNMENT)

    def add_area(self, area: int) -> None:
        """Fulfil all wishes with a new area, which must be as long as `wanted_length` said."""
        self.lengths[area] = self.wanted_length()
        cursor = 0
        for size, alignment, number in self.wanted:
            for _ in range(number):
                offset = _up(cursor + self.prefix, alignment)
                self._add_slot(area, offset, size)
                cursor = offset + size
        self.wanted.clear()

    def _add_slot(self, area: int, offset: int, size: int) -> None:
        slot = Slot(area, offset, size, (self._first_handle + len(self._slots)) % _HANDLES)
        self._slots.append(slot)
        self._by_place[area, offset] = slot

    def allocate(self, size: int, alignment: int) -> Slot | None:
        """Take the smallest free slot that fits, the first one of several, or None."""
        alignment = max(alignment, self.alignment)
        found: Slot | None = None
        for slot in itertools.islice(self._slots, self._taken_first, None):
            if slot.fits(size, alignment) and (found is None or slot.size < found.size):
                found = slot
                if slot.size == size:
                    break
        if found is not None:
            found.allocated = size
            # A pool of thousands is taken from its start on, and would be searched from there each time.
            while self._taken_first < len(self._slots) and self._slots[self._taken_first].allocated:
                self._taken_first += 1
        return found

    def free(self, slot: Slot) -> None:
        """Let a slot that was taken be taken again."""
        slot.allocated = 0
        self._taken_first = 0

    def available(self, size: int, alignment: int) -> int:
        """Count the buffers of that size and alignment that could still be allocated, wishes included."""
        alignment = max(alignment, self.alignment)
        free = sum(slot.fits(size, alignment) for slot in self._slots)
        return free + sum(wish.number for wish in self.wanted if wish.size >= size and wish.alignment >= alignment)

    def at(self, area: int, offset: int) -> Slot | None:
        """Find the allocated buffer whose data starts exactly there."""
        slot = self._by_place.get((area, offset))
        return slot if slot is not None and slot.allocated else None

    def held_at(self, area: int, offset: int) -> Slot | None:
        """Find the buffer that starts there, if a client holds it."""
        slot = self._by_place.get((area, offset))
        return slot if slot is not None and slot.holder is not None else None

    def held_under(self, handle: int) -> Slot | None:
        """Find the buffer that a handle names, if a client holds it."""
        index = (handle - self._first_handle) % _HANDLES
        if index >= len(self._slots):
            return None
        slot = self._slots[index]
        return slot if slot.holder is not None else None

    def release(self, holder: object) -> None:
        """Take everything from a holder that leaves."""
        for slot in self._slots:
            if slot.holder is holder:
                slot.holder = None


def draw_first_handle(random: Random) -> int:
    """Draw where the handles of a set begin: anywhere, or so that they soon pass 0 or 0x80000000."""
    start = (random.randrange(_HANDLES), 0, 0x80000000)[random.randrange(3)]
    return (start - random.randrange(3)) % _HANDLES


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
