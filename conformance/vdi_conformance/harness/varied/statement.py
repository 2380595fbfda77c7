"""A set under conditions that a BACKUP or RESTORE uses: whatever a real server allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vdi_conformance.harness.varied.around import abort, ask_after_an_abort, ask_before_the_last_one, close_all
from vdi_conformance.harness.varied.sets import Aside, Held, VariedSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Code, PendingAnswer, Result
    from vdi_conformance.harness.statement_run import StatementRun
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.harness.varied.layout import Layout, Use


class VariedStatement(VariedSet):
    """With the statement itself."""

    running: StatementRun

    def __init__(self, testbed: Testbed, layout: Layout, running: StatementRun) -> None:
        super().__init__(testbed, layout)
        self.running = running

    def begin(self, clients: list[Client]) -> None:
        """Let the statement configure the set."""
        self.running.configure()
        self.running.join_all()
        for number in range(self.layout.devices):
            if number == self.layout.devices - 1:
                ask_before_the_last_one(self)
            self.running.open_device(number)
        self.add_guests()

    def _hold(self, uses: Sequence[Use]) -> list[Held]:
        return [self.held_now(number, command) for number, command in enumerate(self.running.hold_all())]

    def _complete(self, one: Held, thread: str) -> Code:
        """Move its bytes, every other time through a mapping."""
        views = self.views_of(one)
        view = views[-1] if views and not one.number % 2 else None
        return self.running.answer(one.command, view, thread=thread)

    def _require_seen(self, one: Held) -> None:
        """Nobody tells; the end of the statement will."""

    def send_aside(self) -> None:
        """Nobody can be told to send one."""

    def end_aside(self, aside: Aside) -> None:
        """There is none."""

    def go_on(self, waiting: PendingAnswer[Any, Result[Fetched]] | None) -> None:
        """It can be told nothing."""

    def pass_in_order(self, may_fail: bool) -> None:
        """Nobody can be told to send them."""

    def open_spare(self) -> None:
        """A statement waits until all are open."""

    def finish(self) -> None:
        """Run the statement to its end; one that may end is aborted instead."""
        if self.may_end or self.layout.closes_by_abort:
            self._abort()
            return
        end = self.running.run_out()
        close_all(self)
        self.running.require_success(end)

    def _abort(self) -> None:
        abort(self)
        ask_after_an_abort(self)
        close_all(self, aborted=True)
        self.running.require_failure()

    def end_aborted(self, held: Sequence[Held]) -> None:
        """See the statement fail."""
        self.running.require_failure()
