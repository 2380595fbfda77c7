"""Turns what happens to each check into what a record says of it: phase by phase, in the process that runs it."""

import errno
from collections.abc import Generator
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import pytest

from vdi_conformance.evidence.records import (
    CHARGING,
    Call,
    Cause,
    CauseKind,
    CheckRecord,
    KnownFailure,
    Observation,
    Requests,
    Series,
    Unexpected,
    Verdict,
    Walked,
)
from vdi_conformance.harness.judging import NeedsServer
from vdi_conformance.harness.testbed import ENDED, TESTBED, Testbed
from vdi_conformance.host.errors import NoProcess, NotStarted
from vdi_conformance.judgement.known_failures import COVERABLE, known_failure
from vdi_conformance.pytest_plugin.baseline import BASELINE
from vdi_conformance.pytest_plugin.checks import (
    about_of,
    check_id,
    conditions_of,
    id_of_node,
    level_of,
    requirements_of,
    suite_files,
)
from vdi_conformance.pytest_plugin.no_verdict import sentence_of
from vdi_conformance.pytest_plugin.selection import is_named
from vdi_conformance.pytest_plugin.verdicts import assess, broken_by
from vdi_conformance.untrusted.printable import keepable, shown_lines
from vdi_conformance.vdi.hresult import name_of

KEY: Final = "vdi"
SHORT_OF: Final = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
ANSWERS: Final[tuple[CauseKind, ...]] = ("code", "assertion")
"""Causes after which the processes of a check still live, so that more can be asked of them."""
MILD: Final[dict[Verdict, int]] = {"known failure": 1, "warning": 2, "passed": 3}
"""Ends of a phase that another phase of the check outranks: the first of the worst is the check's own."""


class CheckPhase(msgspec.Struct, frozen=True, kw_only=True):
    """What one phase of a check (setup, call, teardown) adds to its record.

    `called` says that it is the check itself; `no_verdict` is a sentence where it ended for a cause that will end every
    other check as well; `left_out` says that the check has turned out to be none of a run without a server.
    """

    id: str
    requirements: list[str]
    level: str
    verdict: Verdict
    broken: list[str] = []
    cause: Cause | None = None
    known: KnownFailure | None = None
    observations: list[Observation] = []
    codes: dict[str, list[str]] = {}
    requests: Requests = Requests()
    calls: list[Call] = []
    ended: dict[str, float] = {}
    accounts: list[str] = []
    unexpected: Unexpected | None = None
    detail: str = ""
    about: str = ""
    conditions: dict[str, str] = {}
    walked: Walked | None = None
    series: list[Series] = []
    called: bool = False
    no_verdict: str = ""
    left_out: bool = False


class Phases:
    """Puts the phases of each check together to its record."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[CheckPhase, float]]] = {}
        self._recorded: set[str] = set()

    def add(self, report: pytest.TestReport) -> CheckRecord | None:
        """Take one report; the last one of a check gives its record."""
        if (phase := phase_of(report)) is not None:
            self._found.setdefault(report.nodeid, []).append((phase, report.duration))
            if report.when == "teardown":
                self._recorded.add(report.nodeid)
                return _merged(report.nodeid, self._found.pop(report.nodeid))
        elif is_lost(report) and report.nodeid not in self._recorded:
            self._recorded.add(report.nodeid)
            return _lost(report, [phase for phase, _ in self._found.pop(report.nodeid, [])])
        return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to each report of a check what it adds to the record."""
    report = yield
    if requirements := requirements_of(item):
        phase = _phase(item, call, requirements, report)
        report.user_properties.append((KEY, keepable(msgspec.to_builtins(phase))))
        _disarm(report)
        excused = phase.verdict == "not tested" and report.outcome == "failed"
        if excused or phase.verdict in ("failed", "warning", "known failure", "error"):
            answered = phase.verdict == "warning" and phase.cause is not None and phase.cause.kind in ANSWERS
            item.stash[ENDED] = "warned" if answered else "broken off"
        if phase.verdict in ("warning", "known failure"):
            report.outcome, report.longrepr = "passed", None
        if excused and phase.cause is not None:
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, shown_lines(phase.cause.sentence))
    return report


def _disarm(report: pytest.TestReport) -> None:
    """Keep what pytest itself may tell of a check as it is, unless it holds what must not be shown or handed over."""
    match report.longrepr:
        case None:
            return
        case (path, line, str(reason)):
            report.longrepr = path, line, shown_lines(reason)
        case _ if (told := shown_lines(report.longreprtext)) != report.longreprtext:
            report.longrepr = told


def phase_of(report: pytest.TestReport) -> CheckPhase | None:
    """Find what a report adds to a check's record; None where it is no check's."""
    found = next((value for key, value in report.user_properties if key == KEY), None)
    return None if found is None else msgspec.convert(found, CheckPhase)


def is_lost(report: pytest.TestReport) -> bool:
    """Whether a report says that the worker died which ran a check; one of another test says the same of that."""
    name = PurePosixPath(report.nodeid.partition("::")[0]).name
    return report.when not in ("setup", "call", "teardown") and any(file.name == name for file in suite_files())


