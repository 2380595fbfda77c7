"""What is no verdict ends in one sentence, with exit code 3 or 4, and never as a failure of the implementation."""

import subprocess
import sys
from pathlib import Path

import pytest

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import Run, RunSuite, named
from vdi_conformance.evidence.files import NotEvidence, read

FEW = ("--adapter", "emulator", *named("GBH/every_data_command_has_a_handle"))
CHECK = ("--adapter", "emulator", "--check", "MBH/all_bits_of_a_handle_count[primary]")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted as Linux does")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="it is about files of POSIX")


def _require_no_verdict(run: Run, *told: str, code: int = 3) -> None:
    assert run.exit_code == code, run.output
    last = [line for line in run.output.splitlines() if line.strip()][-1]
    assert last.startswith("ERROR: "), run.output
    assert all(words in last for words in told), run.output
    assert "Traceback" not in run.output
    with pytest.raises(NotEvidence):
        read(run.evidence_path)


@LINUX
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n 1"])
@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("kills_the_fork_server", "no host can be reached"),
        ("starves_the_fork_server", "no process could be made for a host ([Errno 24]"),
        ("starves", "no process could be made for a host ([Errno 24]"),
    ],
)
def test_processes_that_cannot_be_had(
    run_suite: RunSuite, tmp_path: Path, trouble: str, told: str, workers: tuple[str, ...]
) -> None:
    _require_no_verdict(run_suite(*FEW, *workers, "--", *disturber(tmp_path, trouble)), told, "run again")


@LINUX
def test_each_process_by_itself_that_cannot_be_had(
    run_suite: RunSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    run = run_suite(*FEW, "--", *disturber(tmp_path, "starves"), "--vdi-start=spawn")
    _require_no_verdict(run, "no process could be made for a host")
    assert not list(tmp_path.glob("vdi-*"))


@POSIX
def test_evidence_that_finds_no_room(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*FEW, "--", *disturber(tmp_path, "fills_the_disk"))
    _require_no_verdict(run, "evidence.jsonl cannot be written", "make room")


@POSIX
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n 1"])
def test_results_for_allure_that_find_no_room(run_suite: RunSuite, tmp_path: Path, workers: tuple[str, ...]) -> None:
    run = run_suite(*FEW, "--allure", "results", *workers, "--", *disturber(tmp_path, "fills_the_disk"))
    assert run.exit_code == 3, run.output
    assert "File too large" in run.output
    assert "Traceback" not in run.output


@LINUX
@pytest.mark.parametrize(("option", "code"), [("--evidence", 4), ("--junit", 3)])
def test_a_device_that_is_full(run_suite: RunSuite, option: str, code: int) -> None:
    run = run_suite(*CHECK, option, "/dev/full")
    assert run.exit_code == code, run.output
    assert "/dev/full cannot be written (No space left on device)" in run.output
    assert "Traceback" not in run.output


@LINUX
@pytest.mark.parametrize("module", ["vdi_conformance.cli", "pytest"])
def test_a_terminal_that_takes_no_more(module: str, tmp_path: Path) -> None:
    options = ["run", *CHECK]
    if module == "pytest":
        plugin = [option.replace("--", "--vdi-") for option in CHECK]
        options = ["--pyargs", "vdi_conformance.suite", "-p", "no:cacheprovider", *plugin]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", module, *options],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "standard output takes no more (No space left on device)" in ended.stderr
