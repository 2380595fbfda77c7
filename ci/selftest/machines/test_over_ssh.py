"""Runs over two hosts that are reached by ssh: sshd on the loopback interface, each with its own key and directory."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from selftest.machines.sshd import Hosts, hosts
from selftest.suite.runs import RunSuite, run_pytest_in, run_suite_in

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="sshd is started as Unix has it"),
]
FEW = ("--topic", "NAM")
MINE = "from vdi_conformance.adapters.emulator import Emulator as Mine\n"
CUTS = """
import os, signal
from pathlib import Path

begun = 0

def pytest_runtest_call(item):
    global begun
    begun += 1
    if Path.cwd().name == "alpha" and begun == 2:
        os.kill(os.getppid(), signal.SIGKILL)
"""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Hosts]:
    """Start two hosts, whose directories have an adapter."""
    (tmp_path / "hosts").mkdir()
    with hosts(tmp_path / "hosts", "alpha", "beta") as found:
        for directory in (tmp_path, *found.directories.values()):
            (directory / "mine.py").write_text(MINE, encoding="utf-8")
        yield found


@pytest.fixture
def run_suite(tmp_path: Path, two: Hosts) -> RunSuite:
    """Run the suite on both."""
    return partial(run_suite_in, tmp_path, "--adapter", "mine.py:Mine", two.place("alpha"), two.place("beta"))


def test_checks_are_spread_over_hosts_and_leave_nothing_there(run_suite: RunSuite, two: Hosts) -> None:
    # Settings of a directory there have no more say than those of one here.
    (two.directories["beta"] / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", encoding="utf-8")
    (two.directories["beta"] / "conftest.py").write_text("raise RuntimeError('not yours')\n", encoding="utf-8")
    run = run_suite(*FEW)
    assert run.exit_code == 0, run.output
    assert [machine.name for machine in run.evidence.header.machines] == ["alpha", "beta"]
    assert {check.machine for check in run.evidence.checks} == {"alpha", "beta"}
    left = {path.name for directory in two.directories.values() for path in directory.iterdir()}
    assert left <= {"mine.py", "pytest.ini", "conftest.py", "__pycache__"}


def test_each_host_has_evidence_of_its_own(run_suite: RunSuite) -> None:
    run = run_suite(*FEW, "--dist=each")
    assert run.exit_code == 0, run.output
    assert sorted(path.name for path in run.evidence_path.parent.glob("*.jsonl")) == [
        "evidence-alpha.jsonl",
        "evidence-beta.jsonl",
    ]


def test_a_cut_connection_costs_its_host_alone(run_suite: RunSuite, tmp_path: Path, two: Hosts) -> None:
    for directory in (tmp_path, *two.directories.values()):
        (directory / "cuts.py").write_text(CUTS, encoding="utf-8")
    run = run_suite(*FEW, "--", "-p", "cuts")
    assert run.exit_code == 6, run.output
    checks = run.evidence.checks
    assert [check.verdict for check in checks if check.machine == "beta"].count("passed") > 1
    assert [check.machine for check in checks if check.verdict == "error"] == ["alpha"]
    assert "the worker on alpha was lost" in run.output


def test_a_host_that_is_down_is_named(run_suite: RunSuite, two: Hosts) -> None:
    daemon = two.daemons["beta"]
    daemon.terminate()
    daemon.wait(10)
    run = run_suite(*FEW)
    assert run.exit_code == 4, run.output
    assert "ssh does not reach beta" in run.output


def test_plain_pytest_has_the_same_places(tmp_path: Path, two: Hosts) -> None:
    options = ("--vdi-adapter=mine.py:Mine", "--vdi-topic=NAM", "--dist=load", two.place("alpha"), two.place("beta"))
    run = run_pytest_in(tmp_path, *options, f"--vdi-evidence={tmp_path / 'evidence.jsonl'}")
    assert run.exit_code == 0, run.output
    assert {check.machine for check in run.evidence.checks} == {"alpha", "beta"}
