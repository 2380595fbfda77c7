"""Whatever ends a run, nothing of it is left on the machine."""

import sys
from pathlib import Path

import pytest

from selftest.suite.runs import judging
from selftest.suite.traces import MarkedRun, Traces, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "-n 2"])


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Where the run writes its evidence."""
    return tmp_path / "evidence.jsonl"


def _require_gone(run: MarkedRun, before: Traces, seconds: float) -> None:
    assert before.processes
    assert before.directories
    assert wait_until(lambda: not run.traces().processes, seconds), f"still there: {run.traces().processes}"
    assert [name for name in before.directories if Path(name).exists()] == []


@WORKERS
def test_a_finished_run_leaves_nothing(evidence: Path, workers: tuple[str, ...]) -> None:
    run = MarkedRun(evidence, "--adapter", "emulator", *judging("CMP-03"), *workers)
    run.wait_for_checks(5)
    before = run.traces()
    assert run.process.wait(timeout=60) == 0
    _require_gone(run, before, seconds=1)


@WORKERS
def test_a_killed_run_leaves_nothing_after_a_second(evidence: Path, workers: tuple[str, ...]) -> None:
    run = MarkedRun(evidence, "--adapter", "emulator", *workers)
    run.wait_for_checks(5)
    before = run.traces()
    run.process.kill()
    run.process.wait()
    _require_gone(run, before, seconds=1)


@WORKERS
def test_an_interrupted_run_leaves_nothing(evidence: Path, workers: tuple[str, ...]) -> None:
    run = MarkedRun(evidence, "--adapter", "emulator", *workers)
    run.wait_for_checks(5)
    before = run.traces()
    assert run.interrupt() == 2
    _require_gone(run, before, seconds=1)
    assert b'"footer"' not in evidence.read_bytes()
