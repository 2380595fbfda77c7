"""Run the suite against the emulator from a checkout: `python3 ci/run.py [further options of run]`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from environment import ROOT, call, main, tool

if TYPE_CHECKING:
    from pathlib import Path


def run(python: Path, further: list[str]) -> int:
    """Run, and give the exit code of the run."""
    evidence = ROOT / "reports" / "evidence.jsonl"
    options = ["--adapter", "emulator", "-n", "2", "--evidence", str(evidence)]
    return call([tool(python, "vdi-conformance"), "run", *options, *further])


if __name__ == "__main__":
    raise SystemExit(main(run, sys.argv[1:]))
