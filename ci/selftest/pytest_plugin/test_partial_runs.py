"""A run that executed less than the suite has is a selected one, however that came about."""

from pathlib import Path

import pytest

from selftest.pytest_plugin.disturbers import disturber
from selftest.suite.runs import RunSuite
from vdi_conformance.cli import main
from vdi_conformance.pytest_plugin.collected import held

ALL = len(held())


@pytest.mark.parametrize("way", ["functions", "drops"])
def test_what_was_left_out_is_said(
    run_suite: RunSuite, tmp_path: Path, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {
        "functions": ("-o", "python_functions=test_all_bits_of_a_handle*"),
        "drops": disturber(tmp_path, "drops"),
    }
    run = run_suite("--adapter", "emulator", "--", *options[way])
    executed = len(run.evidence.checks)
    assert 0 < executed < ALL
    assert run.evidence.header.selection == [f"{executed} of {ALL} checks"]
    assert f"Selected run ({executed} of {ALL} checks)" in " ".join(run.output.split())
    assert main(["baseline", "update", str(run.evidence_path)]) == 4
    assert "is of a selected run" in capsys.readouterr().err


def test_less_than_a_profile_is_no_profile(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite("--adapter", "emulator", "--profile", "core", "--", *disturber(tmp_path, "drops"))
    first, second = run.evidence.header.selection
    assert first.startswith("profile core-")
    assert second.startswith(f"{len(run.evidence.checks)} of ")
