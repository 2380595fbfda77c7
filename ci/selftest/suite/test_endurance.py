"""Checks of endurance: run where they are asked for alone, told while they work, and worth their time."""

import json
from pathlib import Path

import pytest

from selftest.suite.runs import RunSuite
from vdi_conformance.cli import main
from vdi_conformance.harness import endurance
from vdi_conformance.harness.endurance import LOT, ROUNDS, SIZES, Progress
from vdi_conformance.harness.kept import KINDS, OBSERVED
from vdi_conformance.pytest_plugin.collected import held

SETS = "CRE/sets_are_created_and_closed_many_thousand_times"


def test_a_run_of_every_day_has_none_of_them() -> None:
    assert SETS not in held()


def test_naming_one_needs_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--adapter", "emulator", "--check", SETS]) == 4
    assert "need the option --endurance, which takes small, medium, large" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--adapter", "emulator", "--endurance", "tiny"]) == 4
    assert "there is no size of endurance 'tiny'" in capsys.readouterr().err


def test_they_take_the_place_of_all_others(run_suite: RunSuite) -> None:
    run = run_suite("--adapter", "emulator", "--endurance", "small", "--topic", "CRE")
    assert run.exit_code == 0, run.output
    assert run.verdicts() == {SETS: "passed"}
    assert run.evidence.header.selection == ["topic CRE", "endurance small"]
    (check,) = run.evidence.checks
    counted = {(one.process, one.kind): len(one.numbers) for one in check.series}
    assert {kind for process, kind in counted if process == "primary"} == {*KINDS.values(), *OBSERVED.values()}
    assert min(counted.values()) >= ROUNDS


@pytest.mark.long
def test_a_fault_of_the_ten_thousand_and_first_set_is_found(tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    fault = "the_10001st_set_is_refused"
    code = main(["prove", "-n", "1", "--endurance", "small", "--only", fault, "--json", str(file)])
    proof = json.loads(file.read_text(encoding="utf-8"))
    assert code == 0, proof["findings"]
    assert [(cell["check"], cell["outcome"]) for cell in proof["cells"]] == [(SETS, "killed")]
    assert proof["partial"] == ["endurance small", fault]


def test_every_count_of_the_sizes_goes_beyond_where_one_may_end() -> None:
    small = SIZES["small"]
    assert (small.created, small.commands, small.handles) > (10_000, 100_000, 1 << 16)
    assert small.bytes > endurance.GIB
    for smaller, larger in ((small, SIZES["medium"]), (SIZES["medium"], SIZES["large"])):
        assert all(one < other for one, other in zip(smaller, larger, strict=True))


def test_progress_is_told_and_lots_come_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endurance, "SECONDS_BETWEEN", 0.0)
    told: list[str] = []
    assert sum(Progress("name", told.append).lots(LOT + 1, "sets")) == LOT + 1
    assert told[-1].startswith(f"name: {LOT} of {LOT + 1} sets in ")
    assert list(Progress("name", None).over("ab", 2, "letters")) == ["a", "b"]
