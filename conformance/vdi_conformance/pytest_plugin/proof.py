"""The trials of a proof as pytest items: each runs checks of the suite on an implementation of its own.

All checks are collected once; a trial then runs those of its schedule, as often as other trials did before it. Workers
of pytest-xdist take trials one by one, and hand their results to the controller.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import msgspec
import pytest

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.evidence.proof import Trial, TrialResult, Tried
from vdi_conformance.evidence.records import Party
from vdi_conformance.harness.testbed import KNOWN_TO_FAIL
from vdi_conformance.harness.worker_session import Parties, WorkerSession
from vdi_conformance.host.errors import HostError
from vdi_conformance.host.spec import AdapterSpec, Role
from vdi_conformance.private_interfaces import run_again
from vdi_conformance.proof.plan import NotAPlan, ProofPlan, read
from vdi_conformance.proof.schedule import scheduled
from vdi_conformance.pytest_plugin.adapter import cpu_of, limits_of, settings_of, start_of
from vdi_conformance.pytest_plugin.checks import check_id, requirements_of
from vdi_conformance.pytest_plugin.parties import PARTIES, paired, parties_of, party, party_of
from vdi_conformance.pytest_plugin.phases import Phases
from vdi_fixtures.drawing import DRAWN
from vdi_fixtures.made.adapter import MADE
from vdi_fixtures.made.journal import take_effects
from vdi_fixtures.made.survey import take_reached
from vdi_fixtures.together import TOGETHER
from vdi_fixtures.wrapping import AROUND

if TYPE_CHECKING:
    from vdi_conformance.evidence.records import CheckRecord, Observation

KEY: Final = "vdi-trial"
TRIALS: Final = pytest.StashKey["Trials"]()


class TrialItem(pytest.Item):
    """A trial, where pytest expects a test."""

    trial: Trial
    checks: dict[str, pytest.Function]

    def runtest(self) -> None:
        """Do nothing: the protocol of a trial is another one."""

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say where it is."""
        return self.path, None, self.name


class Trials:
    """Plays trials on one session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        config.stash[TRIALS] = self
        self._plan = _plan(Path(config.getoption("vdi_proof")))
        self._session: WorkerSession | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Put the trials in the place of the checks."""
        checks = {
            check_id(item): cast("pytest.Function", item) for item in sorted(items, key=_rank) if requirements_of(item)
        }
        items.clear()
        for number, trial in enumerate(self._plan.trials):
            item = TrialItem.from_parent(session, name=f"{number}:{trial.name}")
            item.trial, item.checks = trial, checks
            items.append(item)

    @property
    def session(self) -> WorkerSession:
        """What all trials share; the first one to ask starts it."""
        if self._session is None:
            config = self._config
            nobody = parties_of(*config.stash[PARTIES], settings_of(config), limits_of(config))
            self._session = WorkerSession(nobody, start_of(config), cpu_of(config))
        return self._session

    def pytest_sessionfinish(self) -> None:
        """End what was started."""
        if self._session is not None:
            self._session.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Make a trial, and report what came of it."""
        if not isinstance(item, TrialItem):
            return None
        started = time.time()
        result = self._make(item)
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="passed",
            longrepr=None,
            when="call",
            duration=time.time() - started,
            start=started,
            stop=time.time(),
            user_properties=[(KEY, msgspec.to_builtins(result))],
        )
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _make(self, item: TrialItem) -> TrialResult:
        try:
            self.session.clear()
            self.session.change_parties(self._cast(item.trial))
        except (UnknownAdapter, HostError, ValueError) as error:
            return TrialResult(trial=item.trial, error=str(error))
        judged = {id: tuple(requirements_of(check)) for id, check in item.checks.items()}
        planned = scheduled(item.trial, judged, self._plan.scored)
        tried: list[Tried] = []
        seen: list[Observation] = []
        try:
            check = next(planned)
            while True:
                record = _run(item.checks[check], item)
                seen += record.observations
                tried.append(_told(record, self.session.directory))
                check = planned.send(tried[-1])
        except StopIteration:
            observed = tuple(seen) if item.trial.kind == "reading" else ()
            return TrialResult(trial=item.trial, tried=tuple(tried), observed=observed)

    def _cast(self, trial: Trial) -> Parties:
        settings = settings_of(self._config)
        told = {AROUND: trial.around, TOGETHER: ",".join(trial.together), DRAWN: trial.seed, MADE: trial.made}
        variables = tuple((name, value) for name, value in told.items() if value)

        def ask(spec: AdapterSpec, roles: tuple[Role, ...]) -> Party:
            # What goes around an adapter needs a machine where that does, and one process less is asked.
            if self._config.stash[PARTIES][0].capabilities.get("broker"):
                return party_of(spec, self.session.broker(spec).initialized)
            return party(self.session.supervisor, spec, settings, roles)

        spec = resolve(trial.reference)
        spec = replace(spec, env=(*spec.env, *variables))
        client, server, server_spec = paired(ask, spec)
        found = parties_of(client, server, settings, limits_of(self._config))
        scale = settings.time_scale * trial.time_scale
        return replace(found, client=spec, server=server_spec, timeout_scale=scale)


@pytest.fixture(scope="session")
def vdi_session(request: pytest.FixtureRequest) -> WorkerSession:
    """Give the checks the session of the trials."""
    return request.config.stash[TRIALS].session


def _plan(path: Path) -> ProofPlan:
    try:
        return read(path)
    except NotAPlan as error:
        raise pytest.UsageError(str(error)) from error


def _rank(item: pytest.Item) -> int:
    """Put checks last that take their time: where another one shows the same, they are not needed."""
    walks = "recorder" in getattr(item, "fixturenames", ())
    return 2 if walks else 1 if item.get_closest_marker("vdi_timing") else 0


def _run(check: pytest.Function, trial: TrialItem) -> "CheckRecord":
    """Run a check once more; what the whole session shares stays."""
    check.stash = pytest.Stash()
    # Nobody reads the simplest example of a failure that is expected.
    check.stash[KNOWN_TO_FAIL] = True
    phases = Phases()
    records = [phases.add(report) for report in run_again(check, trial)]
    record = records[-1]
    assert record is not None, "the last phase of a check completes its record"
    return record


def _told(record: "CheckRecord", directory: Path) -> Tried:
    return Tried(
        check=record.id,
        requirements=tuple(record.requirements),
        verdict=record.verdict,
        broken=tuple(record.broken),
        cause="" if record.cause is None else record.cause.sentence,
        seconds=record.duration,
        effects=take_effects(directory),
        reached=tuple(take_reached(directory)),
    )
