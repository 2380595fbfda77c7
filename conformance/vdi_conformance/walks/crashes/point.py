"""One crash point: the usual course up to a step, what happens there to one process, and what comes of it for all."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.harness.intervals import TooSlow, with_time_enough
from vdi_conformance.harness.judging import ConformanceFailure, judging, needing
from vdi_conformance.harness.shared_memory import mark, require_unchanged
from vdi_conformance.harness.standing_still import standing_still
from vdi_conformance.model.state import AbortState, SetPhase
from vdi_conformance.model.steps import Step, options
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT, name_of
from vdi_conformance.walks.crashes import consequences as by
from vdi_conformance.walks.crashes.course import (
    FETCHER,
    IDLE,
    MAPPER,
    PRIMARY,
    PROCESSES,
    SERVER,
    WORKING,
    concerns,
    course,
    fresh_set,
    passing,
)
from vdi_conformance.walks.crashes.walking import ChargedWalk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.expectations import PendingAnswer
    from vdi_conformance.harness.shared_memory import BufferView
    from vdi_conformance.harness.testbed import Testbed

PATIENCE: Final = 250
"""Milliseconds of serverTimeOut, where the time of the server is what passes."""
SHORT: Final = 30
"""Milliseconds that a wait lasts whose time passes."""
BARRIER: Final = 4
"""So many commands show that the death of a secondary does not end the set."""
CONFIGURATION: Final = ("created", "opened", "configuring")
"""The steps at which GetConfiguration has to wait."""
PASSING: Final = ("waiting", "fetched", "queued", "named", "mapped", "moved", "completed")
"""The steps at which commands can be passed over the devices on which GetCommand waits."""


def judge(testbed: Testbed, values: Mapping[str, str]) -> None:
    """Come to a crash point in fresh processes, let it happen, and hold all that comes of it against the model."""
    testbed.need_scripted()
    if (values["event"], values["process"]) != ("timed out", "server"):
        CrashPoint(testbed, values).run()
        return
    with_time_enough(testbed, PATIENCE, lambda interval: CrashPoint(testbed, values, interval).run())


class CrashPoint:
    """What is done at one crash point; `patience` is the serverTimeOut of the set in milliseconds, 0 for none."""

    def __init__(self, testbed: Testbed, values: Mapping[str, str], patience: int = 0) -> None:
        self._testbed = testbed
        self._walk = ChargedWalk(testbed)
        self._walk.patience = patience
        self._step, self._event = values["step"], values["event"]
        self._process = PROCESSES[values["process"]]
        self._course = self._without_what_times_out(course(values["operation"]))
        self._consequences = by.consequences(values)
        self._configuring: PendingAnswer[Any, Any] | None = None
        self._seen: list[tuple[int, int, BufferView]] = []

    def run(self) -> None:
        """Go through all of it; what is only recommended is told at the end."""
        names = list(self._course)
        reached = names.index(self._step) + 1
        with needing(by.ANY):
            self._come_to(names[:reached])
            self._begin_to_wait()
            self._seen = self._walk.contents.views()
            _EVENTS[self._event](self, names[reached:])
            self._create_anew()
        if self._walk.warned is not None:
            raise self._walk.warned

    def _without_what_times_out(self, steps: Mapping[str, Sequence[Step]]) -> dict[str, Sequence[Step]]:
        """Leave out the endless wait of a process whose wait is to end with its time."""
        if self._event != "timed out" or self._process not in IDLE:
            return dict(steps)
        own = Step("wait", self._process, IDLE[self._process])
        return {name: [step for step in some if step != own] for name, some in steps.items()}

    def _come_to(self, names: Sequence[str]) -> None:
        """Take the steps before it happens; a machine that needs too long for them shows nothing of patience."""
        began, patience = time.monotonic(), self._walk.patience
        try:
            for name in names:
                self._walk.take_all(self._course[name])
        except ConformanceFailure as failure:
            late = patience and (time.monotonic() - began) * 1000 >= 2 * patience
            if late and failure.observed == name_of(VD_E_ABORT):
                raise TooSlow from failure
            raise

    def _begin_to_wait(self) -> None:
        """Let the primary wait for a configuration that is still to come, unless that is what runs out of time."""
        of_its_time = self._event == "timed out" and self._process == PRIMARY
        if self._step in CONFIGURATION and not of_its_time:
            self._configuring = self._client(PRIMARY).send_get_configuration(thread="configuration")
            self._client(PRIMARY).outside_addresses()

    def _client(self, number: int) -> Client:
        """Give the client object of a process, which starts where it has not yet."""
        return self._walk.actor(Step("close", number))[1].client

    def _go_on(self, names: Sequence[str]) -> None:
        """Take the rest of the course, to its end."""
        for name in names:
            self._walk.take_all(self._course[name])
            if name == "told" and self._configuring is not None:
                self._configuring.result().expect(NOERROR, by="CFG-01")

    # What may happen

    def _kill(self, left: Sequence[str]) -> None:
        self._prepare()
        if self._process == SERVER:
            _ = self._walk.server.role
            self._walk.take(Step("server_kill"))
        else:
            self._client(self._process)
            self._walk.take(Step("kill", self._process))
        if self._is_noticed() and not self._walk.of.over:
            self._walk.find_aborted()
        if self._walk.of.sound:
            self._walk.take(Step("start", self._process))
        self._come_of_it(left)

    def _is_noticed(self) -> bool:
        """Tell whether the death must end the set, which the documents ask of primary and server alone."""
        return {
            PRIMARY: self._walk.of.phase is SetPhase.CONFIGURED,
            SERVER: self._walk.of.phase is not SetPhase.CREATED,
        }.get(self._process, False)

    def _abort(self, left: Sequence[str]) -> None:
        self._prepare()
        self._walk.take(Step("server_abort") if self._process == SERVER else Step("signal_abort", self._process))
        self._come_of_it(left)

    def _stop(self, left: Sequence[str]) -> None:
        walk = self._walk
        with ExitStack() as stack:
            if self._process == SERVER:
                host = walk.server.role.host
            else:
                client = self._client(self._process)
                host = client.host
                stack.enter_context(walk.contents.without(client))
            stack.enter_context(standing_still(self._testbed, host))
            self._call_meanwhile()
            while left and not any(concerns(step, self._process) for step in self._course[left[0]]):
                self._go_on(left[:1])
                left = left[1:]
        with judging(by.CONTENTS["complete_command"]):
            walk.contents.check("a buffer that is held was changed while a process stood still")
        self._go_on(left)

    def _call_meanwhile(self) -> None:
        """Let all others do what they can do while a process stands still."""
        walk = self._walk
        acts = ("get_configuration", "get_buffer_handle", "map_buffer_handle")
        calls = [step for act in acts for step in options(walk.model, act) if step.kind in ("", "live 0")]
        walk.charges = by.ordinary(get_configuration=by.KNOWN)
        for step in calls:
            if step.by != self._process and walk.model.clients[step.by - 1].of is not None:
                walk.take(step)
        if self._step in PASSING and self._process != SERVER:
            walk.take_all(passing(IDLE[FETCHER if self._process == PRIMARY else PRIMARY]))
        walk.charges = by.ORDINARY

    def _time_out(self, left: Sequence[str]) -> None:
        if self._process == SERVER:
            self._lose_patience(left)
            return
        walk, client = self._walk, self._client(self._process)
        interval = self._testbed.scaled(SHORT)
        if self._step in CONFIGURATION:
            client.get_configuration(interval).expect(VD_E_TIMEOUT, by=by.PASSED["configuration"])
            walk.charges = by.ordinary(get_configuration=by.REPEATED["configuration"])
        else:
            device = IDLE[self._process]
            opened = walk.processes[self._process].devices[device]
            opened.get_command(interval).expect(VD_E_TIMEOUT, by=by.PASSED["device"])
            walk.charges = by.ordinary(be_woken=by.REPEATED["device"])
            walk.take(Step("wait", self._process, device))
            walk.take_all(passing(device))
        self._go_on(left)

    def _lose_patience(self, left: Sequence[str]) -> None:
        """Do nothing until the server gives up."""
        self._prepare()
        self._walk.of.worsen(AbortState.ABORTED)
        self._walk.settle()
        self._walk.find_aborted()
        self._come_of_it(left)

    def _prepare(self) -> None:
        """Charge from now on by what must come of it."""
        if self._consequences is not None:
            self._walk.charges = by.ordinary(**self._consequences.charges)
            self._walk.ends = self._consequences.ends

    # What comes of it

    def _come_of_it(self, left: Sequence[str]) -> None:
        """Go on where the set has nothing to do with it; otherwise come to the end that it has then."""
        if self._walk.of.sound:
            self._walk.charges, self._walk.ends = by.ORDINARY, by.ORDINARY["complete_command"]
            self._go_on(left)
            return
        found = self._consequences
        assert found is not None, "what ends a set has consequences"
        if self._configuring is not None and self._walk.model.clients[PRIMARY - 1].alive:
            self._configuring.result().expect(VD_E_ABORT, by=found.configuring)
        if self._event == "killed" and self._process in (FETCHER, MAPPER) and not self._walk.of.over:
            self._live_without_a_secondary()
        self._end(found)

    def _live_without_a_secondary(self) -> None:
        """Let the others go on, which a library may end; then let the primary abort, as is its duty."""
        walk = self._walk
        passed = self._step not in PASSING or all(self._passes() for _ in range(BARRIER))
        if self._step in PASSING:
            who = "a secondary that only mapped" if self._process == MAPPER else "a secondary that held a command"
            who = "a secondary in GetCommand" if (self._process, self._step) == (FETCHER, "waiting") else who
            self._testbed.observe(
                "Q62", f"the death of {who}", "nothing" if passed else "an abort", ("nothing", "an abort")
            )
        other = self._client(MAPPER if self._process == FETCHER else FETCHER)
        for command in walk.of.devices[WORKING[PRIMARY]].held if passed else ():
            if command.named and not other.map_buffer_handle(walk.handles[command.tag]).succeeded:
                with judging(by.GOOD):
                    other.await_abort()
        walk.take(Step("signal_abort", PRIMARY))

    def _passes(self) -> bool:
        """Pass a command over a device of the primary; tell whether no abort ended that."""
        device = self._walk.of.devices[IDLE[PRIMARY]]
        for step in passing(device.index):
            if step.act == "complete_command" and not device.held:
                return False
            self._walk.take(step)
            if self._walk.of.abort_state is AbortState.ABORTED:
                return False
        return True

    def _end(self, found: by.Consequences) -> None:
        """Let everybody learn of it, see what they hold, and close everything."""
        walk = self._walk
        walk.take_all(options(walk.model, "notice"))
        self._look_at_memory(found)
        for step in options(walk.model, "complete_command"):
            if step.kind == "held 0" and walk.model.clients[step.by - 1].done:
                walk.take(step)
        walk.settle()
        for number in (FETCHER, MAPPER, PRIMARY):
            if walk.model.clients[number - 1].of is not None:
                walk.take(Step("close", number))
        walk.take_all(options(walk.model, "server_close"))

    def _look_at_memory(self, found: by.Consequences) -> None:
        """See that whoever lives can still use what it holds, and what it has mapped."""
        walk = self._walk
        living = {process.client: number for number, process in walk.processes.items()}
        for tag, size, view in self._seen:
            number = next((living[one] for one in living if one is view.process), None)
            if number is None or walk.model.clients[number - 1].of is None:
                continue
            holder = walk.fetched[tag].device.client
            if view.process is holder:
                with judging(found.held):
                    require_unchanged(mark(view, size, tag))
            else:
                with walk.recommended(by.MAPPED if holder in living else by.MAPPED_OF_THE_DEAD):
                    require_unchanged(mark(view, size, tag))

    def _create_anew(self) -> None:
        """Create another set in what is left, with fresh processes for those that died, and see it to its end."""
        walk = self._walk
        survived = PRIMARY in walk.processes
        walk.begin()
        walk.patience = 0
        walk.charges = by.ordinary(create=by.AGAIN) if survived else by.ORDINARY
        walk.ends = by.ORDINARY["complete_command"]
        walk.take_all(fresh_set())


_EVENTS: Final = {
    "killed": CrashPoint._kill,
    "stopped": CrashPoint._stop,
    "aborted": CrashPoint._abort,
    "timed out": CrashPoint._time_out,
}
