"""A machine that stops for a moment makes no right implementation fail, nor leaves anything untested."""

from pathlib import Path

from selftest.suite.runs import RunSuite

CHECKS = (
    "LNX/time_outs_are_in_milliseconds",
    "CMD/polling_loses_nothing",
    "TMO/each_completion_gives_the_time_limit_anew",
)


def test_a_machine_that_stops_for_a_moment_changes_no_verdict(run_suite: RunSuite) -> None:
    reference = f"{Path(__file__).with_name('late.py')}:Late"
    run = run_suite("--adapter", reference, *(f"--check={check}" for check in CHECKS))
    assert run.exit_code == 0, run.output
    assert run.verdicts() == dict.fromkeys(CHECKS, "passed")
