"""Compares the emulator with what the suite is tried on: `python ci/differences.py [--faults N] [NAME...]`.

Each reading must be told from the emulator, and as permitted, unless differences.tsv has a reason why nothing tells it
surely. What a fault breaks must be charged to its side. What is found stands in a table, a line each, with the seconds
that it took and those of processors, which mean more on a busy machine. The exit code is 1 where something is not as it
must be.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import vdi_fixtures.broken
import vdi_fixtures.readings
from vdi_fixtures.shipped import is_here, module_names

FILE: Final = Path(__file__).parent / "differences.tsv"
TOLD: Final = {0: "no difference", 1: "broken", 8: "permitted"}


class Compared(NamedTuple):
    """What came of one comparison: how it ended, what was found, and how many seconds that took, of processors too."""

    name: str
    code: int
    report: dict[str, Any]
    seconds: float
    processors: float

    @property
    def line(self) -> str:
        """A line of the table."""
        # Where it has gone on until a requirement was broken, that comes last.
        found = self.report["differences"][-1:]
        told = "" if not found else f"  {len(found[0]['steps']):2} steps  {_class(found[0])}"
        return f"{self.seconds:5.1f} s {self.processors:5.1f} s  {TOLD.get(self.code, self.code):13}{told}  {self.name}"


def _class(difference: dict[str, Any]) -> str:
    broken = [f"{one['side']} breaks {one['requirement']}" for one in difference["broken"]]
    questions = ", ".join(difference["questions"])
    return "; ".join(broken) or f"{difference['kind']}: {difference['requirement']} {questions}".rstrip()


def compare(name: str, reference: str, *options: str) -> Compared:
    """Compare the emulator with another adapter."""
    command = [sys.executable, "-m", "vdi_conformance.cli", "diff", "--adapter", "emulator", "--adapter", reference]
    began, used = time.monotonic(), _processors()
    done = subprocess.run([*command, "--format", "json", *options], capture_output=True, text=True, check=False)
    if done.returncode not in TOLD:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr}")
    return Compared(name, done.returncode, json.loads(done.stdout), time.monotonic() - began, _processors() - used)


def _processors() -> float:
    """Give the seconds that processes have had a processor which this one has started."""
    times = os.times()
    return times.children_user + times.children_system


def alike() -> dict[str, str]:
    """Give the readings that nothing tells from the emulator, each with the reason."""
    _, *lines = FILE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def wrong(one: Compared, reasons: dict[str, str], *, is_fault: bool) -> str | None:
    """Say what is not as it must be; None where all is."""
    if is_fault:
        faults = [fault for found in one.report["differences"] for fault in found["broken"]]
        return "the other side is blamed" if any(fault["side"] != "B" for fault in faults) else None
    if one.name in reasons and one.code == 0:
        return None
    if one.code == 0:
        return "it was not told from the emulator"
    return "a requirement is said to be broken" if one.code == 1 else None


def shipped(package: ModuleType, kind: str, parts: Sequence[str]) -> dict[str, str]:
    """Give the references of what there is of a kind here, by the names that have one of these parts, or all."""
    chosen = {name: full for name, full in module_names(package).items() if not parts or any(p in name for p in parts)}
    modules = {name: import_module(full) for name, full in chosen.items()}
    return {
        name: f"{module.__name__}:{kind}"
        for name, module in modules.items()
        if is_here(module) and not getattr(module, "TIER", "")
    }


def _chosen(parts: Sequence[str], number: int) -> Iterator[tuple[str, str, bool]]:
    for name, reference in shipped(vdi_fixtures.readings, "Reading", parts).items():
        yield name, reference, False
    faults = [*shipped(vdi_fixtures.broken, "Broken", parts).items()] if number else []
    for name, reference in faults[:: max(len(faults) // number, 1)] if number else ():
        yield name, reference, True


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of readings and faults")
    parser.add_argument("--faults", type=int, default=0, help="so many faults, spread over all of them")
    chosen = parser.parse_args(arguments)
    reasons, complaints = alike(), 0
    for name, reference, is_fault in _chosen(chosen.names, chosen.faults):
        one = compare(name, reference, *(("--until", "broken") if is_fault else ()))
        complaint = wrong(one, reasons, is_fault=is_fault)
        complaints += complaint is not None
        sys.stdout.write(f"{one.line}{f'  WRONG: {complaint}' if complaint else ''}\n")
        sys.stdout.flush()
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
