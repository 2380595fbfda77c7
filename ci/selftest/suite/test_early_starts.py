"""What is begun with the first check of a worker: it is looked at last, and is the affair of its own check."""

from selftest.suite.runs import RunSuite

EARLY = "CFG/a_wait_for_the_configuration_lasts_for_seconds"
OTHER = "ABT/an_object_without_a_set_cannot_be_aborted[nothing]"
CHECKS = ("--check", EARLY, "--check", OTHER)


def test_what_was_begun_early_is_looked_at_last(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", *CHECKS)
    assert list(run.verdicts().items()) == [(OTHER, "passed"), (EARLY, "passed")]


def test_what_goes_wrong_early_fails_its_own_check_alone(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "vdi_fixtures.trivial.answers_protocol:Trivial", *CHECKS)
    assert run.verdicts() == {OTHER: "passed", EARLY: "failed"}
    (early,) = run.judging("CFG-03")
    assert early.broken == ["CRE-01"]
