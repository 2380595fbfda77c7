"""`diff`: where two adapters part, made short, and what the documents say of it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import jsonschema
import pytest

import differences
from vdi_conformance.cli import main
from vdi_conformance.cli.schema import published

READINGS = "vdi_fixtures.readings"
FAULTS = "vdi_fixtures.broken"
FEW = ("--sequences", "0", "--time", "1")


class Told(NamedTuple):
    """How a comparison ended, and what it wrote."""

    code: int
    report: dict[str, Any]
    messages: str

    @property
    def first(self) -> dict[str, Any]:
        """The difference that was found first."""
        found: dict[str, Any] = self.report["differences"][0]
        return found


def _diff(capsys: pytest.CaptureFixture[str], one: str, other: str, *options: str) -> Told:
    code = main(["diff", "--adapter", one, "--adapter", other, "--format", "json", *options])
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    jsonschema.validate(report, json.loads(published()["differences"]))
    return Told(code, report, shown.err)


@pytest.mark.parametrize(
    ("reading", "questions", "differs", "steps"),
    [
        ("cfg.failures_leave_null", {"Q23"}, "structure", 1),
        ("cre.odd_configurations_are_rounded", {"Q12"}, "code", 1),
        ("gbh.nothing_is_shared_before_the_first_command", {"Q40"}, "code", 2),
        ("opd.a_set_is_ready_when_its_server_is", {"Q33"}, "code", 6),
        ("gbh.arguments_are_looked_at_first", {"Q56"}, "code", 1),
        ("nam.names_in_use_exist_already", {"Q8"}, "code", 2),
        ("opd.device_names_ignore_case", {"Q30"}, "code", 4),
    ],
)
def test_a_reading_is_told_by_its_shortest_difference_as_permitted(
    reading: str, questions: set[str], differs: str, steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _diff(capsys, "emulator", f"{READINGS}.{reading}:Reading")
    assert told.code == 8
    assert told.first["kind"] == "permitted on both sides"
    assert questions <= {*told.first["questions"]}
    assert differs in told.first["differs"]
    assert len(told.first["steps"]) <= steps
    last = told.first["steps"][-1]
    assert last["a"][differs] != last["b"][differs]
    assert all(one["a"]["code"] == one["b"]["code"] for one in told.first["steps"][:-1])


@pytest.mark.parametrize(
    ("fault", "side", "requirement"),
    [
        ("cre.creation_replaces_the_set", "A", "CRE-02"),
        ("cfg.depths_come_back_as_given", "B", "CFG-19"),
        ("abt.closed_objects_abort", "B", "ABT-02"),
    ],
)
def test_a_fault_is_told_as_a_broken_requirement_of_its_side(
    fault: str, side: str, requirement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = ["emulator", f"{FAULTS}.{fault}:Broken"]
    told = _diff(capsys, *(sides if side == "B" else sides[::-1]), "--until", "broken")
    assert told.code == 1
    broken = told.report["differences"][-1]["broken"]
    assert {(one["side"], one["requirement"]) for one in broken} == {(side, requirement)}


def test_an_adapter_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    told = _diff(capsys, "emulator", "emulator", *FEW, "--seed", "5")
    assert told.code == 0
    assert told.report["differences"] == []
    assert told.report["seed"] == 5
    assert told.report["sequences"] > 0


def test_a_reader_gets_a_table_whose_last_step_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    reading = f"{READINGS}.nam.names_in_use_exist_already:Reading"
    assert main(["diff", "--adapter", "emulator", "--adapter", reading]) == 8
    words = " ".join(capsys.readouterr().out.split())
    assert "client 1: CreateEx" in words
    assert ">2 client 2: CreateEx" in words
    assert "permitted on both sides: NAM-08" in words
    assert "A: VD_E_PROTOCOL; B: HRESULT_FROM_WIN32(183)" in words


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--adapter", "emulator"], "two adapters"),
        (["--adapter", "emulator"] * 3, "two adapters"),
        (["--adapter", "emulator", "--adapter", "nowhere:Nobody"], "nowhere"),
        (["--adapter", "emulator", "--adapter", "emulator", "--server", "none"], "needs a server"),
        (["--adapter", "emulator", "--adapter", "emulator", "--time", "0"], "--time: "),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", *arguments]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert named in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.long
def test_every_reading_is_told_or_has_its_reason() -> None:
    assert differences.main(["--faults", "20"]) == 0


@pytest.mark.long
def test_all_that_an_adapter_is_tried_with_shows_no_difference_from_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = _diff(capsys, "emulator", "emulator")
    assert told.report["differences"] == []
    assert told.report["doubtful"] == 0
    assert told.report["sequences"] > 100
