"""Turns what happens to each check into its record, on the worker, and collects the records on the controller."""

import hashlib
import platform
import time
from collections.abc import Generator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import pytest

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence, EvidenceWriter
from vdi_conformance.evidence.records import (
    Call,
    Cause,
    CheckRecord,
    Footer,
    Header,
    KnownFailure,
    Observation,
    Verdict,
    Walked,
)
from vdi_conformance.plugins.adapter import PARTIES
from vdi_conformance.plugins.baseline import BASELINE
from vdi_conformance.plugins.profile import PROFILE
from vdi_conformance.plugins.requirements import (
    check_id,
    id_of_node,
    level_of,
    no_such_check,
    rows_of,
    selection,
)
from vdi_conformance.plugins.verdicts import assess
from vdi_conformance.report.exit_codes import ENDED, exit_code
from vdi_conformance.report.known_failures import complaints, known_failure
from vdi_conformance.report.scoring import RowVerdict, by_requirement, scored_counts, version_of
from vdi_conformance.requirements import catalogue
from vdi_conformance.suite.stage import FAILED, STAGE
from vdi_conformance.vdi.hresult import name_of

KEY: Final = "vdi"
CALLS_A_PROCESS: Final = 8
MILD: Final[dict[Verdict, int]] = {"known failure": 1, "passed": 2}
"""Ends of a phase that another phase of the check outranks: the first of the worst is the check's own."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What one phase of a check (setup, call, teardown) adds to its record."""

    id: str
    rows: list[str]
    level: str
    verdict: Verdict
    cause: Cause | None = None
    known: KnownFailure | None = None
    observations: list[Observation] = []
    codes: dict[str, list[str]] = {}
    calls: list[Call] = []
    detail: str = ""
    walked: Walked | None = None


class Phases:
    """Puts the phases of each check together to its record."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[Phase, float]]] = {}

    def add(self, report: pytest.TestReport) -> CheckRecord | None:
        """Take one report; the last one of a check gives its record."""
        if (phase := phase_of(report)) is not None:
            self._found.setdefault(report.nodeid, []).append((phase, report.duration))
            if report.when == "teardown":
                return _merged(report.nodeid, self._found.pop(report.nodeid))
        elif report.when not in ("setup", "call", "teardown"):
            return _lost(report, [phase for phase, _ in self._found.pop(report.nodeid, [])])
        return None


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
        self._began = time.monotonic()
        path = config.getoption("vdi_evidence")
        self._writer = _open(Path(path)) if path else None
        if self._writer:
            self._writer.write(self.header)

    def add(self, report: pytest.TestReport) -> None:
        """Take one report; the last one of a check makes its record."""
        if (record := self._phases.add(report)) is not None:
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to each report of a check what it adds to the record."""
    report = yield
    if rows := rows_of(item):
        phase = _phase(item, call, rows, report)
        report.user_properties.append((KEY, msgspec.to_builtins(phase)))
        if phase.verdict in ("failed", "warning", "known failure", "error"):
            item.stash[FAILED] = True
        if phase.verdict in ("warning", "known failure"):
            report.outcome, report.longrepr = "passed", None
    return report


def phase_of(report: pytest.TestReport) -> Phase | None:
    """Find what a report adds to a check's record; None where it is no check's."""
    found = next((value for key, value in report.user_properties if key == KEY), None)
    return None if found is None else msgspec.convert(found, Phase)


def _phase(item: pytest.Item, call: pytest.CallInfo[None], rows: list[str], report: pytest.TestReport) -> Phase:
    stage = item.stash.get(STAGE, None)
    level = level_of(rows)
    observations: list[Observation] = []
    codes: dict[str, list[str]] = {}
    walked: Walked | None = None
    if stage is not None and call.when == "teardown":
        observations = stage.observations
        codes = _by_method(stage.processes.codes)
        walked = stage.walked
    if call.excinfo is None:
        return Phase(
            id=check_id(item),
            rows=rows,
            level=level,
            verdict="passed",
            observations=observations,
            codes=codes,
            walked=walked,
        )
    verdict, cause = assess(call.excinfo.value, level)
    known = None
    if verdict == "failed" and (known := known_failure(*item.config.stash[BASELINE], check_id(item), rows, cause)):
        verdict = "known failure"
    return Phase(
        id=check_id(item),
        rows=rows,
        level=level,
        verdict=verdict,
        cause=cause,
        known=known,
        observations=observations,
        codes=codes,
        calls=[] if stage is None else stage.processes.last_calls(CALLS_A_PROCESS),
        detail=_detail(item, call.excinfo) if cause.kind != "suite" else report.longreprtext,
        walked=walked,
    )


def _by_method(codes: set[tuple[str, int]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for method, code in sorted(codes):
        named.setdefault(method, []).append(name_of(code))
    return named


def _detail(item: pytest.Item, error: pytest.ExceptionInfo[BaseException]) -> str:
    """Point at the line of the check that ended it."""
    for entry in reversed(error.traceback):
        if Path(entry.path) == item.path:
            return f"{item.path.name}:{entry.lineno + 1}: {str(entry.statement).strip()}"
    return ""


def _merged(node: str, phases: list[tuple[Phase, float]]) -> CheckRecord:
    decisive = min((phase for phase, _ in phases), key=lambda phase: MILD.get(phase.verdict, 0))
    return CheckRecord(
        id=decisive.id,
        node=node,
        rows=decisive.rows,
        level=decisive.level,
        verdict=decisive.verdict,
        duration=sum(duration for _, duration in phases),
        cause=decisive.cause,
        known=decisive.known,
        observations=[seen for phase, _ in phases for seen in phase.observations],
        codes=next((phase.codes for phase, _ in phases if phase.codes), {}),
        calls=decisive.calls,
        detail=decisive.detail,
        walked=next((phase.walked for phase, _ in phases if phase.walked is not None), None),
    )


def _lost(report: pytest.TestReport, phases: list[Phase]) -> CheckRecord:
    """Record a check whose test worker died, perhaps before it reported anything."""
    sentence = "the test worker died while it ran this check; run it alone, without -n, to see why"
    return CheckRecord(
        id=id_of_node(report.nodeid),
        node=report.nodeid,
        rows=phases[0].rows if phases else [],
        level=phases[0].level if phases else "MUST",
        verdict="error",
        duration=0.0,
        cause=Cause(kind="suite", sentence=sentence),
        detail=report.longreprtext,
    )


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
