"""Turns what happens to each check into what a record says of it: phase by phase, in the process that runs it."""

from collections.abc import Generator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from vdi_conformance.evidence.records import Call, Cause, CheckRecord, KnownFailure, Observation, Verdict, Walked
from vdi_conformance.plugins.baseline import BASELINE
from vdi_conformance.plugins.requirements import check_id, id_of_node, level_of, rows_of
from vdi_conformance.plugins.verdicts import assess
from vdi_conformance.report.known_failures import known_failure
from vdi_conformance.suite.judging import judged_party
from vdi_conformance.suite.stage import FAILED, STAGE, Stage
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to each report of a check what it adds to the record."""
    report = yield
    if rows := rows_of(item):
        phase = _phase(item, call, rows, report)
        report.user_properties.append((KEY, msgspec.to_builtins(phase)))
        excused = phase.verdict == "not tested" and report.outcome == "failed"
        if excused or phase.verdict in ("failed", "warning", "known failure", "error"):
            item.stash[FAILED] = True
        if phase.verdict in ("warning", "known failure"):
            report.outcome, report.longrepr = "passed", None
        if excused and phase.cause is not None:
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, phase.cause.sentence)
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
    if verdict in ("failed", "warning") and (other := _other_cause(item, stage, call.excinfo.value, cause)):
        verdict, cause = assess(other, level)
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
        detail=_detail(item, call.excinfo, stage) if cause.kind != "suite" else report.longreprtext,
        walked=walked,
    )


def _other_cause(item: pytest.Item, stage: Stage | None, failure: BaseException, cause: Cause) -> BaseException | None:
    """Give what a check failed for that is not the doing of whom it judges."""
    if stage is None or cause.kind not in ("code", "assertion", "died", "hung"):
        return None
    return stage.other_cause(failure, judged_party(item))


def _by_method(codes: set[tuple[str, int]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for method, code in sorted(codes):
        named.setdefault(method, []).append(name_of(code))
    return named


def _detail(item: pytest.Item, error: pytest.ExceptionInfo[BaseException], stage: Stage | None) -> str:
    """Point at the line of the check that ended it, and say what its server said."""
    said = [] if stage is None else stage.said_by_servers()
    for entry in reversed(error.traceback):
        if Path(entry.path) == item.path:
            return "\n".join([f"{item.path.name}:{entry.lineno + 1}: {str(entry.statement).strip()}", *said])
    return "\n".join(said)


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
