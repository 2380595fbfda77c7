"""What the model knows: sets, their devices and commands, and each client's view of its own set."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum


class View(StrEnum):
    """The states of the client transition matrix, as one client object sees them."""

    DOES_NOT_EXIST = "Does Not Exist"
    CONFIGURABLE = "Configurable"
    INITIALIZING = "Initializing"
    ACTIVE = "Active"
    TERMINATED = "Normally Terminated"
    ABORT = "Abort"


class Phase(IntEnum):
    """How far the server has come with a set."""

    CREATED = 0
    OPENED = 1
    BEGUN = 2
    CONFIGURED = 3


class Fate(Enum):
    """Whether a set is aborted: surely not; perhaps, which the documents leave open; or surely, noticed or not."""

    SOUND = 0
    DOUBTFUL = 1
    ABORTED = 2


@dataclass(eq=False)
class Command:
    """A command that the server sent.

    `count` is what its accepted completion said, `seen` that the server saw one, `named` that its buffer has a handle.
    """

    tag: int
    code: int
    size: int
    buffer: int = 0
    data: bool = False
    named: bool = False
    count: int | None = None
    seen: bool = False


@dataclass(eq=False)
class Device:
    """A device of a set; `told` says that GetCommand gave VD_E_CLOSE there, `waiting` that one waits for ever."""

    index: int
    of: DeviceSet
    owner: Client | None = None
    server_open: bool = False
    server_closed: bool = False
    told: bool = False
    waiting: bool = False
    queue: list[Command] = field(default_factory=list)
    held: list[Command] = field(default_factory=list)
    sent: list[Command] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        """Whether a client opened it at some time."""
        return self.owner is not None

    @property
    def due(self) -> bool:
        """Whether a GetCommand that waits must come to its end."""
        return bool(self.queue) or self.server_closed or self.of.fate is Fate.ABORTED

    @property
    def outstanding(self) -> int:
        """So many commands have no end yet that the server saw."""
        return sum(not command.seen for command in self.sent)


@dataclass(eq=False)
class DeviceSet:
    """A set; `called` says that a call to abort it has returned, so that whoever looks at the set anew must know."""

    index: int
    devices: list[Device] = field(default_factory=list)
    creator: Client | None = None
    members: list[Client] = field(default_factory=list)
    phase: Phase = Phase.CREATED
    fate: Fate = Fate.SOUND
    called: bool = False
    served: bool = False
    begun: bool = False

    @property
    def sound(self) -> bool:
        """Whether nothing has happened that may end it by an abort."""
        return self.fate is Fate.SOUND

    @property
    def terminated(self) -> bool:
        """Whether every device was closed by the server, and its owner told."""
        return all(device.told for device in self.devices)

    @property
    def over(self) -> bool:
        """Whether the server closed every device, so that what comes then may mean nothing to the others."""
        return all(device.server_closed for device in self.devices)

    @property
    def all_taken(self) -> bool:
        """Whether every device is open, or was."""
        return all(device.taken for device in self.devices)

    @property
    def in_use(self) -> bool:
        """Whether somebody still has something of it, so that its name is not free."""
        return bool(self.members) or self.served

    @property
    def commands(self) -> list[Command]:
        """Everything that the server sent."""
        return [command for device in self.devices for command in device.sent]

    def worsen(self, fate: Fate) -> None:
        """An abort is never undone."""
        if fate.value > self.fate.value:
            self.fate = fate


@dataclass(eq=False)
class Client:
    """A client object in a process of its own.

    `noticed` says that a call gave VD_E_ABORT here; devices may go on handing out what was queued until GetCommand
    gives it too, or this client itself asked for the abort: that is `done`.
    """

    number: int
    of: DeviceSet | None = None
    configured: bool = False
    noticed: bool = False
    done: bool = False
    alive: bool = True
    devices: list[Device] = field(default_factory=list)
    stale: list[tuple[Device, Command]] = field(default_factory=list)

    @property
    def is_creator(self) -> bool:
        """Whether it created the set that it has open."""
        return self.of is not None and self.of.creator is self

    @property
    def view(self) -> View:
        """The state in which it finds itself, an abort aside that it has not noticed."""
        if self.of is None:
            return View.DOES_NOT_EXIST
        if self.noticed:
            return View.ABORT
        if self.of.terminated:
            return View.TERMINATED
        if self.devices:
            return View.ACTIVE
        return View.INITIALIZING if self.configured else View.CONFIGURABLE

    @property
    def waits(self) -> bool:
        """Whether a GetCommand of it waits."""
        return any(device.waiting for device in self.devices)

    def notice(self) -> None:
        """Take in that the set is aborted."""
        if self.of is not None:
            self.noticed = True
            self.of.worsen(Fate.ABORTED)

    def notice_for_good(self) -> None:
        """Take it in for the devices too."""
        self.notice()
        self.done = True

    def join(self, of: DeviceSet, configured: bool) -> None:
        """Have a set open."""
        self.of, self.configured = of, configured
        of.members.append(self)

    def leave(self) -> None:
        """Have none."""
        if self.of is not None:
            self.of.members.remove(self)
            if self.of.creator is self:
                self.of.creator = None
        for device in self.devices:
            device.held.clear()
            device.waiting = False
        self.of = None
        self.configured = self.noticed = self.done = False
        self.devices, self.stale = [], []


@dataclass
class World:
    """Everything; `strict` also demands what is only recommended."""

    clients: list[Client]
    strict: bool = False
    sets: list[DeviceSet] = field(default_factory=list)
    serving: DeviceSet | None = None
    server_alive: bool = True
    tags: int = 0

    @property
    def current(self) -> DeviceSet | None:
        """The set that was created last."""
        return self.sets[-1] if self.sets else None
