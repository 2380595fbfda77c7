"""Collects the records of a run on the controller, writes them, and gives the exit code."""

import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import pytest

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import CheckRecord, Footer, Header
from vdi_conformance.judgement.exit_codes import ENDED, with_others
from vdi_conformance.judgement.footers import footer, left_out, requirement_verdicts
from vdi_conformance.judgement.known_failures import complaints
from vdi_conformance.judgement.scoring import RequirementVerdict, version_of
from vdi_conformance.output.files import NotWritable
from vdi_conformance.pytest_plugin.baseline import BASELINE
from vdi_conformance.pytest_plugin.collected import NotFound, held
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


class Collector:
    """The records of a run, as they come in."""

    def __init__(self, config: pytest.Config) -> None:
        self.header = header_of(config)
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
        self._path = config.getoption("vdi_evidence")
        self._writer = _open(Path(self._path), self.header) if self._path else None

    def add(self, report: pytest.TestReport) -> None:
        """Take one report; the last one of a check makes its record, unless the run leaves that check out."""
        if (phase := phase_of(report)) is not None and phase.left_out:
            self._unserved[report.nodeid] = phase.id
        if (record := self._phases.add(report)) is not None and record.node not in self._unserved:
            self.checks.append(record)
            if self._writer:
                self._writer.write(record)
        elif report.failed and phase_of(report) is None and not is_lost(report):
            self.failed_others.append(report.nodeid)

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


COLLECTOR: Final = pytest.StashKey[Collector]()


class Reception:
    """The controller's half of this plugin."""

    def __init__(self, config: pytest.Config) -> None:
        self._collector = config.stash[COLLECTOR] = Collector(config)
        self._ends = config.stash[ENDS]
        self._once = Once()
        self._no_verdict = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect a report; one that says that no check will come to a verdict any more ends the run."""
        phase = phase_of(report)
        if phase is not None and (repeated := self._once.repeated(report, phase.id)):
            raise NoVerdict(repeated, USAGE)
        try:
            self._collector.add(report)
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
            self._collector.not_collected.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the evidence and set the exit code of the run."""
        if session.config.getoption("collectonly"):
            return
        status = int(session.exitstatus)
        whole = status in ENDED and not (session.shouldstop or session.shouldfail)
        named = {one for one in session.config.getoption("vdi_check") if not elsewhere(session.config, one)}
        missing = named - {check.id for check in self._collector.checks}
        if missing and whole:
            self._ends.give_up(never_executed(missing), USAGE)
            status, whole = USAGE, False
        try:
            others = len(self._collector.failed_others) + len(self._collector.not_collected)
            session.exitstatus = with_others(self._collector.finish(status, whole), others)
        except (NotWritable, NotFound) as error:
            self._collector.whole = False
            self._ends.give_up(str(error))


def pytest_configure(config: pytest.Config) -> None:
    """Collect on the controller only."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reception(config), "vdi-reception")


def header_of(config: pytest.Config) -> Header:
    """Tell what is run against what, and how."""
    client, server = config.stash[PARTIES]
    options = config.option
    profile = config.stash[PROFILE]
    header = Header(
        suite_version=__version__,
        catalogue_sha256=digest(),
        profile=None if profile is None else version_of(profile),
        client=client,
        server=server,
        platform=platform.platform(),
        python=platform.python_version(),
        tools=tools(),
        plugins=plugins(config),
        seed=options.vdi_seed,
        timeout_scale=options.vdi_timeout_scale,
        selection=selection(config),
        shard=config.stash[SHARD],
        baseline_sha256=config.stash[BASELINE].sha256,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        challenge=options.vdi_challenge,
    )
    return msgspec.convert(keepable(msgspec.to_builtins(header)), Header)
