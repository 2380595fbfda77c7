"""Crash points: every step of both operations, every process and every event, each with a verdict."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from selftest.report.html_reading import require_closed
from selftest.report.made import check, run
from selftest.suite.runs import Run, RunSuite, run_suite_in
from vdi_conformance.cli import main
from vdi_conformance.conditions import Combination
from vdi_conformance.crash_points import AXES, axes, everyday, impossible, points
from vdi_conformance.evidence.records import CheckRecord, Verdict
from vdi_conformance.report.crash_points import account, heat_maps
from vdi_conformance.report.run_page import run_page

MOST = 60
"""So many of them may be in every run."""
ID = "CMP/a_crash_point_is_survived[{}]"


def test_every_place_is_a_point_or_cannot_be() -> None:
    product = 1
    for axis in axes():
        product *= len(axis.values)
    assert len(points()) + len(impossible()) == product
    assert all(one.reason for one in impossible())


@pytest.mark.parametrize("held", [("operation", "step"), ("process", "event")])
def test_every_run_meets_each_step_and_each_event_in_each_process(held: tuple[str, str]) -> None:
    def met(some: tuple[Combination, ...]) -> set[tuple[str, ...]]:
        return {tuple(point.values[axis] for axis in held) for point in some}

    assert met(everyday()) == met(points())
    assert len(everyday()) < MOST


def made(verdicts: dict[str, Verdict]) -> list[CheckRecord]:
    """Make the checks of these points, so ended."""
    by_id = {point.id: point for point in points()}
    return [
        msgspec.structs.replace(check(ID.format(id_), verdict, "hung"), conditions=dict(by_id[id_].values))
        for id_, verdict in verdicts.items()
    ]


VERDICTS: dict[str, Verdict] = {
    "backup-mapped-primary-killed": "failed",
    "backup-mapped-server-killed": "passed",
    "backup-left-mapper-stopped": "error",
}


def test_the_figures_are_told_in_a_line() -> None:
    told = account(made(VERDICTS))
    assert told is not None
    assert told.startswith(
        f"3 of {len(points())} crash points: 1 passed, 1 failed, 1 error; 2 hung, 1 without a verdict"
    )
    assert account([check()]) is None


def test_the_heat_map_has_steps_by_processes_and_events() -> None:
    (found,) = heat_maps(made(VERDICTS), {ID.format("backup-mapped-primary-killed"): 7})
    operation, steps, processes, events = axes()
    assert found.title == "BACKUP"
    assert [line.step for line in found.lines] == [step.name for step in steps.values]
    columns = [(process.name, event.name) for process in processes.values for event in events.values]
    mapped = dict(zip(columns, found.lines[[one.name for one in steps.values].index("mapped")].cells, strict=True))
    assert (mapped["primary", "killed"].sign, mapped["primary", "killed"].cause) == ("FAIL", 7)
    assert mapped["server", "killed"].sign == "ok"
    assert mapped["mapper", "timed out"].sign == "-"
    assert mapped["mapper", "killed"].sign == ""
    assert operation.name == AXES[0]


def test_the_page_shows_a_map_where_there_were_points() -> None:
    page = "".join(require_closed(run_page(run(*made(VERDICTS)))).text)
    assert "steps by processes and events" not in "".join(require_closed(run_page(run(check()))).text)
    for told in ("Crash points", "the handles were passed on and mapped", "FAIL", "2 hung, 1 without a verdict"):
        assert told in page


def test_other_axes_are_no_crash_point() -> None:
    foreign = msgspec.structs.replace(check(), conditions={"operation": "backup", "step": "mapped"})
    unknown = msgspec.structs.replace(check(), conditions=dict.fromkeys(AXES, "of another version"))
    assert heat_maps([foreign], {}) == ()
    assert heat_maps([unknown], {}) == ()


def test_endurance_and_crash_points_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--adapter", "emulator", "--endurance", "small", "--crash-points"]) == 4
    assert "name one of them" in capsys.readouterr().err


def _ended(found: Run) -> Counter[str]:
    return Counter(found.verdicts().values())


def test_all_points_are_run_in_place_of_the_other_checks(run_suite: RunSuite, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    found = run_suite(
        "--adapter", "emulator", "--crash-points", "--html", str(page), "--", "-k", "restore-named-mapper"
    )
    assert found.exit_code == 0, found.output
    chosen = [point for point in points() if point.id.startswith("restore-named-mapper-")]
    assert found.verdicts() == {ID.format(point.id): "passed" for point in chosen}
    assert found.evidence.header.selection[0] == "crash points"
    told = " ".join(found.output.split())
    assert f"{len(chosen)} of {len(points())} crash points: {len(chosen)} passed; 0 hung, 0 without a verdict" in told
    assert "RESTORE: steps by processes and events" in page.read_text(encoding="utf-8")


@pytest.mark.long
def test_no_point_hangs_and_none_is_without_a_verdict(tmp_path: Path) -> None:
    found = run_suite_in(tmp_path, "--adapter", "emulator", "--crash-points", "-n", "2")
    assert found.exit_code == 0, found.output
    assert _ended(found) == {"passed": len(points())}
