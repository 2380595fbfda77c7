"""Stand-ins that are wrong in one way, each tried in Wine by the checks of the requirement that it breaks."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from environment import ROOT, say
from faulty import Fault, copy, faults
from wine import standin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wine.prefix import Prefix

REFUSED: Final = 4
RED: Final = ("failed", "warning")


def run(prefix: Prefix, python: Path, directory: Path, names: Sequence[str]) -> int:
    """Try every fault of this abi, or those of these names; 0 where each was found."""
    here = [fault for fault in faults() if "windows" in fault.abis and (not names or fault.name in names)]
    missed = [fault.name for fault in here if not _found(prefix, python, directory, fault)]
    for name in missed:
        say(f"{name} was NOT found.")
    say(
        f"Broken stand-ins: {len(missed)} were not found."
        if missed
        else f"Each of {len(here)} broken stand-ins was found."
    )
    return 1 if missed else 0


def _found(prefix: Prefix, python: Path, directory: Path, fault: Fault) -> bool:
    place = directory / fault.name
    shutil.rmtree(place, ignore_errors=True)
    copy(fault, place / "sources")
    library, evidence = place / "sqlvdi.dll", place / "evidence.jsonl"
    standin.library("-O0").make(place / "sources", library)
    chosen = ["--adapter", f"sqlserver:Z:{library}", "--server", "emulator", "--requirement", fault.requirement]
    say(f"{fault.name}, which breaks {fault.requirement}:")
    code = prefix.run([python, "-m", "vdi_conformance.cli", "run", *chosen, "-n", "2", f"--evidence={evidence}"], ROOT)
    red = not fault.refused and code != REFUSED and _is_red(evidence, fault.requirement)
    shutil.rmtree(place)
    return code == REFUSED if fault.refused else red


def _is_red(evidence: Path, requirement: str) -> bool:
    records = [json.loads(line) for line in evidence.read_text(encoding="utf-8").splitlines()]
    return any(requirement in record.get("requirements", ()) and record.get("verdict") in RED for record in records)
