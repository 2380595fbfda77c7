"""A walk whose every failure is charged to one requirement, by the step that shows it and by what happened before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vdi_conformance.harness.expectations import SLOW
from vdi_conformance.harness.judging import ConformanceFailure, Needed, judging
from vdi_conformance.host.errors import HostError, NothingLearnt
from vdi_conformance.model import client as clients
from vdi_conformance.model import server as servers
from vdi_conformance.model.state import AbortState
from vdi_conformance.vdi.structures import VDConfig
from vdi_conformance.walks.client_steps import count_of
from vdi_conformance.walks.crashes.consequences import ANY, CONTENTS, MADE_UP, ORDINARY, STORED
from vdi_conformance.walks.crashes.course import CLIENTS, MOVE
from vdi_conformance.walks.series import STEPS
from vdi_conformance.walks.walk import Coverage, Walk, WalkOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.model.state import ModelSet
    from vdi_conformance.model.steps import Step


class ChargedWalk(Walk):
    """A walk of three clients that looks at bytes; `charges` names by act what a failure breaks.

    `ends` is the requirement by which the server sees the end of every command, `patience` the serverTimeOut of sets
    that are created, in milliseconds.
    """

    def __init__(self, testbed: Testbed) -> None:
        takers = {act: _charged(taker) for act, taker in STEPS.items()}
        super().__init__(
            testbed,
            WalkOptions(clients=len(CLIENTS), contents=True),
            Coverage(),
            takers
            | {
                "create": _charged(_create),
                "complete_command": _charged(_complete),
                MOVE: _charged(_move),
            },
        )
        self.charges: Mapping[str, str] = ORDINARY
        self.ends = ORDINARY["complete_command"]
        self.patience = 0
        self.warned: ConformanceFailure | None = None

    @property
    def of(self) -> ModelSet:
        """The set that was created last."""
        return self.model.sets[-1]

    def take_all(self, steps: Iterable[Step]) -> None:
        """Take one step after the other."""
        for step in steps:
            self.take(step)

    def await_completions(self, of: ModelSet) -> None:
        """Completions of a sound set are bound to reach the server at once."""
        while of.sound and of is self.model.serving and servers.completions_due(of):
            self._see_one(of)

    def settle(self) -> None:
        """An aborted set leaves no command unanswered; otherwise what has come is looked at."""
        of = self.model.serving
        if of is None:
            return
        while of.abort_state is AbortState.ABORTED and any(not command.seen for command in of.commands):
            self._see_one(of)
        while (record := self.server.completion(0)) is not None:
            _take_record(of, record)

    def find_aborted(self) -> None:
        """Take the set for aborted, by whatever it was: everybody who waits is to be woken."""
        self.of.worsen(AbortState.ABORTED)
        self._wake()

    def _see_one(self, of: ModelSet) -> None:
        record = self.server.completion(None)
        if record is None:
            raise ConformanceFailure(f"the end of a command did not reach the server{SLOW}", by=self.ends)
        _take_record(of, record)

    @contextmanager
    def recommended(self, requirement: str) -> Iterator[None]:
        """Keep what is only recommended from hiding what must be: the first such failure comes at the very end."""
        try:
            with judging(requirement):
                yield
        except ConformanceFailure as failure:
            self.warned = self.warned or failure


def _take_record(of: ModelSet, record: tuple[int, int, int]) -> None:
    if sentence := servers.complaint(of, *record):
        raise ConformanceFailure(sentence, by=MADE_UP)


def _charged(taker: Callable[[Walk, Step], None]) -> Callable[[Walk, Step], None]:
    """Charge what goes wrong in a step, unless it says itself what is broken."""

    def take(walk: Walk, step: Step) -> None:
        assert isinstance(walk, ChargedWalk), "only a walk that knows charges has these steps"
        try:
            taker(walk, step)
        except NothingLearnt:
            raise
        except (ConformanceFailure, HostError) as failure:
            if failure.by is None or isinstance(failure.by, Needed):
                bytes_alone = isinstance(failure, ConformanceFailure) and failure.observed is None
                by_contents = CONTENTS.get(step.act) if bytes_alone else None
                failure.by = by_contents or walk.charges.get(step.act, ANY)
            raise

    return take


def _create(walk: Walk, step: Step) -> None:
    """CreateEx, with a serverTimeOut where the walk has one."""
    assert isinstance(walk, ChargedWalk), "only a walk that knows charges has these steps"
    client, process = walk.actor(step)
    name = walk.testbed.name()
    config = VDConfig(device_count=step.what, server_time_out=walk.patience)
    walk.judge(
        step, process.client.create_ex(None, name, config), clients.create(walk.model, client, "fresh", step.what)
    )
    walk.names.append(name)


def _complete(walk: Walk, step: Step) -> None:
    """CompleteCommand: where a Read was completed, the server finds what the client had stored."""
    client, process = walk.actor(step)
    device = next(one for one in client.devices if one.index == step.what)
    command = device.held[0]
    fetched, sound = walk.fetched[command.tag], device.of.sound
    stored = process.client.digest(fetched.buffer, count_of(command)) if command.data and sound else ""
    STEPS["complete_command"](walk, step)
    if (
        stored
        and command.count
        and device.of.sound
        and walk.server.role.digest(command.buffer, command.count) != stored
    ):
        sentence = f"the server found other bytes than {process.client.name} had stored when it completed the Read"
        raise ConformanceFailure(sentence, by=STORED)


def _move(walk: Walk, step: Step) -> None:
    """Move the bytes of every buffer through an address at which it is mapped, where they can be."""
    walk.tell(step)
    _, process = walk.actor(step)
    walk.contents.store_through(process.client)
