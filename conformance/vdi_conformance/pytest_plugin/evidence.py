"""Collects the records of a run on the controller, writes them, and gives the exit code."""

import platform
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import pytest

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import CheckRecord, Footer, Header
from vdi_conformance.judgement.exit_codes import ENDED, with_others, worst
from vdi_conformance.judgement.footers import footer, left_out, requirement_verdicts
from vdi_conformance.judgement.known_failures import complaints
from vdi_conformance.judgement.scoring import RequirementVerdict, version_of
from vdi_conformance.output.files import NotWritable
from vdi_conformance.pytest_plugin.baseline import BASELINE
from vdi_conformance.pytest_plugin.collected import NotFound, held
from vdi_conformance.pytest_plugin.lost import Lost
from vdi_conformance.pytest_plugin.machines import MACHINES, Visited, apart, machine_of
from vdi_conformance.pytest_plugin.no_verdict import ENDS, USAGE, NoVerdict
from vdi_conformance.pytest_plugin.parties import PARTIES
from vdi_conformance.pytest_plugin.phases import Phases, is_lost, phase_of
from vdi_conformance.pytest_plugin.profile import PROFILE
from vdi_conformance.pytest_plugin.repetition import Once
from vdi_conformance.pytest_plugin.selection import never_executed, selection
from vdi_conformance.pytest_plugin.shards import SHARD, elsewhere, whole_of
from vdi_conformance.pytest_plugin.tools import plugins, tools
from vdi_conformance.requirements import digest
from vdi_conformance.untrusted.printable import keepable

_UNFIT: Final = re.compile(r"[^\w.-]+")
"""What stands in no name of a file on every system."""


class Collector:
    """The records of a run, or of one platform of it, as they come in; `place` is what that is called."""

    def __init__(self, config: pytest.Config, visited: Visited | None = None) -> None:
        self.header = header_of(config, visited)
        self.place = "" if visited is None else visited.place.name
        self.once = Once()
        self._config = config
        self.checks: list[CheckRecord] = []
        self.footer: Footer | None = None
        self.whole = False
        self.written: list[str] = []
        self.failed_others: list[str] = []
        self.not_collected: list[str] = []
        self._baseline = config.stash[BASELINE]
        self._profile = config.stash[PROFILE]
        self._phases = Phases()
        self._unserved: dict[str, str] = {}
        self._began = time.monotonic()
        given = config.getoption("vdi_evidence")
        self._path = own_file(Path(given), self.place) if given else None
        self._writer = _open(self._path, self.header) if self._path else None

    def add(self, report: pytest.TestReport, machine: str) -> None:
        """Take one report; the last one of a check makes its record, unless the run leaves that check out."""
        if (phase := phase_of(report)) is not None and phase.left_out:
            self._unserved[report.nodeid] = phase.id
        if (record := self._phases.add(report)) is not None and record.node not in self._unserved:
            self._keep(msgspec.structs.replace(record, machine=machine))
        elif report.failed and phase_of(report) is None and not is_lost(report):
            self.failed_others.append(report.nodeid)

    def add_lost(self, lost: Lost) -> None:
        """Take what lost workers had not run."""
        recorded = {*self._unserved, *(check.node for check in self.checks)}
        for record in lost.not_run(self.place, recorded, held):
            self._keep(msgspec.structs.replace(record, machine=self.place))

    def _keep(self, record: CheckRecord) -> None:
        self.checks.append(record)
        if self._writer:
            self._writer.write(record)

    def by_requirement(self) -> tuple[RequirementVerdict, ...]:
        """Give the verdicts by requirement, where a profile was named."""
        return requirement_verdicts(self.header, self.checks, self._profile)

    @property
    def evidence(self) -> Evidence | None:
        """The whole run; None before its end, and where it was cut short."""
        if self.footer is None or not self.whole:
            return None
        return Evidence(self.header, tuple(self.checks), self.footer)

    def finish(self, status: int, whole: bool) -> int:
        """Close the evidence and give the exit code; a run that was cut short gets no footer."""
        narrowed = left_out(self.header, {one.id for one in self.checks}, held, self._profile) if whole else []
        self.header = msgspec.structs.replace(self.header, selection=[*self.header.selection, *narrowed])
        self.whole = whole
        self.footer = footer(
            self.header,
            self.checks,
            self._profile,
            complaints(*self._baseline, self.header, self.checks) if whole else [],
            duration=time.monotonic() - self._began,
            status=status,
            narrowed=narrowed,
            whole=whole_of(self._config, {*self._unserved.values()}),
        )
        self._close(self.footer if whole else None)
        return self.footer.exit_code

    def _close(self, footer: Footer | None) -> None:
        if self._writer is None:
            return
        if footer is not None:
            self._writer.write(footer)
        self._writer.close()
        self.written.append(f"evidence to {self._path}" + (", without its end" if footer is None else ""))


