"""Run the suite against the emulator from a checkout: `python3 ci/run.py [further options of run]`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from environment import ROOT, call, main, tool

if TYPE_CHECKING:
    from pathlib import Path


def run(python: Path, further: list[str]) -> int:
    """Run, and give the exit code of the run."""
    reports = ROOT / "reports"
    written = {"evidence": "evidence.jsonl", "junit": "junit.xml", "allure": "allure-results"}
    into = [f"--{option}={reports / name}" for option, name in written.items()]
    return call([tool(python, "vdi-conformance"), "run", "--adapter", "emulator", "-n", "2", *into, *further])


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
