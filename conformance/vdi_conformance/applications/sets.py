"""The sets of client applications, followed call by call: who opened what, who holds which command; pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.applications.probes import JUNK_BUFFER, JUNK_POSITION, JUNK_SIZE
from vdi_conformance.emulator.rules import instance_of
from vdi_conformance.vdi.commands import DATA_COMMANDS, name_of
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.applications.events import Call, ObjectKey, Place

RECENT: Final = 40
"""So many of the last calls of a set are kept, to show what led to a verdict."""


@dataclass
class Command:
    """A command that a client fetched; `exported` says that its process got the handle of its buffer."""

    code: int
    size: int
    position: int
    place: tuple[int, int]
    raw_buffer: int
    fetched: Call
    completed: Call | None = None
    exported: Call | None = None

    @property
    def name(self) -> str:
        """How it is called."""
        return name_of(self.code)

    @property
    def moves_data(self) -> bool:
        """Whether it is a Read or a Write."""
        return self.code in DATA_COMMANDS

    @property
    def has_junk(self) -> bool:
        """Whether a field that it does not have holds something that means nothing."""
        return self.position == JUNK_POSITION or self.size == JUNK_SIZE or self.raw_buffer == JUNK_BUFFER


@dataclass
class Device:
    """A device that a client opened; `done` counts the commands that were completed with success, by their codes."""

    name: str
    number: int
    owner: ObjectKey
    held: dict[int, Command] = field(default_factory=dict)
    close_told: bool = False
    last: Command | None = None
    done: dict[int, int] = field(default_factory=dict)
    positions: list[tuple[int, int]] = field(default_factory=list)
    moved: int = 0
    at: int = 0


@dataclass
class Member:
    """A client object that has a set open."""

    owner: ObjectKey
    primary: bool
    closed: Call | None = None


@dataclass
class Set:
    """A virtual device set from its creation on; `aborted` is the SignalAbort or the answer that first told of one."""

    name: str
    instance: str
    created: Call
    members: dict[ObjectKey, Member]
    features: int = 0
    devices: dict[int, Device] = field(default_factory=dict)
    aborted: Call | None = None
    server: ObjectKey | None = None
    recent: deque[Call] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def primary(self) -> ObjectKey:
        """The client object that created it."""
        return self.created.owner

    @property
    def is_over(self) -> bool:
        """Whether nobody has it open any more."""
        return self.server is None and not self.members

    def devices_of(self, owner: ObjectKey) -> tuple[Device, ...]:
        """Give the devices that a client object opened."""
        return tuple(device for device in self.devices.values() if device.owner == owner)

    def still_needs(self, owner: ObjectKey) -> bool:
        """Tell whether a client object holds a command, or has a device of which it has not heard that it is closed."""
        return any(device.held or not device.close_told for device in self.devices_of(owner))

    def holder_of(self, process: int, place: tuple[int, int]) -> Command | None:
        """Find the command that a process holds whose buffer lies there."""
        for device in self.devices.values():
            for command in device.held.values():
                if device.owner.process == process and command.place == place:
                    return command
        return None

    def note(self, call: Call) -> None:
        """Keep a call that may have led to something."""
        if call.code != VD_E_TIMEOUT and call.method != "server_next_completion":
            self.recent.append(call)

    def configured(self, packed: str) -> None:
        """Take the configuration that somebody was told."""
        self.features = VDConfig.unpack(bytes.fromhex(packed)).features


FORMER: Final = 1024
"""So many names, objects and devices of sets are remembered when these are closed."""


class Sets:
    """All sets that are or were, by the objects that have or had them open."""

    def __init__(self) -> None:
        self.open: dict[ObjectKey, Set] = {}
        self.closed: dict[ObjectKey, tuple[Set, Call]] = {}
        self._named: dict[tuple[str, str], Set] = {}
        self._devices: dict[int, tuple[Set, Device, Call]] = {}

    def begin(self, call: Call) -> Set | None:
        """Take the call by which an object comes to a set; None where it came to none."""
        instance, name = call.arguments[0], call.arguments[1]
        key = instance_of(instance) or "", name or ""
        if call.code != NOERROR:
            return None
        if call.method == "create":
            self._named[key] = found = Set(key[1], key[0], call, {})
        elif key in self._named:
            found = self._named[key]
        else:
            return None
        self.open[call.owner] = found
        self.closed.pop(call.owner, None)
        if call.method == "server_open":
            found.server = call.owner
        else:
            found.members[call.owner] = Member(call.owner, call.method == "create")
        found.note(call)
        return found

    def end(self, owner: ObjectKey, call: Call | None) -> None:
        """Take that an object has its set no more, by a call or by the end of its process."""
        left = self.open.pop(owner)
        _forget_all_but(self.closed, FORMER)
        _forget_all_but(self._named, FORMER)
        _forget_all_but(self._devices, FORMER)
        if owner == left.server:
            left.server = None
        member = left.members.pop(owner, None)
        if member is not None and call is not None:
            self.closed[owner] = left, call
            for device in left.devices_of(owner):
                self._devices[device.number] = left, device, call

    def at(self, place: Place) -> Set | None:
        """Find the last set of a name."""
        return self._named.get((instance_of(place.instance) or "", place.name))

    def former_device(self, number: int) -> tuple[Set, Device, Call] | None:
        """Find a device whose set was closed, and by which call."""
        return self._devices.get(number)

    @property
    def all(self) -> tuple[Set, ...]:
        """All sets that somebody still has open."""
        return tuple({id(one): one for one in self.open.values()}.values())


def _forget_all_but(kept: dict[Any, Any], most: int) -> None:
    """Drop what has been in a dictionary longest."""
    while len(kept) > most:
        del kept[next(iter(kept))]
