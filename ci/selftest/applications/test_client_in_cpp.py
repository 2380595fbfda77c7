"""The client in C++, which sends its statements over TDS, is judged conformant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from environment import ROOT
from vdi_conformance.evidence.files import read

HEADER = Path("/usr/include/sybdb.h")
SIZE = 40_000_000


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="it is a client of libsqlvdi.so")
@pytest.mark.skipif(not HEADER.exists(), reason="the headers of FreeTDS are not installed (freetds-dev)")
def test_two_processes_and_four_devices_are_judged_conformant(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jsonl"
    command = [sys.executable, str(ROOT / "ci" / "client" / "run.py"), str(SIZE), str(evidence)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    verdicts = {one: check.verdict for check in read(evidence).checks for one in check.requirements}
    assert verdicts["GBH-07"] == verdicts["BUF-11"] == verdicts["BUF-17"] == verdicts["BUF-18"] == "passed"
