"""`emulator --judge` as a process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.evidence.files import read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.long
def test_a_command_that_is_no_client_application_is_told_from_one(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jsonl"
    command = [sys.executable, "-m", "vdi_conformance.cli", "emulator", "--tds", "none", "--judge", str(evidence)]
    finished = subprocess.run(
        [*command, "--", sys.executable, "-c", ""], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert finished.returncode == 5, finished.stderr
    assert "Judged: nothing, since no client application came." in finished.stderr
    assert read(evidence).checks == ()
