"""A process that dies in a call costs the checks that made the call, and their verdicts name the signal."""

import sys

import pytest

from selftest.suite.runs import RunSuite, judging

DEATHS = "vdi_fixtures.hosts.dies_in_a_call"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("adapter", "name"), [("Crashing", "SIGSEGV"), ("Killed", "SIGKILL")])
def test_the_verdict_names_the_signal(run_suite: RunSuite, adapter: str, name: str) -> None:
    run = run_suite("--adapter", f"{DEATHS}:{adapter}", *judging("GBH-12", "CMP-04"))
    assert run.exit_code == 1, run.output
    died = [check for check in run.evidence.checks if check.cause and check.cause.kind == "died"]
    assert died, "no check noticed the death"
    assert all(check.verdict == "failed" and name in check.cause.sentence for check in died if check.cause)
    others = [check for check in run.evidence.checks if check not in died]
    assert {check.verdict for check in others} == {"passed"}, run.output
