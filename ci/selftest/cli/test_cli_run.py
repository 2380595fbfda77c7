"""`vdi-conformance run`: exit codes, sentences, and that the directory it is started in has no say."""

import subprocess
from pathlib import Path

import pytest

from selftest.commands import run_command
from vdi_conformance.evidence.files import read

HANDLE = "GBH/every_data_command_has_a_handle[backup-primary]"
EMULATOR = """
from vdi_conformance.adapters.emulator import Emulator


class Mine(Emulator):
    pass
"""


def run(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a run in a directory; like a console script, it does not look for modules there."""
    return run_command(directory, "run", *arguments, looks_here=False, **variables)


def few(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start a run of one check."""
    return run(directory, *arguments, "--check", HANDLE, **variables)


def test_a_conformant_adapter_gives_0_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = few(tmp_path, "--adapter", "emulator")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_pytest_settings_of_the_directory_and_of_the_environment_have_no_say(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\nfilterwarnings = error\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not yours')\n", encoding="utf-8")
    ended = few(tmp_path, "--adapter", "emulator", PYTEST_ADDOPTS="--nonsense", PYTEST_PLUGINS="nonsense")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("reference", ["mine.py:Mine", "mine:Mine"])
@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_an_adapter_of_the_current_directory_is_found(reference: str, workers: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(EMULATOR, encoding="utf-8")
    ended = few(tmp_path, "--adapter", reference, *workers)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_evidence_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    ended = few(tmp_path, "--adapter", "emulator", "--evidence", "new/evidence.jsonl")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = (tmp_path / "new" / "evidence.jsonl").read_text(encoding="utf-8").splitlines()
    assert '"header"' in lines[0]
    assert '"footer"' in lines[-1]


def test_a_requirement_selects_the_checks_that_judge_it(tmp_path: Path) -> None:
    ended = run(
        tmp_path, "--adapter", "emulator", "--requirement", "cmd-19", "--requirement=CMP-17", "--evidence", "e.jsonl"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    evidence = read(tmp_path / "e.jsonl")
    assert evidence.header.selection == ["requirement cmd-19", "requirement CMP-17"]
    assert all({"CMD-19", "CMP-17"} & set(check.requirements) for check in evidence.checks)
    assert {"CMD-19", "CMP-17"} <= {requirement for check in evidence.checks for requirement in check.requirements}


def test_a_run_that_executes_nothing_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path, "--adapter", "emulator", "--", "-k", "no_check_has_this_name").returncode == 5


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--adapter", "nonsense"], "nonsense"),
        (["--adapter", "missing.py:Adapter"], "missing.py"),
        (["--adapter", "missing.toml"], "missing.toml"),
        (["--adapter", "emulator", "--server", "nonsense"], "nonsense"),
        (["--adapter", "emulator", "--topic", "XYZ"], "XYZ"),
        (["--adapter", "emulator", "--requirement", "GBH-99"], "GBH-99"),
        (["--adapter", "emulator", "--profile", "cor"], "core, shared-buffers, full"),
        (["--adapter", "emulator", "--check", "no/such"], "no/such"),
        (["--adapter", "emulator", "--check", HANDLE.replace("every", "evry")], f"nearest: {HANDLE}"),
        (["--adapter", "emulator", "--check", HANDLE.replace("every", "evry"), "-n", "1"], f"nearest: {HANDLE}"),
        (["--adapter", "emulator", "--check", HANDLE, "--topic", "CFG"], f"{HANDLE} was not executed"),
        (["--adapter", "emulator", "--timeout-scale", "0.5"], "--timeout-scale"),
        (["--adapter", "emulator", "--shard", "4/3"], "--shard: '4/3' is no shard such as 3/8"),
        (["--adapter", "emulator", "--failed-in", "missing.jsonl"], "missing.jsonl cannot be read"),
        (["--adapter", "emulator", "--", "--lf"], "name the evidence of the earlier run by --failed-in"),
        (["--adapter", "emulator", "--evidence", "."], "--evidence"),
        (["--adapter", "emulator", "--junit", "."], "--junit"),
        (["--adapter", "emulator", "--allure", __file__], "--allure"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_exit_code_4(arguments: list[str], named: str, tmp_path: Path) -> None:
    ended = run(tmp_path, *arguments)
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    sentences = [line for line in ended.stderr.splitlines() if line.strip()]
    assert len(sentences) == 1
    assert named in sentences[0]
    assert list(tmp_path.iterdir()) == []
