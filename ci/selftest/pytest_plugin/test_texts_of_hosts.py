"""A host whose texts try everything is told like any other: on the terminal, in every report, in the evidence."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from selftest.pytest_plugin.disturbers import disturber
from selftest.report.harmless import require_harmless
from selftest.suite.runs import Run, run_suite_in
from vdi_conformance.cli import main

CHECKS = [f"CMP/a_command_is_completed_once[{kind}-primary]" for kind in ("backup", "restore")]


def _run(directory: Path, adapter: str, *workers: str) -> Run:
    selected = [option for check in CHECKS for option in ("--check", check)]
    reports = ("--junit", "junit.xml", "--allure", "results")
    return run_suite_in(directory, "--adapter", f"vdi_fixtures.hosts.hostile:{adapter}", *selected, *reports, *workers)


@pytest.mark.parametrize(
    ("adapter", "verdict", "workers"), [("Raising", "error", ("-n", "1")), ("Dying", "failed", ())]
)
def test_no_text_of_a_host_does_anything_to_its_readers(
    tmp_path: Path, adapter: str, verdict: str, workers: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    run = _run(tmp_path, adapter, *workers)
    assert run.exit_code == (6 if verdict == "error" else 1), run.output
    require_harmless(run.output)
    assert "evil" in run.output
    assert len(run.output) < 100_000
    assert {check.verdict for check in run.evidence.checks} == {verdict}
    for check in run.evidence.checks:
        assert check.cause is not None
        require_harmless(check.cause.sentence)
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314, our own text
    for one in root.iter():
        for text in (one.text or "", *one.attrib.values()):
            require_harmless(text)
    results = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "results").glob("*-result.json")]
    assert [result["status"] for result in results] == ["broken" if verdict == "error" else "failed"] * 2
    for result in results:
        require_harmless(result["statusDetails"]["message"])
        require_harmless(result["statusDetails"]["trace"])
    for path in (tmp_path / "results").glob("*-attachment.txt"):
        require_harmless(path.read_text("utf-8"))
    capfd.readouterr()
    assert main(["report", "junit", str(run.evidence_path), "-o", str(tmp_path / "again.xml")]) == 0
    assert (tmp_path / "again.xml").read_bytes() == (tmp_path / "junit.xml").read_bytes()
    assert main(["compare", str(run.evidence_path), str(run.evidence_path)]) == 0
    require_harmless(capfd.readouterr().out)


def test_what_pytest_itself_tells_of_a_check_does_nothing_either(tmp_path: Path) -> None:
    run = _run(tmp_path, "Raising", "-n", "1", "--", *disturber(tmp_path, "deceives"), "--tb=short", "-rA")
    assert run.exit_code == 1, run.output
    assert "E   AssertionError" in run.output
    require_harmless(run.output)


@pytest.mark.parametrize(
    ("adapter", "told"),
    [
        ("Unloadable", "OSError: "),
        ("Unavailable", "there is no library"),
        ("Unnamed", "must have at most 200 characters"),
    ],
)
def test_an_adapter_that_cannot_be_used_says_so_without_tricks(tmp_path: Path, adapter: str, told: str) -> None:
    run = _run(tmp_path, adapter)
    assert run.exit_code == 4, run.output
    assert told in run.output
    require_harmless(run.output)
    assert len(run.output) < 10_000
