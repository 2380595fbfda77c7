"""Each check is run once and has one record, whatever happens to the process that runs it."""

from pathlib import Path

import pytest

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import RunSuite, named

FEW = ("--adapter", "emulator", *named("GBH/every_data_command_has_a_handle"))
ONE = ("--adapter", "emulator", "--check", "MBH/all_bits_of_a_handle_count[primary]")


def test_a_worker_that_dies_after_its_check_changes_no_verdict(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*FEW, "-n", "2", "--", *disturber(tmp_path, "kills_afterwards"))
    assert run.exit_code == 0, run.output
    assert [*run.verdicts().values()] == ["passed"] * 4


def test_a_plugin_that_repeats_is_noticed(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*ONE, "--", *disturber(tmp_path, "repeats"))
    assert run.exit_code == 4, run.output
    assert "was run more than once" in run.output


def test_workers_that_all_run_all_are_refused(run_suite: RunSuite) -> None:
    run = run_suite(*ONE, "-n", "2", "--", "--dist=each")
    assert run.exit_code == 4, run.output
    assert "--dist each would run checks more than once" in run.output


@pytest.mark.parametrize("option", ["--reruns", "--retries", "--count", "--force-flaky"])
def test_options_that_repeat_are_refused(run_suite: RunSuite, tmp_path: Path, option: str) -> None:
    kept = option.removeprefix("--").replace("-", "_")
    plugin = f"def pytest_addoption(parser):\n    parser.addoption({option!r}, type=int, default=0, dest={kept!r})\n"
    (tmp_path / "repeating.py").write_text(plugin, encoding="utf-8")
    run = run_suite(*ONE, "--", "-p", "repeating", f"{option}=2")
    assert run.exit_code == 4, run.output
    assert f"{option} would run checks more than once" in run.output


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan"])
def test_a_check_that_was_only_set_up_has_not_passed(run_suite: RunSuite, option: str) -> None:
    run = run_suite(*ONE, "--", option)
    assert run.exit_code == 6, run.output
    assert [*run.verdicts().values()] == ["error"]