def _open(path: Path, header: Header) -> EvidenceWriter:
    try:
        writer = EvidenceWriter(path)
        writer.write(header)
    except NotWritable as error:
        raise pytest.UsageError(str(error)) from error
    return writer


def own_file(path: Path, place: str) -> Path:
    """Give the file of one platform, beside the one that was named; that one where the run has no platforms apart."""
    return path.with_stem(f"{path.stem}-{_UNFIT.sub('-', place)}") if place else path


COLLECTORS: Final = pytest.StashKey[tuple[Collector, ...]]()
"""That of the run, or of each platform where these have verdicts of their own."""


class Reception:
    """The controller's half of this plugin."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        places = config.stash[MACHINES] if apart(config) else [None]
        self._collectors = config.stash[COLLECTORS] = tuple(Collector(config, visited) for visited in places)
        self._ends = config.stash[ENDS]
        self._lost = Lost(config)
        config.pluginmanager.register(self._lost, "vdi-lost")
        self._no_verdict = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect a report; one that says that no check will come to a verdict any more ends the run."""
        phase = phase_of(report)
        node = getattr(report, "node", None)
        visited = None if node is None else machine_of(self._config, node)
        machine = "" if visited is None else visited.place.name
        collector = next((one for one in self._collectors if one.place == machine), self._collectors[0])
        if phase is not None and (repeated := collector.once.repeated(report, phase.id)):
            raise NoVerdict(repeated, USAGE)
        try:
            collector.add(report, machine)
        except NotWritable as error:
            raise NoVerdict(str(error)) from error
        if phase is not None:
            self._no_verdict = self._no_verdict or phase.no_verdict
        # Not before: what the check has started must be put away first.
        if self._no_verdict and report.when == "teardown":
            raise NoVerdict(self._no_verdict)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note tests that could not even be collected."""
        if report.failed:
            self._collectors[0].not_collected.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the evidence and set the exit code of the run."""
        if session.config.getoption("collectonly"):
            return
        status = int(session.exitstatus)
        whole = status in ENDED and not (session.shouldstop or session.shouldfail)
        try:
            if whole:
                for collector in self._collectors:
                    collector.add_lost(self._lost)
            if whole and (missing := self._missing()):
                self._ends.give_up(never_executed(missing), USAGE)
                status, whole = USAGE, False
            others = sum(len(one.failed_others) + len(one.not_collected) for one in self._collectors)
            codes = [collector.finish(status, whole) for collector in self._collectors]
            session.exitstatus = with_others(worst(codes), others)
        except (NotWritable, NotFound) as error:
            for collector in self._collectors:
                collector.whole = False
            self._ends.give_up(str(error))

    def _missing(self) -> set[str]:
        """Name the checks that the run was told to execute, and of which some platform has no record."""
        named = {one for one in self._config.getoption("vdi_check") if not elsewhere(self._config, one)}
        return {one for collector in self._collectors for one in named - {check.id for check in collector.checks}}


def pytest_configure(config: pytest.Config) -> None:
    """Collect on the controller only."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reception(config), "vdi-reception")


def header_of(config: pytest.Config, visited: Visited | None = None) -> Header:
    """Tell what is run against what, and how: in one place of a run over machines, or in all of it."""
    client, server = config.stash[PARTIES] if visited is None else visited.parties
    places = config.stash[MACHINES] if visited is None else (visited,)
    first = places[0].found if places else None
    options = config.option
    profile = config.stash[PROFILE]
    header = Header(
        suite_version=__version__,
        catalogue_sha256=digest(),
        profile=None if profile is None else version_of(profile),
        client=client,
        server=server,
        platform=platform.platform() if first is None else first.platform,
        python=platform.python_version() if first is None else first.python,
        tools=tools() if first is None else first.tools,
        plugins=plugins(config) if first is None else first.plugins,
        seed=options.vdi_seed,
        timeout_scale=options.vdi_timeout_scale,
        selection=selection(config),
        shard=config.stash[SHARD],
        baseline_sha256=config.stash[BASELINE].sha256,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        challenge=options.vdi_challenge,
        machines=[place.machine for place in places],
    )
    return msgspec.convert(keepable(msgspec.to_builtins(header)), Header)
