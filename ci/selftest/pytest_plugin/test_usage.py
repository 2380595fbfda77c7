"""The plugin's options in plain pytest: what lacks an adapter, names nothing or asks for too much is one sentence."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from vdi_conformance.untrusted.bounds import MOST_WORKERS

FEW = str(Path(str(files("vdi_conformance.suite"))) / "abi" / "test_numbers.py")
OWN = "def test_own():\n    pass\n"


def plain(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Start plain pytest in a directory, which has a test of its own."""
    (directory / "test_own.py").write_text(OWN, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--vdi-topic", "GBH"], "--vdi-topic asks "),
        (["--vdi-seed=0", "--vdi-timeout-scale=1"], "--vdi-timeout-scale and --vdi-seed ask "),
        (["--vdi-evidence", "evidence.jsonl", "--co"], "--vdi-evidence asks "),
        ([FEW], "judge an adapter, and none is named"),
        ([FEW, "test_own.py", "-n", "1"], "judge an adapter, and none is named"),
        (["--vdi-adapter", "emulator", "-n", str(MOST_WORKERS + 1)], f"1 to {MOST_WORKERS}, nor 'auto'"),
        (["--vdi-adapter", "emulator", "-n", "-1"], f"1 to {MOST_WORKERS}, nor 'auto'"),
        ([FEW, "--vdi-adapter", "emulator", "--vdi-check", "ABI/no_such"], "nearest: ABI/"),
        ([FEW, "--vdi-adapter", "emulator", "--vdi-check", "ABI/no_such", "-n", "1"], "nearest: ABI/"),
        (["--vdi-adapter", "emulator", "--vdi-topic", "GHB"], "nearest: GBH"),
        (["--vdi-adapter", "emulator", "--vdi-requirement", "gbh-1"], "nearest: GBH-"),
        (["--vdi-adapter", "emulator", "--vdi-profile", "cores"], "nearest: core"),
        (["--vdi-adapter", "emulator", "--vdi-timeout-scale", "nan"], "--vdi-timeout-scale: "),
        (["--vdi-adapter", "emulator", "--vdi-seed=1.5"], "--vdi-seed: "),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_exit_code_4(options: list[str], named: str, tmp_path: Path) -> None:
    ended = plain(tmp_path, *options)
    assert ended.returncode == 4, ended.stdout + ended.stderr
    (sentence,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert named in sentence
    assert " passed" not in ended.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["test_own.py"]


@pytest.mark.parametrize("spread", [(), ("-n", "1")])
def test_tests_of_somebody_else_need_no_adapter(spread: tuple[str, ...], tmp_path: Path) -> None:
    ended = plain(tmp_path, *spread)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("adapter", [(), ("--vdi-adapter", "emulator", "--vdi-junit", "junit.xml")])
def test_checks_can_be_listed(adapter: tuple[str, ...], tmp_path: Path) -> None:
    ended = plain(tmp_path, FEW, *adapter, "--co", "-q")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "test_numbers.py::test_" in ended.stdout
    assert "= conformance =" not in ended.stdout
    assert not (tmp_path / "junit.xml").exists()
