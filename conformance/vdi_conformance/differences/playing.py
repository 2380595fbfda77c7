"""A sequence that is played on one adapter: its processes, and what the things are that its steps name."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.seen import CODE, ENDED, IMPOSSIBLE, Seen
from vdi_conformance.differences.steps import SERVER
from vdi_conformance.harness.judging import ConformanceFailure, NotApplicable, NotTested
from vdi_conformance.host.errors import HostDied, HostError, HostHung, HostRefusal, MemoryFault, NothingLearnt
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi.commands import VDC_WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vdi_conformance.differences.acts import Act
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.server import ServerRole
    from vdi_conformance.harness.statement_run import StatementRun
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.messages.client import CommandReply
    from vdi_conformance.host.resources import Resources
    from vdi_conformance.vdi.structures import VDConfig

TOLD: Final = 120
"""So many characters are kept of what a host refuses with."""


HARDLY: Final = 10
"""So many milliseconds is waited where nothing is to come."""
ENDING: Final = frozenset({"signal_abort", "close", "kill", "abort", "close_server", "kill_server", "close_device"})
"""Acts after which anything may come to its end."""


class Impossible(Exception):
    """A step names what there is not: nothing is done."""


@dataclass(frozen=True)
class Held:
    """A command that was handed out, and its number among all of the sequence."""

    fetched: Fetched
    number: int


@dataclass
class Actor:
    """A client object: what it has open, holds, held, and was given."""

    client: Client
    set: str = "1"
    devices: dict[int, Device] = field(default_factory=dict)
    held: dict[int, list[Held]] = field(default_factory=dict)
    past: list[Held] = field(default_factory=list)
    mapped: list[tuple[int, int]] = field(default_factory=list)
    waiting: dict[tuple[int, str], PendingAnswer[CommandReply, Result[Fetched]]] = field(default_factory=dict)
    record: int = 0
    first: int = 0
    looked: Resources | None = None
    configuration: VDConfig | None = None


@dataclass
class Serving:
    """A server's side of a set: its process, the buffers that are free, and its commands by their tags."""

    role: ServerRole
    transfer: int = 65536
    alignment: int = 512
    taken: dict[int, tuple[int, int]] = field(default_factory=dict)
    sent: dict[int, str] = field(default_factory=dict)
    queued: Counter[int] = field(default_factory=Counter)
    configured: bool = False


@dataclass(frozen=True)
class Given:
    """A handle that was given: the number of the command whose buffer it is of (0 where that is not known)."""

    handle: int
    number: int


class Playing:
    """One sequence on one adapter; processes start when they are first needed."""

    def __init__(self, testbed: Testbed, acts: Mapping[str, Act]) -> None:
        self.testbed = testbed
        self.actors: dict[int, Actor] = {}
        self.serving: dict[str, Serving] = {}
        self.statements: dict[str, StatementRun] = {}
        self.given: list[Given] = []
        self.time_outs: dict[str, int] = {}
        self.commands = 0
        self.accepted = 0
        self.ending = False
        self.records: list[tuple[str, int, int]] = []
        self.buffers: list[tuple[str, int, int]] = []
        self._acts = acts
        self._names: dict[str, str] = {}
        self._devices: dict[str, int] = {}
        self.tags = 0

    def play(self, steps: Iterable[Step]) -> list[Seen]:
        """Take steps, and tell what is seen of each."""
        return [self.take(step) for step in steps]

    def take(self, step: Step) -> Seen:
        """Take one step; what goes wrong with a process is what is seen of it."""
        self.ending = self.ending or step.act in ENDING
        try:
            return self._acts[step.act](self, step)
        except (Impossible, NotApplicable, NotTested):
            return dict(IMPOSSIBLE)
        except NothingLearnt:
            raise
        except HostDied as death:
            return {CODE: f"{ENDED}{' in a crash' if death.ended.crashed else ''}"}
        except HostHung:
            return {CODE: "no answer in time"}
        except MemoryFault:
            return {CODE: "no memory"}
        except HostRefusal as refusal:
            return {CODE: f"refused: {shown(type(refusal).__name__, TOLD)}"}
        except ConformanceFailure as failure:
            return {CODE: shown(failure.observed or str(failure), TOLD)}
        except HostError as error:
            return {CODE: shown(type(error).__name__, TOLD)}

    # Who, and what things are

    def actor(self, number: int) -> Actor:
        """Give a client, in a process of its own unless it was made otherwise."""
        if number == SERVER:
            raise Impossible
        if number not in self.actors:
            self.actors[number] = Actor(self.testbed.client(f"client {number}"))
        return self.actors[number]

    def name(self, label: str) -> str:
        """Name a set."""
        return self._names.setdefault(label, self.testbed.name())

    def created(self, label: str, devices: int) -> None:
        """Note how many devices a set is to have."""
        self._devices[label] = devices

    def device_name(self, label: str, index: int) -> str:
        """Name a device of a set: the first one has the name of the set."""
        return f"{self.name(label)}-{index}" if index else self.name(label)

    def devices_of(self, label: str) -> int:
        """Say how many devices a set has."""
        return self._devices.get(label, 1)

    def contents(self, actor: Actor, command: Fetched) -> Seen:
        """Say whether the buffer of a Write has the bytes that a server stored which is told every step.

        Its commands have their tags as positions, unless a step says otherwise.
        """
        serving = self.serving.get(actor.set)
        sent = None if serving is None else serving.taken.get(command.position)
        if serving is None or sent is None or command.code != VDC_WRITE:
            return {}
        here = actor.client.digest(command.buffer, command.size)
        return {"bytes": "as sent" if here == serving.role.digest(sent[0], command.size) else "others"}

    def scaled(self, milliseconds: int) -> int:
        """Stretch a time."""
        return self.testbed.scaled(milliseconds)

    def patience(self, milliseconds: int, *, due: bool) -> int:
        """Say how long to wait: as long as that where something is to come, or else hardly at all.

        A sequence that was made shorter mostly waits for what is not there any more.
        """
        return self.scaled(milliseconds) if due or self.ending else min(self.scaled(milliseconds), HARDLY)

    def runs_statements(self, label: str) -> bool:
        """Tell whether a statement runs, or has run, on a set."""
        return label in self.statements

    def finish(self) -> None:
        """End every process without ceremony."""
        with suppress(ConformanceFailure):
            self.testbed.clear()

    def known_addresses(self, process: str) -> Sequence[tuple[int, str]]:
        """Give the buffers that one process was given, the latest first, each with the command that it came with."""
        return [(address, f"that of command {n}") for name, address, n in reversed(self.buffers) if name == process]
