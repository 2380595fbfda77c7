"""`run --failed-in`: what failed, ended in error or was not tested is run again, and nothing else."""

from pathlib import Path

import msgspec
import pytest

from selftest.report.made import check, run
from selftest.suite.runs import run_suite_in
from vdi_conformance.evidence.files import Evidence, written
from vdi_conformance.evidence.records import CheckRecord, Party, Verdict
from vdi_conformance.evidence.shards import belongs, shard

OLD = "SEC/a_set_is_not_that_of_the_same_name_on_another_instance[restore]"
NEW = "SEC/a_set_of_the_default_instance_is_not_that_of_another[backup-NOSUCHINSTANCE]"
OTHER = "SEC/a_set_of_a_named_instance_is_joined_by_that_name_alone[backup]"
LAST = "SEC/an_empty_instance_name_is_observed[restore]"


def ended(id_: str, verdict: Verdict) -> CheckRecord:
    return check(id_, verdict, "not tested" if verdict == "not tested" else "NOERROR", ("SEC-07",))


def earlier(directory: Path, *checks: CheckRecord, name: str = "emulator") -> str:
    """Write the evidence of a run that never happened."""
    made = run(*checks)
    header = msgspec.structs.replace(made.header, client=Party(reference="x", name=name, version="1"))
    path = directory / "earlier.jsonl"
    path.write_bytes(written(Evidence(header, made.checks, made.footer)))
    return str(path)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_what_did_not_come_to_a_good_end_is_run_again(workers: tuple[str, ...], tmp_path: Path) -> None:
    failed = earlier(
        tmp_path, ended(OLD, "failed"), ended(NEW, "not tested"), ended(OTHER, "passed"), ended(LAST, "warning")
    )
    again = run_suite_in(tmp_path, "--adapter", "emulator", "--failed-in", failed, *workers)
    assert again.exit_code == 0, again.output
    assert again.verdicts() == {OLD: "passed", NEW: "passed"}
    assert again.evidence.header.selection == ["failed in the run of 2026-01-01T00:00:00+00:00"]


def test_other_options_narrow_it_further(tmp_path: Path) -> None:
    failed = earlier(tmp_path, ended(OLD, "error"), ended(NEW, "failed"))
    first = run_suite_in(tmp_path, "--adapter", "emulator", "--failed-in", failed, "--shard", "1/2")
    assert first.verdicts() == {id_: "passed" for id_ in (OLD, NEW) if belongs(id_, shard("1/2"))}
    assert len(first.evidence.checks) == 1


def test_evidence_that_leaves_nothing_to_run_is_one_sentence(tmp_path: Path) -> None:
    for checks, name, sentence in (
        ([ended(OLD, "passed")], "emulator", "has no check that failed or was not tested"),
        ([ended(OLD, "failed")], "another", "is of a run of another, not of emulator"),
        ([ended("SEC/gone", "failed"), ended(OLD, "failed")], "emulator", "SEC/gone is no check any more"),
    ):
        failed = earlier(tmp_path, *checks, name=name)
        refused = run_suite_in(tmp_path, "--adapter", "emulator", "--failed-in", failed)
        assert refused.exit_code == 4, refused.output
        assert sentence in refused.output
    same = run_suite_in(tmp_path, "--adapter", "emulator", "--failed-in", failed, name="earlier.jsonl")
    assert same.exit_code == 4
    assert "name the same file" in same.output
