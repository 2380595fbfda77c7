"""What verbs do where they cannot tell or keep what they found: one sentence, exit code 3 or 4."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selftest.evidence.samples import CHECK, FOOTER, HEADER
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import EvidenceWriter

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux has a device that is full")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a directory in use cannot be deleted there")
COMMAND = (sys.executable, "-P", "-m", "vdi_conformance.cli")
RUN = ("run", "--adapter", "emulator", "--check", "a/b")


@pytest.fixture
def evidence(tmp_path: Path) -> str:
    """The evidence of a small run."""
    writer = EvidenceWriter(tmp_path / "evidence.jsonl")
    for record in (HEADER, CHECK, FOOTER):
        writer.write(record)
    writer.close()
    return str(tmp_path / "evidence.jsonl")


def _ended(arguments: list[str], directory: Path, stdout: int, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=directory,
        env=os.environ | variables,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@LINUX
@pytest.mark.parametrize(
    "verb", [["questions"], ["--help"], ["--version"], ["report", "junit"], ["baseline", "update"]]
)
def test_a_full_standard_output(verb: list[str], tmp_path: Path, evidence: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = _ended([*verb, *[evidence] * (len(verb) > 1)], tmp_path, full.fileno())
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "standard output takes no more (No space left on device)" in ended.stderr


@POSIX
def test_a_reader_that_is_gone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = _ended(["questions"], tmp_path, writing)
    os.close(writing)
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "standard output takes no more (Broken pipe)" in ended.stderr


def test_letters_that_the_terminal_does_not_have_are_spelled_out(tmp_path: Path) -> None:
    ended = _ended(["adapter", "init", "Übung"], tmp_path, subprocess.PIPE, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.isascii()
    assert "wrote \\" in ended.stdout


@POSIX
@pytest.mark.parametrize("verb", [[*RUN], ["prove"], ["replay", "walk.json", "--adapter", "emulator"]])
def test_a_directory_that_is_gone(verb: list[str], tmp_path: Path) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()
    command = "import os, sys; os.rmdir(os.getcwd()); from vdi_conformance.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", command, *verb], cwd=directory, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 4, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "the current directory is gone" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["report", "junit", "evidence.jsonl", "-o", "./evidence.jsonl"], "EVIDENCE and --output"),
        (["baseline", "update", "evidence.jsonl", "-o", "broker_connection.jsonl"], "EVIDENCE and --output"),
        (["baseline", "update", "evidence.jsonl", "--baseline", "evidence.jsonl"], "EVIDENCE and --baseline"),
        ([*RUN, "--evidence", "x", "--junit", "./x"], "--evidence and --junit"),
        ([*RUN, "--junit", "x", "--allure", "x"], "--junit and --allure"),
        ([*RUN, "--html", "x", "--markdown", "./x"], "--html and --markdown"),
        ([*RUN, "--baseline", "evidence.jsonl", "--evidence", "broker_connection.jsonl"], "--baseline and --evidence"),
        (["run", "--adapter", "mine.py:Mine", "--junit", "mine.py"], "the adapter and --junit"),
        (["prove", "--json", "x", "--html", "new/../x"], "--json and --html"),
        (
            ["certify", "--adapter", "mine.py:Mine", "--profile", "core", "--output", "mine.py"],
            "the adapter and --output",
        ),
    ],
)
def test_two_writers_of_one_file_are_refused(
    arguments: list[str],
    named: str,
    evidence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("", encoding="utf-8")
    if "broker_connection.jsonl" in arguments:
        try:
            Path("broker_connection.jsonl").symlink_to("evidence.jsonl")
        except OSError:
            pytest.skip("this account may make no links")
    before = Path(evidence).read_bytes()
    assert main(arguments) == 4
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    assert f"{named} name the same file" in shown
    assert Path(evidence).read_bytes() == before


def test_results_for_allure_replace_results_alone(tmp_path: Path) -> None:
    result = "00000000-0000-0000-0000-000000000000-result.json"
    (tmp_path / "of-others" / result).mkdir(parents=True)
    ended = _ended([*RUN, "--allure", "of-others"], tmp_path, subprocess.PIPE)
    assert ended.returncode == 4, ended.stderr
    assert (tmp_path / "of-others" / result).is_dir()
    shutil.rmtree(tmp_path / "of-others")


def test_what_was_written_is_said(tmp_path: Path) -> None:
    check = "MBH/all_bits_of_a_handle_count[primary]"
    into = ["--evidence", "e.jsonl", "--junit", "j.xml", "--allure", "results"]
    ended = _ended(["run", "--adapter", "emulator", "--check", check, *into], tmp_path, subprocess.PIPE)
    assert ended.returncode == 0, ended.stderr
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("Written: ")]
    assert all(told in line for told in ("evidence to e.jsonl", "JUnit XML to j.xml", "results for Allure to results"))