def _phase(
    item: pytest.Item, call: pytest.CallInfo[None], requirements: list[str], report: pytest.TestReport
) -> CheckPhase:
    testbed = item.stash.get(TESTBED, None)
    level = level_of(requirements)
    observations: list[Observation] = []
    codes: dict[str, list[str]] = {}
    requests = Requests()
    walked: Walked | None = None
    series: list[Series] = []
    if testbed is not None and call.when == "teardown":
        observations = testbed.observations
        codes = _by_method(testbed.processes.codes)
        requests = testbed.processes.requests
        walked = testbed.walked
        series = testbed.series
    if call.excinfo is None:
        return CheckPhase(
            id=check_id(item),
            requirements=requirements,
            level=level,
            verdict="passed",
            called=call.when == "call",
            observations=observations,
            codes=codes,
            requests=requests,
            conditions=conditions_of(item),
            walked=walked,
            series=series,
        )
    borrowed = testbed is not None and testbed.session.parties.borrows_server
    broken = broken_by(call.excinfo.value, requirements)
    verdict, cause = assess(call.excinfo.value, level_of(broken), borrowed)
    if sentence := _no_verdict(call.excinfo.value):
        return CheckPhase(
            id=check_id(item), requirements=requirements, level=level, verdict=verdict, cause=cause, no_verdict=sentence
        )
    if verdict in ("failed", "warning") and (other := _other_cause(testbed, call.excinfo.value, cause)):
        broken = broken_by(other, requirements)
        verdict, cause = assess(other, level_of(broken), borrowed)
    known = None
    if verdict in COVERABLE and (known := known_failure(*item.config.stash[BASELINE], check_id(item), broken, cause)):
        verdict = "known failure"
    # Here, since only what does not pass is explained: every worker would begin by waiting for it.
    from vdi_conformance.explanation.unexpected import telling, unexpected

    trace = None if testbed is None else testbed.processes.trace()
    found = None if trace is None or verdict not in CHARGING else unexpected(trace, cause)
    return CheckPhase(
        id=check_id(item),
        requirements=requirements,
        level=level,
        verdict=verdict,
        broken=broken if verdict in CHARGING else [],
        cause=cause,
        known=known,
        observations=observations,
        codes=codes,
        requests=requests,
        called=call.when == "call",
        calls=[] if trace is None else telling(trace, found),
        ended={} if trace is None else dict(trace.ended),
        accounts=[] if trace is None else list(trace.accounts),
        unexpected=found,
        about=about_of(item),
        conditions=conditions_of(item),
        detail=_detail(item, call.excinfo, testbed) if cause.kind != "suite" else report.longreprtext,
        walked=walked,
        series=series,
        left_out=isinstance(call.excinfo.value, NeedsServer) and not is_named(item),
    )


def _no_verdict(error: BaseException) -> str:
    """Say what will keep every other check from its verdict too: no process can be started or reached any more."""
    short = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in SHORT_OF)
    return (sentence_of(error) or "") if short or isinstance(error, NotStarted | NoProcess) else ""


def _other_cause(testbed: Testbed | None, failure: BaseException, cause: Cause) -> BaseException | None:
    """Give what a check failed for that is not the doing of whom it judges."""
    if testbed is None or cause.kind not in ("code", "assertion", "died", "hung"):
        return None
    return testbed.other_cause(failure)


def _by_method(codes: set[tuple[str, int]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for method, code in sorted(codes):
        named.setdefault(method, []).append(name_of(code))
    return named


def _detail(item: pytest.Item, error: pytest.ExceptionInfo[BaseException], testbed: Testbed | None) -> str:
    """Point at the line of the check that ended it, and say what its server said."""
    said = [] if testbed is None else testbed.said_by_servers()
    for entry in reversed(error.traceback):
        if Path(entry.path) == item.path:
            statement = str(entry.statement).strip().partition("\n")[0]
            return "\n".join([f"{item.path.name}:{entry.lineno + 1}: {statement}", *said])
    return "\n".join(said)


def _merged(node: str, phases: list[tuple[CheckPhase, float]]) -> CheckRecord:
    decisive = min((phase for phase, _ in phases), key=lambda phase: MILD.get(phase.verdict, 0))
    if decisive.verdict == "passed" and not any(phase.called for phase, _ in phases):
        uncalled = Cause(kind="suite", sentence="the check was set up and never run, as options of pytest can ask for")
        decisive = msgspec.structs.replace(decisive, verdict="error", cause=uncalled)
    return CheckRecord(
        id=decisive.id,
        node=node,
        requirements=decisive.requirements,
        level=decisive.level,
        verdict=decisive.verdict,
        broken=decisive.broken,
        duration=sum(duration for _, duration in phases),
        cause=decisive.cause,
        known=decisive.known,
        observations=[seen for phase, _ in phases for seen in phase.observations],
        codes=next((phase.codes for phase, _ in phases if phase.codes), {}),
        requests=phases[-1][0].requests,
        calls=decisive.calls,
        ended=decisive.ended,
        accounts=decisive.accounts,
        unexpected=decisive.unexpected,
        detail=decisive.detail,
        about=decisive.about,
        conditions=decisive.conditions,
        walked=next((phase.walked for phase, _ in phases if phase.walked is not None), None),
        series=phases[-1][0].series,
    )


def _lost(report: pytest.TestReport, phases: list[CheckPhase]) -> CheckRecord:
    """Record a check whose test worker died, perhaps before it reported anything."""
    sentence = "the test worker died while it ran this check; run it alone, without -n, to see why"
    return CheckRecord(
        id=id_of_node(report.nodeid),
        node=report.nodeid,
        requirements=phases[0].requirements if phases else [],
        level=phases[0].level if phases else "MUST",
        verdict="error",
        duration=0.0,
        cause=Cause(kind="suite", sentence=sentence),
        detail=report.longreprtext,
    )
