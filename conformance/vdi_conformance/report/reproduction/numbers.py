"""Which numbers of a check's calls differ from run to run, and which earlier call gave each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.report.calls import is_untouched
from vdi_conformance.report.reproduction.program import Known, Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vdi_conformance.evidence.records import Call

LOWEST: Final = 0x10000
"""Lower numbers are no addresses."""
ZONE: Final = 1 << 16
"""So far before a buffer its prefix zone may begin."""
TRANSFER: Final = 4 << 20
"""So long a buffer of unknown size may be."""
NEIGHBOURS: Final = 16
WORD: Final = 8
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
    """The numbers that were given so far."""

    def __init__(self) -> None:
        self._areas: list[_Area] = []

    def learn(self, call: Call) -> dict[str, str]:
        """Take what a call gave; name what differs from run to run, each with the member of the answer."""
        if not isinstance(call.answer, dict):
            return {}
        gives = {}
        for area, key in _given(call, call.answer):
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


def _given(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[_Area, str]]:
    number, process = call.number, call.process
    size = number_of(call.params.get("size")) or 1
    match call.method:
        case "memory.allocate" | "memory.reserve":
            name = "memory" if call.method == "memory.allocate" else "reserved"
            yield _Area(f"{name}_{number}", number_of(answer.get("address")), process, behind=size + 1), "address"
        case "memory.outside_addresses":
            for key in ("stack", "heap", "data", "unmapped"):
                yield _Area(f"{key}_{number}", number_of(answer.get(key)), process, behind=256), key
        case "memory.read":
            for offset, word in words_of(str(answer.get("data"))):
                if LOWEST < word >> 16 < 1 << 32:
                    yield _Area(f"word_{number}_{offset}", word, process), f"data@{offset}"
        case "native.symbol":
            yield _Area(f"symbol_{number}", number_of(answer.get("address")), process), "address"
        case "native.create_instance":
            yield _Area(f"object_{number}", number_of(answer.get("address")), process), "address"
        case "server.allocate_buffer":
            at = number_of(answer.get("address"))
            yield _Area(f"server_buffer_{number}", at, process, ZONE, size + 1), "address"
        case "set.map_buffer_handle" if not is_untouched("address", answer.get("address")):
            at = number_of(answer.get("address"))
            yield _Area(f"mapped_{number}", at, process, ZONE, TRANSFER), "address"
        case "set.get_buffer_handle" if isinstance(answer.get("handle"), int):
            if not is_untouched("handle", answer["handle"]):
                yield _Area(f"handle_{number}", answer["handle"], process, is_handle=True), "handle"
        case "device.get_command":
            command = answer.get("command")
            if isinstance(command, dict):
                yield (
                    _Area(f"record_{number}", number_of(command.get("address")), process, behind=24),
                    "command.address",
                )
                length = number_of(command.get("size")) or 1
                at = number_of(command.get("buffer"))
                yield _Area(f"buffer_{number}", at, process, ZONE, length + 1), "command.buffer"
