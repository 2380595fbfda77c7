"""What is required and no check could try is not tested, without a profile too; a profile says what is required."""

from pathlib import Path
from xml.etree import ElementTree as ET

from selftest.suite.runs import Run, RunSuite

SERVER = """
from dataclasses import replace

from vdi_conformance.adapters.emulator import Emulator


class RunsStatements(Emulator):
    def capabilities(self):
        return replace(super().capabilities(), server="statement", server_under_test=False)
"""
SCRIPTED = "--check=IOE/what_waits_behind_an_error_is_never_seen"
STATEMENT = "--check=MBH/a_process_that_has_not_joined_maps_nothing[backup-primary]"


def _run(run_suite: RunSuite, directory: Path, *options: str) -> Run:
    (directory / "server.py").write_text(SERVER, encoding="utf-8")
    return run_suite("--adapter", "server.py:RunsStatements", *options)


def test_a_requirement_that_no_check_could_try_is_named(run_suite: RunSuite, tmp_path: Path) -> None:
    run = _run(run_suite, tmp_path, SCRIPTED, STATEMENT, "--junit=junit.xml")
    assert run.exit_code == 6, run.output
    assert "UNTRIED MUST  IOE-02" in run.output
    assert "--profile" in run.output
    assert ET.parse(tmp_path / "junit.xml").getroot().attrib["errors"] == "1"  # noqa: S314, our own text


def test_what_could_be_tried_is_not_named(run_suite: RunSuite, tmp_path: Path) -> None:
    run = _run(run_suite, tmp_path, STATEMENT)
    assert run.exit_code == 0, run.output
    assert "UNTRIED" not in run.output


def test_what_shows_on_one_platform_alone_is_not_named_on_another(run_suite: RunSuite, tmp_path: Path) -> None:
    check = "--check=CRE/a_caller_without_rights_is_refused_with_a_code"
    run = _run(run_suite, tmp_path, check, STATEMENT)
    assert run.exit_code == 0, run.output
    assert "UNTRIED" not in run.output
