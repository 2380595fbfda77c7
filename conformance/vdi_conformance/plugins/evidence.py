"""Collects the records of a run on the controller, writes them, and gives the exit code."""

import hashlib
import platform
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import (
    CheckRecord,
    Footer,
    Header,
)
from vdi_conformance.plugins.adapter import PARTIES
from vdi_conformance.plugins.baseline import BASELINE
from vdi_conformance.plugins.phases import Phases, phase_of
from vdi_conformance.plugins.profile import PROFILE
from vdi_conformance.plugins.requirements import (
    no_such_check,
    selection,
)
from vdi_conformance.report.exit_codes import ENDED, exit_code
from vdi_conformance.report.known_failures import complaints
from vdi_conformance.report.scoring import RowVerdict, by_requirement, scored_counts, version_of
from vdi_conformance.requirements import catalogue


class Collector:
    """The records of a run, as they come in."""

    def __init__(self, config: pytest.Config) -> None:
        self.header = header_of(config)
        self.checks: list[CheckRecord] = []
        self.footer: Footer | None = None
        self.complaint = ""
        self.whole = False
        self._baseline = config.stash[BASELINE]
        self._profile = config.stash[PROFILE]
        self._phases = Phases()
        self._left_out: set[str] = set()
        self._began = time.monotonic()
        path = config.getoption("vdi_evidence")
        self._writer = _open(Path(path)) if path else None
        if self._writer:
            self._writer.write(self.header)

    def add(self, report: pytest.TestReport) -> None:
        """Take one report; the last one of a check makes its record, unless the run leaves that check out."""
        if (phase := phase_of(report)) is not None and phase.left_out:
            self._left_out.add(report.nodeid)
        if (record := self._phases.add(report)) is not None and record.node not in self._left_out:
            self.checks.append(record)
            if self._writer:
                self._writer.write(record)

    def by_requirement(self) -> tuple[RowVerdict, ...]:
        """Give the verdicts by requirement, where a profile was named."""
        if self._profile is None:
            return ()
        return by_requirement(self._profile, catalogue().rows, self.header.client, self.checks)

    @property
    def evidence(self) -> Evidence | None:
        """The whole run; None before its end, and where it was cut short."""
        if self.footer is None or not self.whole:
            return None
        return Evidence(self.header, tuple(self.checks), self.footer)

    def finish(self, status: int, whole: bool) -> int:
        """Close the evidence and give the exit code; a run that was cut short gets no footer."""
        differences = complaints(*self._baseline, self.header, self.checks) if whole else []
        counts: dict[str, int] = {}
        for check in self.checks:
            counts[check.verdict] = counts.get(check.verdict, 0) + 1
        deciding = counts if self._profile is None else scored_counts(self.by_requirement(), self.checks)
        code = exit_code(deciding, status, differences)
        duration = time.monotonic() - self._began
        self.footer = Footer(counts=counts, complaints=differences, exit_code=code, duration=duration)
        self.whole = whole
        if self._writer:
            if whole:
                self._writer.write(self.footer)
            self._writer.close()
        return code


def _open(path: Path) -> EvidenceWriter:
    try:
        return EvidenceWriter(path)
    except OSError as error:
        raise pytest.UsageError(f"{path} cannot be written ({error.strerror}): name another file") from error


COLLECTOR: Final = pytest.StashKey[Collector]()


class Reception:
    """The controller's half of this plugin."""

    def __init__(self, config: pytest.Config) -> None:
        self._collector = config.stash[COLLECTOR] = Collector(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect a report."""
        self._collector.add(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Close the evidence and set the exit code of the run."""
        status = int(session.exitstatus)
        whole = status in ENDED and not (session.shouldstop or session.shouldfail)
        missing = set(session.config.getoption("vdi_check")) - {check.id for check in self._collector.checks}
        if missing and whole:
            self._collector.complaint, status = no_such_check(missing), int(pytest.ExitCode.USAGE_ERROR)
            whole = False
        session.exitstatus = self._collector.finish(status, whole)


def pytest_configure(config: pytest.Config) -> None:
    """Collect on the controller only."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reception(config), "vdi-reception")


def header_of(config: pytest.Config) -> Header:
    """Tell what is run against what, and how."""
    client, server = config.stash[PARTIES]
    options = config.option
    profile = config.stash[PROFILE]
    rows = (files("vdi_conformance.requirements") / "data" / "requirements.tsv").read_bytes()
    return Header(
        suite_version=__version__,
        catalogue_sha256=hashlib.sha256(rows).hexdigest(),
        profile=None if profile is None else version_of(profile),
        client=client,
        server=server,
        platform=platform.platform(),
        python=platform.python_version(),
        seed=options.vdi_seed,
        timeout_scale=options.vdi_timeout_scale,
        selection=selection(config),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
