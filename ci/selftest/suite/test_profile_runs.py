"""Runs of a profile: what it asks for and no more, and nothing gained by declaring less."""

import pytest

from selftest.suite.runs import Run, RunSuite
from vdi_conformance.evidence.records import Verdict
from vdi_conformance.judgement.scoring import RequirementVerdict, by_requirement
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import profile

MET_BY_REFUSING = {"NAM-03", "NAM-05"}
"""A set of an instance that there is not may be refused."""


def scored(run: Run) -> list[RequirementVerdict]:
    """The verdicts of the requirements that decide."""
    header = run.evidence.header
    assert header.profile is not None
    requirements = by_requirement(
        profile(header.profile.label), catalogue().requirements, header.client, run.evidence.checks
    )
    return [requirement for requirement in requirements if requirement.standing == "scored"]


def ids(requirements: list[RequirementVerdict], verdict: Verdict) -> set[str]:
    return {requirement.id for requirement in requirements if requirement.verdict == verdict}


# Every day the leg by the driver shows it.
@pytest.mark.long
def test_a_server_that_runs_statements_is_enough_to_judge_what_processes_share(run_suite: RunSuite) -> None:
    adapter = "vdi_fixtures.limited.declares_the_least:Limited"
    run = run_suite("--adapter", adapter, "--profile", "shared-buffers", "-n", "2")
    assert run.exit_code == 0, run.output
    requirements = scored(run)
    assert ids(requirements, "not tested") == set()
    assert ids(requirements, "not applicable") == profile("shared-buffers").optional.keys()


def test_one_process_is_enough_for_the_core(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "vdi_fixtures.limited.joins_nothing:Limited", "--profile", "core")
    assert run.exit_code == 0, run.output
    assert ids(scored(run), "passed") | ids(scored(run), "warning") == profile("core").scored
    assert run.evidence.header.selection == [f"profile {profile('core').label}"]


def test_who_declares_nothing_and_has_nothing_gains_nothing(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "vdi_fixtures.limited.has_nothing:Limited", "--profile", "core")
    assert run.exit_code == 1, run.output
    mandatory = [
        requirement
        for requirement in scored(run)
        if requirement.level == "MUST" and requirement.id not in profile("core").optional
    ]
    assert ids(mandatory, "not applicable") == set()
    assert ids(mandatory, "passed") <= MET_BY_REFUSING, run.output


@pytest.mark.parametrize("selected", [("--requirement", "CMP-06"), ("--", "-k", "closed")])
def test_a_part_of_a_profile_is_not_the_profile(run_suite: RunSuite, selected: tuple[str, ...]) -> None:
    run = run_suite("--adapter", "emulator", "--profile", "core", *selected)
    assert run.exit_code == 6, run.output
    assert "  not tested: " in run.output
    assert "CMP-03" in ids(scored(run), "not tested")
    assert "CMP-06" in ids(scored(run), "passed")


def test_what_is_declared_and_not_served_fails(run_suite: RunSuite) -> None:
    adapter = "vdi_fixtures.limited.serves_less_than_it_declares:Limited"
    run = run_suite("--adapter", adapter, "--requirement", "CMP-17")
    assert run.exit_code == 1, run.output
    assert "failed" in run.verdicts().values()
    assert set(run.verdicts().values()) <= {"passed", "failed"}
    assert "do not declare the capability that needs it" in run.output
