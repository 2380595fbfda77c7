"""A walk: steps taken by real processes, each answer held against the reference model, which follows what it sees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from vdi_conformance.harness.expectations import SLOW
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.model import server as servers
from vdi_conformance.model.state import AbortState, ModelClient, ModelState
from vdi_conformance.model.steps import Step, options, woken
from vdi_conformance.walks.contents import RememberedContents
from vdi_conformance.walks.model_server import WalkingServer
from vdi_conformance.walks.told import CALLED, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device as OpenDevice
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Answer, PendingAnswer, Result
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.messages.client import CommandReply
    from vdi_conformance.model.permits import Permits
    from vdi_conformance.model.state import ModelCommand, ModelSet
    from vdi_conformance.vdi.client_states import ClientState
    from vdi_conformance.vdi.structures import VDConfig

ANEW: Final = Step("anew")
"""Between two walks: everything is closed, and what was before is past."""


@dataclass(frozen=True)
class WalkOptions:
    """How far walks go: how many clients, whether they demand what is only recommended, whether they look at bytes."""

    clients: int = 4
    strict: bool = False
    contents: bool = False


@dataclass
class Coverage:
    """What walks came by: the cells of the client matrix with their outcomes, and the moves between its states."""

    steps: int = 0
    cells: Counter[tuple[ClientState, str, str]] = field(default_factory=Counter)
    moves: Counter[tuple[ClientState, ClientState]] = field(default_factory=Counter)


Waiting: TypeAlias = "PendingAnswer[CommandReply, Result[Fetched]]"


@dataclass
class Process:
    """A client in its process: its devices by their place in the set, and what it was given in earlier times."""

    client: Client
    devices: dict[int, OpenDevice] = field(default_factory=dict)
    waiting: dict[int, Waiting] = field(default_factory=dict)
    addresses: list[int] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    stray: int = 0
    record: int = 0


class Walk:
    """A model of processes, and the model of it; processes start when they are first needed."""

    def __init__(
        self,
        testbed: Testbed,
        plan: WalkOptions,
        coverage: Coverage,
        takers: Mapping[str, Callable[[Walk, Step], None]],
    ) -> None:
        self.testbed = testbed
        self.plan = plan
        self.server = WalkingServer(testbed)
        self.processes: dict[int, Process] = {}
        self._trail = coverage
        self._takers = takers
        self.begin()

    def begin(self) -> None:
        """Think of nothing that was before; every object is closed."""
        self.model = ModelState(
            [ModelClient(number + 1) for number in range(self.plan.clients)], strict=self.plan.strict
        )
        self.steps: list[Step] = []
        self.trace: list[str] = []
        self.names: list[str] = []
        self.configurations: dict[int, VDConfig] = {}
        self.fetched: dict[int, Fetched] = {}
        self.handles: dict[int, int] = {}
        self.contents = RememberedContents(self.server)
        self._views: dict[int, ClientState] = {}
        for process in self.processes.values():
            process.devices.clear()
            process.waiting.clear()
            process.addresses.clear()
            process.handles.clear()

    def take(self, step: Step) -> None:
        """Take a step that is possible."""
        self.steps.append(step)
        self._trail.steps += 1
        self._takers[step.act](self, step)
        self._wake()

    def perform(self, steps: Iterable[Step]) -> None:
        """Take steps as far as they are possible, and come to an end."""
        for step in steps:
            if step == ANEW:
                self.finish()
                self.begin()
            elif step in options(self.model, step.act):
                self.take(step)
        self.finish()

    def finish(self) -> None:
        """Let every abort be noticed, see that the server was told what it must be, and close everything."""
        for client in self.model.clients:
            if client.waits:
                self._takers["signal_abort"](self, Step("signal_abort", client.number))
                self._wake()
        for step in options(self.model, "notice"):
            self._takers["notice"](self, step)
        for step in options(self.model, "complete_command"):
            # No result is taken any more.
            if step.kind == "held 0" and self.model.clients[step.by - 1].done:
                self._takers["complete_command"](self, step)
        self.settle()
        for last in (False, True):
            for client in self.model.clients:
                if client.of is not None and client.is_creator is last:
                    self._takers["close"](self, Step("close", client.number))
        for step in options(self.model, "server_close"):
            self._takers["server_close"](self, step)

    def _wake(self) -> None:
        """Whoever waits for what has come is to be woken."""
        for step in woken(self.model):
            self._takers[step.act](self, step)

    def actor(self, step: Step) -> tuple[ModelClient, Process]:
        """Who acts, in the model and in truth."""
        if step.by not in self.processes:
            self.processes[step.by] = Process(self.testbed.client(f"client {step.by}"))
        return self.model.clients[step.by - 1], self.processes[step.by]

    def judge(self, step: Step, answer: Answer, permits: Permits) -> None:
        """Fail unless the model permits the answer; it follows what came."""
        client = self.model.clients[step.by - 1] if step.by else None
        before = client.view if client else None
        outcome = permits.settle(answer.code)
        self.tell(step, answer.name)
        if outcome is None:
            where = f" in the state {before}" if before else ""
            raise ConformanceFailure(
                f"{answer.call} gave {answer.name} instead of {' or '.join(permits.names)}{where}",
                permits.names,
                answer.name,
            )
        if client and before:
            self._trail.cells[outcome.view, CALLED[step.act], outcome.name] += 1
            for one, other in ((self._views.get(client.number, before), before), (before, client.view)):
                if one is not other:
                    self._trail.moves[one, other] += 1
            self._views[client.number] = client.view

    def await_completions(self, of: ModelSet) -> None:
        """Completions of a sound set are bound to reach the server at once."""
        while of.sound and of is self.model.serving and servers.completions_due(of):
            self._see(of, "the completion of a command did not reach the server")

    def settle(self) -> None:
        """An aborted set leaves no command unanswered; otherwise what has come is looked at."""
        of = self.model.serving
        if of is None:
            return
        while of.abort_state is AbortState.ABORTED and any(not command.seen for command in of.commands):
            self._see(of, "the end of a command that was aborted did not reach the server")
        while (record := self.server.completion(0)) is not None:
            _take_completion(of, record)

    def _see(self, of: ModelSet, otherwise: str) -> None:
        record = self.server.completion(None)
        if record is None:
            raise ConformanceFailure(f"{otherwise}{SLOW}")
        _take_completion(of, record)

    def forget(self, command: ModelCommand) -> None:
        """What was given for its buffer is past."""
        fetched = self.fetched[command.tag]
        self.contents.forget(command.tag)
        self.handles.pop(command.tag, None)
        for process in self.processes.values():
            if command.named and process.client is fetched.device.client:
                process.addresses.append(fetched.buffer)

    def tell(self, step: Step, came: str = "") -> None:
        """Note what was done, and what came of it."""
        self.trace.append(f"{described(step)} = {came}" if came else described(step))


def _take_completion(of: ModelSet, record: tuple[int, int, int]) -> None:
    if sentence := servers.complaint(of, *record):
        raise ConformanceFailure(sentence)
