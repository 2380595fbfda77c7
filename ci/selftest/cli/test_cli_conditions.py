"""`vdi-conformance conditions`: the axes, how far pairs are covered, and one combination."""

import json

import pytest

from vdi_conformance.cli import main
from vdi_conformance.conditions import axes, combinations


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["conditions", *arguments]) == 0
    return capsys.readouterr().out


def test_axes_and_coverage_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(capsys)
    assert all(f"\n{axis.name}\n" in f"\n{output}" for axis in axes())
    assert f"{len(combinations())} combinations" in output
    assert "a statement chooses its areas" in output
    assert "MISSING" not in output


def test_one_combination_is_shown_with_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    one = combinations()[0]
    output = shown(capsys, one.id.upper())
    assert output.startswith(one.id)
    assert f"--check 'GBH/sharing_holds_under_conditions[{one.id}]'" in output


def test_everything_is_there_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(shown(capsys, "--format", "json"))
    assert found["pairs"]["possible"] == found["pairs"]["covered"]
    assert [one["id"] for one in found["combinations"]] == [one.id for one in combinations()]


def test_a_combination_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conditions", "scripted-999"]) == 4
    assert "there is no combination 'scripted-999'; nearest: scripted-" in capsys.readouterr().err
