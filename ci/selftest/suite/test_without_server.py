"""A run without a server: what needs none is judged, the rest is left out, and nothing final can be made of it."""

import pytest

from selftest.suite.runs import RunSuite
from vdi_conformance.cli import main

ALONE = ("--server", "none")


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n 1"])
def test_what_needs_no_server_is_judged_and_the_rest_left_out(run_suite: RunSuite, workers: tuple[str, ...]) -> None:
    run = run_suite("--adapter", "emulator", *ALONE, "--topic", "MBH", *workers)
    assert run.exit_code == 0, run.output
    assert set(run.verdicts().values()) == {"passed"}
    assert "left out" in run.output
    assert run.evidence.header.selection == ["server none", "topic MBH"]
    assert run.evidence.header.server.reference == "none"


def test_it_is_partial(run_suite: RunSuite, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_suite("--adapter", "emulator", *ALONE, "--requirement", "CRE-01")
    assert main(["baseline", "update", str(run.evidence_path), "-o", str(run.evidence_path.with_suffix(".toml"))]) == 4
    assert "of a selected run (server none" in capsys.readouterr().err


def test_a_profile_has_not_been_tested(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", *ALONE, "--profile", "core")
    assert run.exit_code == 6, run.output


def test_a_check_that_is_named_says_what_it_lacks(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", *ALONE, "--check", "OPD/null_pointers_are_refused[backup]")
    assert run.exit_code == 6, run.output
    assert "this run has none: name one with --server" in run.output


def test_where_nothing_is_left_nothing_was_executed(run_suite: RunSuite) -> None:
    assert run_suite("--adapter", "emulator", *ALONE, "--requirement", "GBH-01").exit_code == 5


def test_a_wrong_library_fails_without_a_server(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "vdi_fixtures.trivial.answers_invalid:Trivial", *ALONE, "--requirement", "CRE-01")
    assert (run.exit_code, set(run.verdicts().values())) == (1, {"failed"}), run.output
