"""The suite leaves alone: the unbroken emulator passes every check, run after run, with every seed."""

import pytest

from selftest.suite.runs import RunSuite


def test_the_emulator_passes_every_check(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", "-n", "2")
    assert run.exit_code == 0, run.output
    assert set(run.verdicts().values()) == {"passed"}, run.output
    assert len(run.verdicts()) >= 60


@pytest.mark.parametrize("seed", ["1", "4294967295"])
def test_another_seed_changes_no_verdict(run_suite: RunSuite, seed: str) -> None:
    first = run_suite("--adapter", "emulator", "--topic", "MBH", name="first.jsonl")
    other = run_suite("--adapter", "emulator", "--topic", "MBH", "--seed", seed, name="other.jsonl")
    assert first.verdicts() == other.verdicts()


def test_plain_starts_give_the_same_verdicts(run_suite: RunSuite) -> None:
    forked = run_suite("--adapter", "emulator", "--topic", "CMP", name="forked.jsonl")
    plain = run_suite(
        "--adapter", "emulator", "--topic", "CMP", "-n", "2", "--", "--vdi-start=plain", name="plain.jsonl"
    )
    assert forked.verdicts() == plain.verdicts(), plain.output
