"""What reports make of a baseline: known failures are not red, and what it lists wrongly is."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import Run, run_suite_in
from vdi_conformance.cli import main

FAULT = "vdi_fixtures.broken.cmp.double_completion_accepted:Broken"
CHECK = "CMP/a_command_is_completed_once[backup-primary]"
BASELINE = f"""
[[known-failure]]
check = "{CHECK}"
cause = "NOERROR"
reason = "a second completion is ignored"
issue = "https://tracker.example/7"
fault = "implementation"
"""


UNTESTED = CHECK.replace("backup", "restore")


def test_what_follows_from_a_known_failure_can_be_listed_and_is_not_red(tmp_path: Path) -> None:
    options = ("--adapter", FAULT, "--check", CHECK, "--check", UNTESTED)
    doubting = ("--", *disturber(tmp_path, "doubts"))
    first = run_suite_in(tmp_path, *options, *doubting)
    assert first.exit_code == 1, first.output
    # As if the run had been a whole one, of which alone a baseline can be made.
    whole = first.evidence_path.read_text("utf-8").replace(
        json.dumps(first.evidence.header.selection).replace(", ", ","), "[]"
    )
    (tmp_path / "whole.jsonl").write_text(whole, "utf-8")
    assert main(["baseline", "update", str(tmp_path / "whole.jsonl"), "-o", str(tmp_path / "b.toml")]) == 0
    reports = ("--baseline", "b.toml", "--junit", "junit.xml", "--allure", "results")
    again = run_suite_in(tmp_path, *options, *reports, *doubting)
    assert again.exit_code == 0, again.output
    assert again.evidence.footer.counts == {"known failure": 2}
    assert f"{UNTESTED}, not tested" in again.output
    assert [end for end, _ in _outcomes(tmp_path / "junit.xml")] == ["skipped", "skipped"]
    assert {result["statusDetails"]["known"] for result in _read(tmp_path, "result")} == {True}
    mended = run_suite_in(tmp_path, "--adapter", "emulator", *options[2:], "--baseline", "b.toml", *doubting)
    assert mended.exit_code == 1, mended.output
    assert "no failure that it lists was seen" in mended.output


def _run(directory: Path, adapter: str) -> Run:
    (directory / "baseline.toml").write_text(BASELINE, encoding="utf-8")
    reports = ("--junit", "junit.xml", "--allure", "results", "--baseline", "baseline.toml")
    return run_suite_in(directory, "--adapter", adapter, "--check", CHECK, *reports)


def _outcomes(path: Path) -> list[tuple[str, str]]:
    cases = ET.parse(path).getroot().iter("testcase")  # noqa: S314, our own text
    return [(child.tag, child.attrib["message"]) for case in cases for child in case if child.tag != "properties"]


def _read(directory: Path, kind: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob(f"results/*-{kind}.json")]


def test_a_known_failure_is_shown_and_not_red(tmp_path: Path) -> None:
    run = _run(tmp_path, FAULT)
    assert run.exit_code == 0, run.output
    ((end, message),) = _outcomes(tmp_path / "junit.xml")
    assert end == "skipped"
    assert message.startswith("known failure: ")
    (result,) = _read(tmp_path, "result")
    details, links = result["statusDetails"], result["links"]
    assert isinstance(details, dict)
    assert isinstance(links, list)
    assert (result["status"], details["known"]) == ("failed", True)
    assert "a second completion is ignored" in details["trace"]
    assert "https://tracker.example/7" in [link["url"] for link in links if link["type"] == "issue"]
    assert not _read(tmp_path, "globals")


def test_what_the_baseline_lists_wrongly_is_red(tmp_path: Path) -> None:
    run = _run(tmp_path, "emulator")
    assert run.exit_code == 1, run.output
    (complaint,) = run.evidence.footer.complaints
    assert ("failure", complaint) in _outcomes(tmp_path / "junit.xml")
    (found,) = _read(tmp_path, "globals")
    errors = found["errors"]
    assert isinstance(errors, list)
    assert [error["message"] for error in errors] == [complaint]
