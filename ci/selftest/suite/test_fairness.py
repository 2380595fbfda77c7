"""The suite leaves alone: the unbroken emulator passes every check, run after run, with every seed."""

import pytest

from selftest.suite.runs import RunSuite
from vdi_conformance.vdi.documented import CODES
from vdi_conformance.vdi.hresult import name_of


def test_the_emulator_passes_every_check_and_gives_every_documented_code(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", "-n", "2")
    assert run.exit_code == 0, run.output
    native = {
        check.id for check in run.evidence.checks if "native_face" in (check.cause.sentence if check.cause else "")
    }
    assert {verdict for id_, verdict in run.verdicts().items() if id_ not in native} == {"passed"}, run.output
    assert len(run.verdicts()) >= 60
    given = [check.codes.items() for check in run.evidence.checks]
    seen = {(method, code) for codes in given for method, names in codes for code in names}
    documented = {(method, name_of(code)) for method, codes in CODES.items() for code in codes}
    assert sorted(documented - seen) == []


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
