"""A process that dies in a call costs the checks that made the call, and their verdicts name the signal."""

import sys
from pathlib import Path

import pytest

from selftest.suite.runs import RunSuite, judging

DYING = Path(__file__).with_name("dying.py")
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


@pytest.mark.parametrize(
    ("adapter", "requirement"), [("LongNames", "NAM-13"), ("OddAlignments", "CRE-06"), ("Leaving", "CLS-20")]
)
def test_a_death_within_the_contract_fails_at_every_level(run_suite: RunSuite, adapter: str, requirement: str) -> None:
    run = run_suite("--adapter", f"{DYING}:{adapter}", *judging(requirement))
    assert run.exit_code == 1, run.output
    assert "failed" in {check.verdict for check in run.judging(requirement)}


def test_a_death_by_a_null_pointer_counts_by_its_level(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{DYING}:NullPointers", *judging("CMD-19", "MBH-28"))
    assert run.exit_code == 0, run.output
    judged = run.judging("CMD-19") + run.judging("MBH-28")
    assert {check.verdict for check in judged} == {"warning"}
