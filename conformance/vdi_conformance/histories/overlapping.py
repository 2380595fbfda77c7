"""Processes whose calls overlap: each round lets some go at the same moment, and its history is held against the model.

What comes before a round is a walk: its steps are taken one after the other, and its model says where that has led.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from vdi_conformance.harness.concurrency import A_WHILE, let_go
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.histories.history import SERVER, UNKNOWN, HistoryCall
from vdi_conformance.histories.search import last_states
from vdi_conformance.histories.specification import Known, known
from vdi_conformance.model.snapshots import copied
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig
from vdi_conformance.walks.client_steps import POLL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Answer, PendingAnswer, Result
    from vdi_conformance.harness.memory import ProcessMemory
    from vdi_conformance.model.state import ModelCommand
    from vdi_conformance.walks.walk import Process, Walk

SHOWN: Final = 16
"""By so many bytes a buffer is known: each has others."""
Later: TypeAlias = "PendingAnswer[Any, Any]"


@dataclass(frozen=True)
class PlannedCall:
    """A call that a round is to make, in the terms of the model: see `HistoryCall`; `kind` is that of a command."""

    by: int
    act: str
    thread: str = "one"
    what: int = 0
    name: str = ""
    tag: int | None = None
    patient: bool = False
    kind: str = "Write"


@dataclass
class _Made:
    """A call that was made, and what it gave."""

    plan: PlannedCall
    thread: str
    later: Later
    answer: Answer | None = None


@dataclass
class OverlappingCalls:
    """A walk whose calls overlap from now on; `states` are those that the calls so far may have led to."""

    walk: Walk
    states: list[Known] = field(default_factory=list)
    history: list[HistoryCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count()
        self._marks: dict[int, bytes] = {}
        self._commands: dict[int, ModelCommand] = {}
        self._nameless: dict[tuple[int, int], list[Fetched]] = {}
        self._seen: dict[tuple[int, int], int] = {}
        self.begin()

    def begin(self) -> None:
        """Go on from where the walk has come to: name its sets, and mark the buffers that are held."""
        for of, name in zip(self.walk.model.sets, self.walk.names, strict=True):
            of.name = name
        self.states = [known(self.walk.model)]
        self._seen.clear()
        self._marks.clear()
        self._commands = {command.tag: command for of in self.walk.model.sets for command in of.commands}
        for of in self.walk.model.sets:
            for device in of.devices:
                for command in device.held:
                    self._mark(command)

    def _mark(self, command: ModelCommand) -> None:
        if not command.data:
            return
        fetched = self.walk.fetched[command.tag]
        client = fetched.device.client
        client.fill(fetched.buffer, Seeded(self.walk.testbed.seed + command.tag), SHOWN)
        self._marks[command.tag] = client.read(fetched.buffer, SHOWN)

    def round(
        self, turn: int, lanes: Sequence[Sequence[PlannedCall]], afterwards: Sequence[PlannedCall] = ()
    ) -> list[HistoryCall]:
        """Let the first call of each lane go at the same moment, the others as soon as their thread is free.

        What comes `afterwards` is called by itself. Gives the history of all, which the states do not follow yet.
        """
        first = [lane[0] for lane in lanes]
        rest = [plan for lane in lanes for plan in lane[1:]]
        processes = list(dict.fromkeys(self._process(plan) for plan in first))
        laters = let_go(turn, _distinct(processes), [self._starting(plan) for plan in first])
        made = [_Made(plan, self._thread(plan), later) for plan, later in zip(first, laters, strict=True)]
        made += [_Made(plan, self._thread(plan), self._starting(plan)()) for plan in rest]
        for one in made:
            one.answer = one.later.result()
        for plan in afterwards:
            one = _Made(plan, self._thread(plan), self._starting(plan)())
            one.answer = one.later.result()
            made.append(one)
        for one in made:
            self._take_in(one)
        calm = all(one.plan.act not in ("signal_abort", "close", "server_abort", "complete_command") for one in made)
        return [self._told(one, calm) for one in made]

    def follow(self, history: Sequence[HistoryCall]) -> bool:
        """Go where a history may have led; tell whether any order of it is permitted."""
        states = last_states(self.states, history)
        if states:
            self.states = states
            tags = self.walk.model.tags
            self.walk.model = copied(states[0].model)
            self.walk.model.tags = tags
            self._name_the_nameless()
            self.history += history
        return bool(states)

    def settle(self) -> None:
        """Wait for the ends of commands that the server is bound to see, and take them in, whichever state this is."""
        for of in self.walk.model.sets:
            self.walk.await_completions(of)
        ended = {command.tag for of in self.walk.model.sets for command in of.commands if command.seen}
        for state in self.states:
            for of in state.model.sets:
                for command in of.commands:
                    command.seen = command.tag in ended
        self.states = [known(state.model) for state in self.states]

    # How calls are made

    def _process(self, plan: PlannedCall) -> ProcessMemory:
        return self.walk.server.role if plan.by == SERVER else self._actor(plan).client

    def _actor(self, plan: PlannedCall) -> Process:
        return self.walk.processes[plan.by]

    def _thread(self, plan: PlannedCall) -> str:
        if plan.act in ("get_command", "complete_command"):
            return f"device {plan.what}" if plan.thread == "one" else plan.thread
        return plan.thread

    def _starting(self, plan: PlannedCall) -> Callable[[], Later]:
        return lambda: _START[plan.act](self, plan)

    def device_name(self, plan: PlannedCall) -> str:
        """Name a device of the set that a client has open."""
        of = self.walk.model.clients[plan.by - 1].of
        name = of.name if of else "no set"
        return f"{name}-{plan.what}" if plan.what else name

    def a_while(self, plan: PlannedCall) -> int:
        """Say how long a call waits."""
        return self.walk.testbed.scaled(A_WHILE) if plan.patient else 0

    def client(self, plan: PlannedCall) -> Client:
        """Give the client that makes a call."""
        return self._actor(plan).client

    # What they gave

    def _take_in(self, made: _Made) -> None:
        """Keep what later calls are made with: devices that were opened, commands that were fetched."""
        value = getattr(made.answer, "value", None)
        if made.answer is None or made.answer.code != NOERROR or value is None:
            return
        if made.plan.act == "open_device":
            self._actor(made.plan).devices[made.plan.what] = value
        elif made.plan.act == "get_command":
            self._came(made.plan, value)

    def _came(self, plan: PlannedCall, fetched: Fetched) -> None:
        tag = self._tag(fetched)
        if tag is None:
            self._nameless.setdefault((plan.by, plan.what), []).append(fetched)
        else:
            self.walk.fetched.setdefault(tag, fetched)

    def _name_the_nameless(self) -> None:
        """Where a record does not say which command came, the state does."""
        for client in self.walk.model.clients:
            for device in client.devices:
                missing = [command.tag for command in device.held if command.tag not in self.walk.fetched]
                came = self._nameless.pop((client.number, device.index), [])
                self.walk.fetched |= dict(zip(missing, came, strict=False))

    def _tag(self, fetched: Fetched) -> int | None:
        """Find the command that came, by what its record says; None where that may be several.

        Its position is its tag, but that need not be handed out with every code.
        """
        alike = [
            command.tag
            for command in self._commands.values()
            if (command.code, command.size) == (fetched.code, fetched.size)
        ]
        if fetched.position in alike:
            return fetched.position
        return (alike[0] if alike else UNKNOWN) if len(alike) < 2 else None

    def command(self, plan: PlannedCall) -> ModelCommand:
        """Make the command that is sent under a tag: a Write has a size of its own while there are buffers."""
        tag = plan.tag or 0
        if tag not in self._commands:
            self._commands[tag] = self.walk.server.command(tag, plan.kind)
        return self._commands[tag]

    def _told(self, made: _Made, calm: bool) -> HistoryCall:
        plan, answer = made.plan, made.answer
        assert answer is not None, "every call has an answer"
        begin, end = made.later.pending.span
        return HistoryCall(
            number=next(self._numbers),
            by=plan.by,
            thread=made.thread,
            act=plan.act,
            code=answer.code,
            begin=begin,
            end=end,
            what=plan.what,
            name=plan.name,
            tag=plan.tag,
            size=self._commands[plan.tag].size if plan.act == "send" and plan.tag else 0,
            gave=self._gave(plan, answer) if answer.code == NOERROR and (calm or plan.act == "get_command") else None,
            patient=plan.patient,
        )

    def _gave(self, plan: PlannedCall, answer: Any) -> int | None:
        result: Result[Any] = answer
        if plan.act == "get_command":
            return self._tag(result.expect(NOERROR))
        if plan.act == "map_buffer_handle":
            return self._whose(plan.by, result.expect(NOERROR))
        if plan.act == "get_buffer_handle":
            return self._named(plan, result.expect(NOERROR))
        return None

    def _whose(self, by: int, address: int) -> int:
        """Find the command whose buffer a client sees at an address."""
        if (by, address) not in self._seen:
            shown = self.walk.processes[by].client.read(address, SHOWN)
            self._seen[by, address] = next((tag for tag, mark in self._marks.items() if mark == shown), UNKNOWN)
        return self._seen[by, address]

    def _named(self, plan: PlannedCall, handle: int) -> int:
        """Find the command whose buffer a handle names: the one that it is known for, or what it is mapped to."""
        if handle == self.walk.handles.get(plan.tag or 0):
            return plan.tag or 0
        mapped = self.client(plan).map_buffer_handle(handle)
        return self._whose(plan.by, mapped.expect(NOERROR)) if mapped.code == NOERROR else UNKNOWN


def _distinct(processes: Sequence[ProcessMemory]) -> list[ProcessMemory]:
    """Give one for each host: objects of one process have the same."""
    return list({process.host.key: process for process in processes}.values())


def _create(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    config = VDConfig(device_count=plan.what)
    return overlapping.client(plan).send_create_ex(None, plan.name, config, plan.thread)


def _join(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    return overlapping.client(plan).send_open_in_secondary_ex(None, plan.name, plan.thread)


def _get_configuration(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    limit = overlapping.a_while(plan) or POLL
    return overlapping.client(plan).send_get_configuration(limit, thread=plan.thread)


def _open_device(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    return overlapping.client(plan).send_open_device(overlapping.device_name(plan), thread=plan.thread)


def _signal_abort(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    return overlapping.client(plan).send_signal_abort(plan.thread)


def _close(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    return overlapping.client(plan).send_close(plan.thread)


def _get_command(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    device = overlapping.walk.processes[plan.by].devices[plan.what]
    thread = None if plan.thread == "one" else plan.thread
    return device.send_get_command(overlapping.a_while(plan), thread=thread)


def _complete_command(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    device = overlapping.walk.processes[plan.by].devices[plan.what]
    fetched = overlapping.walk.fetched[plan.tag or 0]
    thread = None if plan.thread == "one" else plan.thread
    return device.send_complete(fetched, bytes_transferred=fetched.size, thread=thread)


def _get_buffer_handle(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    buffer = overlapping.walk.fetched[plan.tag or 0].buffer
    return overlapping.client(plan).send_get_buffer_handle(buffer, thread=plan.thread)


def _map_buffer_handle(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    handle = overlapping.walk.handles[plan.tag or 0]
    return overlapping.client(plan).send_map_buffer_handle(handle, thread=plan.thread)


def _send(overlapping: OverlappingCalls, plan: PlannedCall) -> Later:
    walk = overlapping.walk
    return walk.server.start_to_send(plan.what, overlapping.command(plan))


def _server_abort(overlapping: OverlappingCalls, _: PlannedCall) -> Later:
    return overlapping.walk.server.role.send_signal_abort()


_START: Final[dict[str, Callable[[OverlappingCalls, PlannedCall], Later]]] = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "signal_abort": _signal_abort,
    "close": _close,
    "get_command": _get_command,
    "complete_command": _complete_command,
    "get_buffer_handle": _get_buffer_handle,
    "map_buffer_handle": _map_buffer_handle,
    "send": _send,
    "server_abort": _server_abort,
}
