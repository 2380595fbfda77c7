r"""Stand-ins that are wrong in one way, made from fixtures/native and its `faults.tsv`.

A line of that table changes a text that must be in its file exactly once; a fault may have several lines. Ends of lines
stand there as `\n`. A fault ends `red` where checks of its requirement must find it, `refused`
where the adapter must not take the library at all.
"""

from __future__ import annotations

import csv
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compiling import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

ABIS: Final[dict[str, tuple[str, ...]]] = {
    "linux": ("linux",),
    "windows": ("windows",),
    "both": ("linux", "windows"),
    "x86": ("x86",),
}


@dataclass(frozen=True)
class Change:
    """A text of a source file, and what stands there instead."""

    file: str
    original: str
    broken: str


@dataclass(frozen=True)
class Fault:
    """One way to be wrong, the ABIs that can have it, the requirement that it breaks, and whether it is refused."""

    name: str
    abis: tuple[str, ...]
    requirement: str
    refused: bool
    changes: tuple[Change, ...]


def faults() -> tuple[Fault, ...]:
    """Read the table."""
    found: dict[str, Fault] = {}
    with (SOURCES / "faults.tsv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            original, broken = (line[column].replace("\\n", "\n") for column in ("original", "broken"))
            name, known = line["fault"], found.get(line["fault"])
            changes = (*(known.changes if known else ()), Change(line["file"], original, broken))
            found[name] = Fault(name, ABIS[line["abi"]], line["requirement"], line["ends"] == "refused", changes)
    return tuple(found.values())


def copy(fault: Fault, directory: Path) -> None:
    """Copy the sources with a fault in them."""
    shutil.copytree(SOURCES, directory)
    texts: dict[Path, str] = {}
    for change in fault.changes:
        path = directory / change.file
        text = texts.get(path) or path.read_text(encoding="utf-8")
        if text.count(change.original) != 1:
            raise ValueError(f"{fault.name} changes {change.original!r}, which is not in {change.file} exactly once")
        texts[path] = text.replace(change.original, change.broken)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
