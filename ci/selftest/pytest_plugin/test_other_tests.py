"""Tests of somebody else in the same run of pytest count too, and pytest tells of them as it always does."""

from pathlib import Path

import pytest

from selftest.suite.runs import run_pytest_in

CHECK = ("--vdi-adapter=emulator", "--vdi-check=MBH/all_bits_of_a_handle_count[primary]")
TESTS = """
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2, "of my own"

@pytest.fixture
def broken():
    raise RuntimeError("of my own")

def test_errs(broken):
    pass

@pytest.fixture
def ends_badly():
    yield
    raise RuntimeError("of my own")

def test_ends_badly(ends_badly):
    pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n 1"])
@pytest.mark.parametrize("name", ["test_fails", "test_errs", "test_ends_badly"])
def test_one_that_fails_gives_1_and_its_traceback(tmp_path: Path, name: str, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_own.py").write_text(TESTS, encoding="utf-8")
    ended = run_pytest_in(tmp_path, f"test_own.py::{name}", *CHECK, *workers)
    assert ended.exit_code == 1, ended.output
    assert "of my own" in ended.output
    assert "test_own.py:" in ended.output
    assert "Other tests of this run that failed: 1" in ended.output


def test_one_that_passes_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(TESTS, encoding="utf-8")
    ended = run_pytest_in(tmp_path, "test_own.py::test_passes", *CHECK)
    assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n 1"])
def test_a_file_that_cannot_be_collected_is_named(tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_own.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    ended = run_pytest_in(tmp_path, "test_own.py", "--continue-on-collection-errors", *CHECK, *workers)
    assert ended.exit_code == 1, ended.output
    assert "Not collected, so that no test of it was run: test_own.py." in ended.output
    assert "Other tests" not in ended.output


def test_a_failed_check_is_told_in_the_summary_alone(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(TESTS, encoding="utf-8")
    broken = "--vdi-adapter=vdi_fixtures.broken.mbh.outsider_maps:Broken"
    checks = "--vdi-check=MBH/a_process_that_has_not_joined_maps_nothing[backup-primary]"
    ended = run_pytest_in(tmp_path, "test_own.py::test_fails", broken, checks)
    assert ended.exit_code == 1, ended.output
    assert "_ test_fails _" in ended.output
    assert "_ test_a_process_that_has_not_joined" not in ended.output
