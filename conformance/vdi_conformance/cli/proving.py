"""The controller's side of a proof: what the workers report, and how far they have come."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    import pytest

    from vdi_conformance.evidence.proof import TrialResult
    from vdi_conformance.evidence.records import Party
    from vdi_conformance.proof.plan import ProofPlan

LINES: Final = 10
"""So often is told how far it has come where nobody sees a bar."""


class Watch:
    """A plugin of pytest that gathers results, and shows a bar, or a line now and then where there is no terminal."""

    client: "Party"

    def __init__(self, plan: "ProofPlan") -> None:
        self.plan = plan
        self.results: list[TrialResult] = []
        self._console = Console(file=sys.stderr, highlight=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, redirect_stdout=False)
        self._task = self._bar.add_task("starting", total=len(plan.trials))

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar meanwhile."""
        if not self._console.is_terminal:
            yield
            return
        with self._bar:
            yield

    def pytest_sessionstart(self, session: "pytest.Session") -> None:
        """Keep who was asked."""
        from vdi_conformance.pytest_plugin.parties import PARTIES

        self.client = session.config.stash[PARTIES][0]

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        """Take the result of a trial."""
        from vdi_conformance.evidence.proof import TrialResult
        from vdi_conformance.pytest_plugin.proof import KEY

        found = next((value for key, value in report.user_properties if key == KEY), None)
        if found is not None:
            self._take(msgspec.convert(found, TrialResult))
        elif report.when not in ("setup", "call", "teardown"):
            trial = self.plan.trials[int(report.nodeid.rpartition("::")[2].partition(":")[0])]
            self._take(TrialResult(trial=trial, error="the worker died while it made this trial"))

    def _take(self, result: "TrialResult") -> None:
        self.results.append(result)
        done, total = len(self.results), len(self.plan.trials)
        self._bar.update(self._task, completed=done, description=f"{result.trial.kind} {result.trial.name}")
        if not self._console.is_terminal and done * LINES // total > (done - 1) * LINES // total:
            self._console.print(f"{done} of {total} trials made")
