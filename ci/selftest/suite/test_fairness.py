"""The suite leaves alone: the unbroken emulator passes every check, run after run, with every seed."""

import pytest

from selftest.suite.runs import RunSuite, judging
from selftest.suite.test_readings import none_is_shown
from vdi_conformance.vdi.hresult import name_of
from vdi_conformance.vdi.methods import METHODS


@pytest.mark.long
def test_the_emulator_passes_every_check_gives_every_documented_code_and_shows_no_reading(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", "-n", "2")
    assert run.exit_code == 0, run.output
    native = {
        check.id for check in run.evidence.checks if "native_abi" in (check.cause.sentence if check.cause else "")
    }
    assert {verdict for id_, verdict in run.verdicts().items() if id_ not in native} == {"passed"}, run.output
    assert len(run.verdicts()) >= 60
    given = [check.codes.items() for check in run.evidence.checks]
    seen = {(method, code) for codes in given for method, names in codes for code in names}
    documented = {(method.name, name_of(code)) for method in METHODS.values() for code in method.codes}
    assert sorted(documented - seen) == []
    answers = [one for check in run.evidence.checks for one in check.observations]
    none_is_shown({(one.question, one.subject, one.answer) for one in answers})


def test_another_seed_changes_no_verdict(run_suite: RunSuite) -> None:
    checks = judging("MBH-04")
    first = run_suite("--adapter", "emulator", *checks, name="first.jsonl")
    for seed in ("1", "4294967295"):
        other = run_suite("--adapter", "emulator", *checks, "--seed", seed, name=f"{seed}.jsonl")
        assert first.verdicts() == other.verdicts()


def test_plain_starts_give_the_same_verdicts(run_suite: RunSuite) -> None:
    checks = judging("CMP-04", "GBH-12")
    forked = run_suite("--adapter", "emulator", *checks, name="forked.jsonl")
    plain = run_suite("--adapter", "emulator", *checks, "--", "--vdi-start=spawn", name="plain.jsonl")
    assert forked.verdicts() == plain.verdicts(), plain.output
