"""What reports make of a baseline: known failures are not red, and what it lists wrongly is."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from selftest.suite.runs import Run, run_suite_in

FAULT = "vdi_fixtures.broken.double_completion_accepted:Broken"
CHECK = "complete_command/a_command_is_completed_once[backup-primary]"
BASELINE = f"""
[[known-failure]]
check = "{CHECK}"
cause = "NOERROR"
reason = "a second completion is ignored"
issue = "https://tracker.example/7"
fault = "implementation"
"""


def _run(directory: Path, adapter: str) -> Run:
    (directory / "baseline.toml").write_text(BASELINE, encoding="utf-8")
    reports = ("--junit", "junit.xml", "--allure", "results", "--baseline", "baseline.toml")
    return run_suite_in(directory, "--adapter", adapter, "-n", "2", "--check", CHECK, *reports)


def _outcomes(path: Path) -> list[tuple[str, str]]:
    cases = ET.parse(path).getroot().iter("testcase")  # noqa: S314, our own text
    return [(child.tag, child.attrib["message"]) for case in cases for child in case if child.tag != "properties"]


def _read(directory: Path, kind: str) -> list[dict[str, object]]:
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
