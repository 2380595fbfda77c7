"""The flake budget: what is planned, in which order it runs, under which load, and how disagreement is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flakes.load import KINDS, kept_busy
from flakes.plan import planned
from flakes.verdicts import MISSING, RunResult, budget

CI = Path(__file__).resolve().parents[2]
TESTS = "".join(f"def test_{name}(): pass\n" for name in ("a", "b", "c", "d", "e", "f"))


def result(number: int, verdicts: dict[str, str], answers: dict[str, list[str]] | None = None) -> RunResult:
    """Make up what a run came to."""
    return RunResult(
        number=number,
        seed=number,
        order=number,
        workers=2,
        revision="unknown",
        started="2026-01-01T00:00:00+00:00",
        duration=1.0,
        exit_code=0 if verdicts else 3,
        verdicts=verdicts,
        observations=answers or {},
    )


def order(directory: Path, *options: str) -> list[str]:
    """Let pytest say in which order it would run the tests."""
    (directory / "test_order.py").write_text(TESTS, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "flakes.reordering",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
    ]
    asked = subprocess.run(
        [*command, *options, "test_order.py"],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(CI)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in asked.stdout.splitlines() if "::" in line]


def test_a_longer_plan_goes_on_where_a_shorter_one_ends() -> None:
    assert planned(1, 40)[:10] == planned(1, 10)
    assert planned(1, 10) != planned(2, 10)
    runs = planned(1, 100)
    assert {run.workers for run in runs} == {1, 2, 4}
    assert len({run.seed for run in runs}) == len({run.order for run in runs}) == len(runs)


def test_the_order_follows_from_its_number_alone(tmp_path: Path) -> None:
    usual, first, again = order(tmp_path), order(tmp_path, "--order", "1"), order(tmp_path, "--order", "1")
    assert first == again
    assert first != usual
    assert sorted(first) == sorted(usual)


def test_the_load_ends_with_the_runs() -> None:
    with kept_busy() as processes:
        assert [process.poll() for process in processes] == [None] * len(KINDS)
    assert None not in [process.returncode for process in processes]


def test_a_check_that_ended_otherwise_is_named_with_its_runs() -> None:
    runs = [
        result(1, {"A/steady": "passed", "B/flaky": "passed", "C/lost": "passed"}),
        result(2, {"A/steady": "passed", "B/flaky": "failed"}),
        result(3, {}),
        result(4, {"A/steady": "passed", "B/flaky": "passed", "C/lost": "passed"}),
    ]
    found = budget(runs, planned=100, plan_seed=1, date="", machine="")
    assert {one.check: one.runs for one in found.differences} == {
        "B/flaky": {"passed": [1, 4], "failed": [2]},
        "C/lost": {"passed": [1, 4], MISSING: [2]},
    }
    assert found.unfinished == [3]
    assert (found.planned, len(found.runs), found.checks) == (100, 4, 3)
    assert found.verdicts == {"failed": 1, "passed": 7}


def test_other_answers_to_open_questions_are_named_too() -> None:
    verdicts = {"A/asks": "passed", "B/asks": "passed"}
    runs = [
        result(1, verdicts, {"A/asks": ["Q1 what: yes"], "B/asks": ["Q2 what: no"]}),
        result(2, verdicts, {"A/asks": ["Q1 what: yes"]}),
    ]
    found = budget(runs, planned=2, plan_seed=1, date="", machine="")
    assert found.differences == []
    assert {one.check: one.runs for one in found.answers} == {"B/asks": {"Q2 what: no": [1], "nothing": [2]}}


def test_runs_that_agree_leave_nothing_to_tell() -> None:
    found = budget([result(number, {"A/a": "passed"}) for number in (1, 2)], 2, 1, "", "")
    assert (found.differences, found.answers, found.unfinished) == ([], [], [])
