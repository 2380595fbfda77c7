"""What a server could not try is charged to no client library."""

import pytest

from selftest.suite import untested
from selftest.suite.runs import RunSuite, judging

ROWS = ("OPD-01", "CMD-17", "GBH-12")
UNTOUCHED = {"passed"}
"""Some checks let no statement run."""


@pytest.mark.parametrize("server", ["AtOnce", "Later"])
def test_a_statement_that_cannot_be_tried_is_an_error(run_suite: RunSuite, server: str) -> None:
    run = run_suite("--adapter", f"{untested.__file__}:{server}", *judging(*ROWS))
    assert {check.verdict for check in run.evidence.checks} - UNTOUCHED == {"error"}, run.output
    assert {check.cause.sentence for check in run.evidence.checks if check.cause} == {untested.REASON}
    assert run.exit_code == 6


def test_a_statement_that_comes_to_no_set_is_not_tested(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{untested.__file__}:Elsewhere", *judging(*ROWS))
    assert {check.verdict for check in run.evidence.checks} - UNTOUCHED == {"not tested"}, run.output
    told = [check.cause.sentence for check in run.evidence.checks if check.cause]
    assert all("there is no such database (911)" in sentence for sentence in told)
    assert run.exit_code == 6


def test_what_fails_on_a_configured_set_may_be_the_librarys_doing(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{untested.__file__}:Afterwards", *judging("CMD-17"))
    assert {check.verdict for check in run.evidence.checks} == {"failed"}, run.output
    assert run.exit_code == 1


def test_a_client_that_dies_is_not_excused_by_its_server(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{untested.__file__}:Dying", *judging("CMD-17"))
    assert {check.verdict for check in run.evidence.checks} == {"failed"}, run.output


def test_a_client_that_fails_is_not_excused_by_numbers_that_nobody_knows(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", f"{untested.__file__}:Unconfigured", *judging("CMD-17"))
    assert {check.verdict for check in run.evidence.checks} == {"failed"}, run.output
