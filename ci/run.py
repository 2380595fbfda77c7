"""Run the suite against the emulator from a checkout: `python3 ci/run.py [further options of run]`."""

from __future__ import annotations

import sys

from environment import FAILED, ROOT, Unprepared, call, prepare, say, tool


def main(further: list[str]) -> int:
    """Prepare `.venv`, run, and give the exit code of the run."""
    try:
        python = prepare()
    except Unprepared as reason:
        say(str(reason))
        return FAILED
    evidence = ROOT / "reports" / "evidence.jsonl"
    command = [
        tool(python, "vdi-conformance"),
        "run",
        "--adapter",
        "emulator",
        "-n",
        "2",
        "--evidence",
        str(evidence),
    ]
    return call([*command, *further])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
