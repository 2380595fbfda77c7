"""A set under conditions: its processes and their second objects, what is held there, and how commands come and go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.harness.judging import ConformanceFailure, judging, not_tested
from vdi_conformance.harness.post_mortem import LARGE
from vdi_conformance.harness.shared_memory import BufferView, fetched_view
from vdi_conformance.harness.varied.calls import Calls
from vdi_conformance.harness.varied.contents import Contents
from vdi_conformance.harness.varied.layout import HALF
from vdi_conformance.harness.varied.recommended import Recommendations
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.expectations import Code, PendingAnswer, Result
    from vdi_conformance.harness.scenario import SetInUse
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.varied.layout import Layout, Use

CLOSELY: Final = range(2)
"""The first commands are looked at in every way, of others what comes by their number."""
MOST_GUESTS: Final = 3
"""So many processes at the most get a second object."""


class Mapped(NamedTuple):
    """How an object sees a buffer by a handle, and the requirement that says that it does."""

    client: Client
    view: BufferView
    rule: str


class Aside(NamedTuple):
    """A command without data that is held, and its tag."""

    tag: int
    command: Fetched


@dataclass
class Held:
    """A command that is held, its buffer as everybody sees it, and what that holds.

    `number` counts the commands that are held at once; `late` says that its area came when all had joined. `tag` and
    `buffer` are those of a server that is told every step.
    """

    number: int
    command: Fetched
    contents: Contents
    zone: Contents | None
    late: bool = False
    tag: int = 0
    buffer: int = 0
    handle: int | None = None
    mapped: list[Mapped] = field(default_factory=list)

    @property
    def fetched(self) -> BufferView:
        """How the process sees it that fetched the command."""
        return fetched_view(self.command)

    def store_through(self, view: BufferView, seed: int) -> None:
        """Store by a handle, and see it where the command was fetched; what is there is what counts afterwards."""
        self.contents.store(view, seed)
        try:
            self.contents.require(self.fetched)
        except ConformanceFailure:
            self.contents.take(self.fetched)
            raise

    @property
    def holder(self) -> Client:
        """The object that fetched the command."""
        return self.command.device.client


class VariedSet(ABC):
    """A set, in which `gone` are the objects that have closed or died, `held` the commands that were fetched last.

    `last_round` says that no others will come, `spare` is the device that is not opened yet. `may_end` says that the
    documents let what has happened end the set, or not; `ended` that it has ended. `survives_null` says that null
    pointers may be given, `kept` are commands that are completed only after the abort at the end.
    """

    running: SetInUse
    survives_null = False

    def __init__(self, testbed: Testbed, layout: Layout) -> None:
        self.testbed = testbed
        self.layout = layout
        self.recommended = Recommendations()
        self.calls = Calls(layout.threads, self.recommended)
        self.guests: list[Client] = []
        self.leftover: Client | None = None
        self.gone: set[Client] = set()
        self.held: list[Held] = []
        self.kept: list[Held | Aside] = []
        self.spare = layout.spare
        self.last_round = self.may_end = self.ended = False
        self._seed = testbed.seed

    def far_handle(self, held: Sequence[Held]) -> int | None:
        """Give a number that is surely no handle, where the pool leaves room for one."""
        known = next((one.handle for one in held if one.handle is not None), None)
        if known is None or not self.layout.leaves_numbers:
            return None
        return (known + self.layout.pool_size + 1) % (2 * HALF)

    def require_room(self) -> None:
        """Ask for the configuration of a large set, all of whose buffers are there: what aborts it later is no lack."""
        if self.running.requested <= LARGE:
            return
        answer = self.clients[0].get_configuration()
        if answer.code == VD_E_ABORT and self.layout.meanwhile != "time limit":
            not_tested("a library may give up a set with so many buffers (BUF-19): give it more shared memory")
        answer.expect(NOERROR, by="CFG-09")

    @property
    def clients(self) -> list[Client]:
        """The first objects of the processes that still have the set open."""
        return [client for client in self.running.clients if client not in self.gone]

    def views_of(self, one: Held) -> list[BufferView]:
        """Give the views of a buffer by its handle, in the order in which they were mapped, of whoever is left."""
        return [mapped.view for mapped in one.mapped if mapped.client not in self.gone]

    def next_seed(self) -> int:
        """Give a number for contents that nothing else has."""
        self._seed += 100
        return self._seed

    def hold(self, uses: Sequence[Use]) -> list[Held]:
        """Let commands for these buffers be outstanding at once, and fetch each."""
        held = self.held = self._hold(uses)
        for one in held:
            self._require_place(one.command)
            if one.contents.known:
                with judging("BUF-01"):
                    one.contents.require(one.fetched)
            else:
                one.contents.take(one.fetched)
            if one.zone is not None:
                with judging("BUF-06"):
                    one.zone.store(one.fetched, self.next_seed())
        return held

    def fetch(self, device: Device) -> Fetched:
        """Fetch the next command of a device."""
        return self.calls.make(
            "fetching", device.client, device.key, lambda label: device.send_get_command(thread=label), "CMD-01"
        )

    def complete(self, one: Held) -> None:
        """Complete a command that is held: that gives NOERROR, and the server sees it."""
        usual = one.command.device.key
        label = self.calls.label("completing", usual)
        answer = self._complete(one, label)
        self.calls.end(one.holder, label)
        if not answer.succeeded and label != usual and (again := self._complete(one, usual)).succeeded:
            with self.recommended.judging("CMP-14"):
                answer.expect(NOERROR)
            answer = again
        if answer.succeeded or not self.has_ended():
            answer.expect(NOERROR, by="CMP-01")
            self._require_seen(one)
            if one.number in CLOSELY:
                self._complete_again(one)

    def _complete_again(self, one: Held) -> None:
        answer = one.command.device.complete(one.command.address, ERROR_SUCCESS, one.command.size)
        if answer.code == VD_E_INVALID or not self.has_ended():
            answer.expect(VD_E_INVALID, by="CMP-03")

    def add_guests(self) -> None:
        """Let second objects of processes join, if they may (Q32)."""
        if not self.layout.has_guests:
            return
        for client in self.running.clients[:MOST_GUESTS]:
            guest = self.testbed.beside(client)
            answer = self.running.join(guest)
            if answer.succeeded:
                self.guests.append(guest)
            else:
                with self.recommended.judging("SEC-22"):
                    answer.expect_failure()

    def guest_of(self, client: Client) -> list[Client]:
        """Give the second object of the process of a client, if it has one."""
        return [guest for guest in self.guests if guest.host is client.host and guest not in self.gone]

    def part(self, *clients: Client) -> None:
        """Note that these objects have closed or died, with what they had mapped."""
        for client in clients:
            self.gone.add(client)
            if client in self.running.secondaries:
                self.running.forget(client)

    def has_ended(self) -> bool:
        """Tell whether what was permitted to end the set has done so; that may show a moment after a call fails."""
        if self.may_end and not self.ended and self.clients:
            answer = self.clients[0].get_configuration(0)
            answer.expect(NOERROR, VD_E_ABORT, by="CFG-09")
            self.ended = not answer.succeeded
        return self.ended

    @contextmanager
    def unless_it_ends(self) -> Iterator[None]:
        """Leave alone what breaks since the set has ended, where it may."""
        before = len(self.recommended.broken)
        try:
            yield
        except ConformanceFailure:
            if not self.may_end or not self.has_ended():
                raise
        if len(self.recommended.broken) > before and self.has_ended():
            del self.recommended.broken[before:]

    @abstractmethod
    def begin(self, clients: list[Client]) -> None:
        """Create the set, configure it, let everybody join, and open every device."""

    @abstractmethod
    def _hold(self, uses: Sequence[Use]) -> list[Held]: ...

    @abstractmethod
    def _complete(self, one: Held, thread: str) -> Code: ...

    @abstractmethod
    def _require_seen(self, one: Held) -> None: ...

    @abstractmethod
    def send_aside(self) -> Aside | None:
        """Let a command without data be held, where a server can be told to send one."""

    @abstractmethod
    def end_aside(self, aside: Aside) -> None:
        """Complete that command."""

    @abstractmethod
    def go_on(self, waiting: PendingAnswer[Any, Result[Fetched]] | None) -> None:
        """Do what only a server can be told that is told every step, on a set that goes on."""

    @abstractmethod
    def pass_in_order(self, may_fail: bool) -> None:
        """Let a device have two commands at once, where a server can be told to send them."""

    @abstractmethod
    def open_spare(self) -> None:
        """Open the device that was left unopened, where a server can be told to offer one."""

    @abstractmethod
    def finish(self) -> None:
        """End the set as ordinary clients and servers do."""

    @abstractmethod
    def end_aborted(self, held: Sequence[Held]) -> None:
        """See that the server's side has ended by an abort."""

    def _require_place(self, command: Fetched) -> None:
        """Fail the check unless the data is aligned, wherever the prefix zone then begins."""
        wanted = max(self.layout.alignment, self.layout.block)
        if command.buffer % wanted:
            name = command.device.client.name
            zone_is = self.layout.zone and (command.buffer - self.layout.zone) % wanted == 0
            sentence = f"{name} has a buffer at {command.buffer:#x}, no multiple of {wanted}"
            raise ConformanceFailure(sentence, by="BUF-09" if zone_is else "BUF-05")

    def held_now(self, number: int, command: Fetched) -> Held:
        """Begin to keep account of a command that was fetched."""
        zone = self.layout.zone
        return Held(number, command, Contents(command.size), Contents(zone, -zone) if zone else None)
