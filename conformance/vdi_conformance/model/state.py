"""What the model knows: sets, their devices and commands, and each client's view of its own set."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from vdi_conformance.vdi.client_states import ClientState


class SetPhase(IntEnum):
    """How far the server has come with a set."""

    CREATED = 0
    OPENED = 1
    BEGUN = 2
    CONFIGURED = 3


class AbortState(Enum):
    """Whether a set is aborted: surely not; perhaps, which the documents leave open; or surely, noticed or not."""

    SOUND = 0
    DOUBTFUL = 1
    ABORTED = 2


@dataclass(eq=False)
class ModelCommand:
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
class ModelDevice:
    """A device of a set; `told` says that GetCommand gave VD_E_CLOSE there, `waiting` that one waits for ever."""

    index: int
    of: ModelSet
    owner: ModelClient | None = None
    server_open: bool = False
    server_closed: bool = False
    told: bool = False
    waiting: bool = False
    queue: list[ModelCommand] = field(default_factory=list)
    held: list[ModelCommand] = field(default_factory=list)
    sent: list[ModelCommand] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        """Whether a client opened it at some time."""
        return self.owner is not None

    @property
    def due(self) -> bool:
        """Whether a GetCommand that waits must come to its end."""
        return bool(self.queue) or self.server_closed or self.of.abort_state is AbortState.ABORTED

    @property
    def outstanding(self) -> int:
        """So many commands have no end yet that the server saw."""
        return sum(not command.seen for command in self.sent)


@dataclass(eq=False)
class ModelSet:
    """A set; `called` says that a call to abort it has returned, so that whoever looks at the set anew must know.

    Its `name` is told where calls say what they mean by the name of a set alone.
    """

    index: int
    devices: list[ModelDevice] = field(default_factory=list)
    creator: ModelClient | None = None
    members: list[ModelClient] = field(default_factory=list)
    phase: SetPhase = SetPhase.CREATED
    abort_state: AbortState = AbortState.SOUND
    called: bool = False
    served: bool = False
    begun: bool = False
    name: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing has happened that may end it by an abort."""
        return self.abort_state is AbortState.SOUND

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
    def commands(self) -> list[ModelCommand]:
        """Everything that the server sent."""
        return [command for device in self.devices for command in device.sent]

    def worsen(self, abort_state: AbortState) -> None:
        """An abort is never undone."""
        if abort_state.value > self.abort_state.value:
            self.abort_state = abort_state


@dataclass(eq=False)
class ModelClient:
    """A client object in a process of its own.

    `noticed` says that a call gave VD_E_ABORT here; devices may go on handing out what was queued until GetCommand
    gives it too, or this client itself asked for the abort: that is `done`.
    """

    number: int
    of: ModelSet | None = None
    configured: bool = False
    noticed: bool = False
    done: bool = False
    alive: bool = True
    devices: list[ModelDevice] = field(default_factory=list)
    stale: list[tuple[ModelDevice, ModelCommand]] = field(default_factory=list)

    @property
    def is_creator(self) -> bool:
        """Whether it created the set that it has open."""
        return self.of is not None and self.of.creator is self

    @property
    def view(self) -> ClientState:
        """The state in which it finds itself, an abort aside that it has not noticed."""
        if self.of is None:
            return ClientState.DOES_NOT_EXIST
        if self.noticed:
            return ClientState.ABORT
        if self.of.terminated:
            return ClientState.NORMALLY_TERMINATED
        if self.devices:
            return ClientState.ACTIVE
        return ClientState.INITIALIZING if self.configured else ClientState.CONFIGURABLE

    @property
    def waits(self) -> bool:
        """Whether a GetCommand of it waits."""
        return any(device.waiting for device in self.devices)

    def notice(self) -> None:
        """Take in that the set is aborted."""
        if self.of is not None:
            self.noticed = True
            self.of.worsen(AbortState.ABORTED)

    def notice_for_good(self) -> None:
        """Take it in for the devices too."""
        self.notice()
        self.done = True

    def join(self, of: ModelSet, configured: bool) -> None:
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
class ModelState:
    """Everything; `strict` also demands what is only recommended."""

    clients: list[ModelClient]
    strict: bool = False
    sets: list[ModelSet] = field(default_factory=list)
    serving: ModelSet | None = None
    server_alive: bool = True
    tags: int = 0

    @property
    def current(self) -> ModelSet | None:
        """The set that was created last."""
        return self.sets[-1] if self.sets else None
