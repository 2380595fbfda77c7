"""Which numbers of a check's calls differ from run to run, and which earlier call gave each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.report.calls import is_untouched
from vdi_conformance.report.reproduction.program import Known, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from vdi_conformance.evidence.records import Call

LOWEST: Final = 0x10000
"""Lower numbers are no addresses."""
FIRST_POINTER: Final = 0x5500_0000_0000
LAST_POINTER: Final = 1 << 47
"""Between these lie nearly all pointers of a process of Linux; what lies elsewhere is one where a call is given it."""
ZONE: Final = 1 << 16
"""So far before a buffer its prefix zone may begin."""
TRANSFER: Final = 4 << 20
"""So long a buffer of unknown size may be."""
NEIGHBOURS: Final = 16
WORD: Final = 8
HANDLE: Final = 8
"""So many digits has a handle."""
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{5,}")


@dataclass(frozen=True)
class _Area:
    """A number that a call gave: an address with what lies around it, or a handle."""

    name: str
    start: int
    process: str
    before: int = 0
    behind: int = 1
    is_handle: bool = False


class Numbers:
    """The numbers that were given so far, among all of these calls."""

    def __init__(self, calls: Sequence[Call] = ()) -> None:
        self._areas: list[_Area] = []
        self._passed = set(_passed(calls))

    def learn(self, call: Call) -> dict[str, str]:
        """Take what a call gave; name what differs from run to run, each with the member of the answer."""
        if not isinstance(call.answer, dict):
            return {}
        gives = {}
        read = _read(call, call.answer, self._passed) if call.method == "memory.read" else ()
        for area, key in (*_given(call, call.answer), *read):
            if area.start and area.start >= (0 if area.is_handle else LOWEST):
                self._areas.append(area)
                gives[area.name] = key
        return gives

    def address(self, process: str, value: object) -> Number:
        """Say what an address, or another number of 64 bits, is of what is known."""
        number = number_of(value)
        if number < LOWEST:
            return number
        return self._exact(process, number) or self._near(process, number) or number

    def handle(self, value: object) -> Number:
        """Say what a handle is of what is known: one that was given, one beside it, or one with another bit."""
        number = number_of(value)
        known = [area for area in reversed(self._areas) if area.is_handle]
        for area in known:
            if area.start == number:
                return Known(area.name)
        for area in known:
            if abs(number - area.start) <= NEIGHBOURS:
                return Known(area.name, number - area.start)
            if (flipped := number ^ area.start).bit_count() == 1:
                return Known(area.name, flipped=flipped)
        return number

    def is_handle(self, value: int) -> bool:
        """Tell whether a number is a handle that was given."""
        return any(area.is_handle and area.start == value for area in self._areas)

    def words(self, process: str, data: str) -> dict[int, Known]:
        """Find the addresses of a process among bytes, by their offsets."""
        found = {}
        for offset, word in words_of(data):
            known = self._exact(process, word, own=True)
            if known is not None:
                found[offset] = known
        return found

    def told(self, process: str, text: str) -> str:
        """Tell a text with the names of the numbers that differ from run to run."""

        def named(found: re.Match[str]) -> str:
            number = int(found[0], 16)
            known = self._handle_told(number) or self.address(process, number)
            if isinstance(known, Known):
                return expression(known)
            return "..." if number >= 1 << 32 else found[0]

        return _ADDRESS.sub(named, text)

    def _handle_told(self, number: int) -> Known | None:
        known = self.handle(number) if self.is_handle(number) else None
        return known if isinstance(known, Known) else None

    def _exact(self, process: str, number: int, own: bool = False) -> Known | None:
        known = [area for area in reversed(self._areas) if not area.is_handle and area.start == number]
        mine = [area for area in known if area.process == process]
        found = mine or ([] if own else known)
        return Known(found[0].name) if found else None

    def _near(self, process: str, number: int) -> Known | None:
        around = [
            area
            for area in reversed(self._areas)
            if area.process == process and area.start - area.before <= number < area.start + area.behind
        ]
        if not around:
            return None
        nearest = min(around, key=lambda area: (number < area.start, abs(number - area.start)))
        return Known(nearest.name, number - nearest.start)


def expression(known: Known) -> str:
    """Write a number as names and operators, as languages and readers understand it."""
    distance = f" {'-' if known.distance < 0 else '+'} {abs(known.distance):#x}" if known.distance else ""
    return f"{known.name}{distance}{f' ^ {known.flipped:#x}' if known.flipped else ''}"


def words_of(data: str) -> Iterator[tuple[int, int]]:
    """Give each whole word of bytes in hexadecimal with its offset; nothing where that is not what they are."""
    try:
        raw = bytes.fromhex(data)
    except ValueError:
        return
    for offset in range(0, len(raw) - WORD + 1, WORD):
        yield offset, int.from_bytes(raw[offset : offset + WORD], "little")


def _passed(calls: Sequence[Call]) -> Iterator[int]:
    """Give the numbers that calls are given: addresses, and the arguments of compiled functions."""
    for call in calls:
        yield from (number_of(value) for value in call.params.values() if isinstance(value, str))
        arguments = call.params.get("arguments")
        if isinstance(arguments, list):
            yield from (number_of(one.get("value")) for one in arguments if isinstance(one, dict))


def _read(call: Call, answer: Mapping[str, Any], passed: Collection[int]) -> Iterator[tuple[_Area, str]]:
    """Give what are pointers among bytes that were read, or the handle that they are."""
    data = str(answer.get("data"))
    for offset, word in words_of(data):
        if FIRST_POINTER <= word < LAST_POINTER or (word >= LOWEST and word in passed):
            yield _Area(f"word_{call.number}_{offset}", word, call.process), f"data@{offset}"
    if len(data) == HANDLE:
        try:
            number = int.from_bytes(bytes.fromhex(data), "little")
        except ValueError:
            return
        if number >= LOWEST and number in passed:
            yield _Area(f"handle_{call.number}", number, call.process, is_handle=True), "data@0"


def _given(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[_Area, str]]:
    """Give the numbers of an answer that differ from run to run, each with the member that has it."""
    if call.method in _ADDRESSES:
        name, before, behind = _ADDRESSES[call.method]
        size = number_of(call.params.get("size"))
        if not is_untouched("address", answer.get("address")):
            at = number_of(answer.get("address"))
            yield _Area(f"{name}_{call.number}", at, call.process, before, behind or size + 1), "address"
    elif call.method in _OTHERS:
        yield from _OTHERS[call.method](call, answer)


def _outside(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[_Area, str]]:
    for key in ("stack", "heap", "data", "unmapped"):
        yield _Area(f"{key}_{call.number}", number_of(answer.get(key)), call.process, behind=256), key


def _handle(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[_Area, str]]:
    handle = answer.get("handle")
    if isinstance(handle, int) and not is_untouched("handle", handle):
        yield _Area(f"handle_{call.number}", handle, call.process, is_handle=True), "handle"


def _command(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[_Area, str]]:
    command = answer.get("command")
    if isinstance(command, dict):
        record, buffer = number_of(command.get("address")), number_of(command.get("buffer"))
        yield _Area(f"record_{call.number}", record, call.process, behind=24), "command.address"
        behind = number_of(command.get("size")) + 1
        yield _Area(f"buffer_{call.number}", buffer, call.process, ZONE, behind), "command.buffer"


_ADDRESSES: Final[Mapping[str, tuple[str, int, int]]] = {
    "memory.allocate": ("memory", 0, 0),
    "memory.reserve": ("reserved", 0, 0),
    "native.symbol": ("symbol", 0, 1),
    "native.create_instance": ("object", 0, 1),
    "server.allocate_buffer": ("server_buffer", ZONE, 0),
    "set.map_buffer_handle": ("mapped", ZONE, TRANSFER),
}
"""Calls that give one address: what it is called, how far before and behind it its area goes, 0 for the size asked."""
_OTHERS: Final[Mapping[str, Callable[[Call, Mapping[str, Any]], Iterator[tuple[_Area, str]]]]] = {
    "memory.outside_addresses": _outside,
    "set.get_buffer_handle": _handle,
    "device.get_command": _command,
}
