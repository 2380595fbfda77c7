"""Mutants, what came of them (kept from run to run), and the list of those that rightly survive."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

RESULTS: Final = ROOT / "reports" / "mutants" / "results.jsonl"
UNKILLED: Final = Path(__file__).with_name("unkilled.tsv")
CLASSES: Final = ("equivalent", "permitted")
KILLED: Final = "killed"
ERRED: Final = "error"
DEAD: Final = (KILLED, ERRED)
"""What no gate lets pass: a check failed, or some came to no verdict since the adapter raised an exception."""
BROKEN: Final = "broken"
HUNG: Final = "hung"
SURVIVED: Final = "survived"
GLANCED: Final = "undecided"
WARNED: Final = "warned"
OUTCOMES: Final = (KILLED, ERRED, WARNED, BROKEN, HUNG, SURVIVED, GLANCED)


class Key(NamedTuple):
    """Names a mutant so that it outlives the moving of lines: the `occurrence` counts the same change in a function."""

    module: str
    function: str
    original: str
    mutated: str
    occurrence: int


@dataclass(frozen=True)
class Mutant:
    """One change; `statement` is the first line of the statement that has it (None: outside of functions)."""

    key: Key
    statement: int | None
    line: int
    code: str

    @classmethod
    def from_line(cls, line: str) -> Mutant:
        """Read what the generator writes."""
        given: dict[str, Any] = json.loads(line)
        key = Key(*(given.pop(field) for field in Key._fields))
        return cls(key, **given)


class Result(NamedTuple):
    """What came of a mutant.

    `outcome` is killed (a check failed: exit code 1), error (some came to no verdict, so that no gate lets it pass:
    exit code 6), warned (none failed, but one warned of a broken SHOULD), broken (any other exit code), hung (the run
    was ended from outside), survived, or undecided (it survived the first of its checks). `check` is the one that
    failed first, `reached` how many run the statement.
    """

    outcome: str
    check: str | None
    reached: int
    seconds: float


def load() -> dict[Key, Result]:
    """Read the results of earlier runs; the last of each mutant counts."""
    found: dict[Key, Result] = {}
    if RESULTS.exists():
        for line in RESULTS.read_text(encoding="utf-8").splitlines():
            key, result = json.loads(line)
            found[Key(*key)] = Result(*result)
    return found


def note(key: Key, result: Result) -> None:
    """Keep a result at once."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps([key, result]) + "\n")


def listed() -> dict[Key, tuple[str, str]]:
    """Read the mutants that rightly survive, each with its class and the reason."""
    found: dict[Key, tuple[str, str]] = {}
    with UNKILLED.open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            key = Key(
                entry["module"],
                entry["function"],
                entry["original"],
                entry["mutated"],
                int(entry["occurrence"]),
            )
            if entry["class"] not in CLASSES or not entry["reason"]:
                raise SystemExit(f"{UNKILLED.name}: {key} needs a class of {CLASSES} and a reason")
            found[key] = entry["class"], entry["reason"]
    return found


def digest(paths: Iterable[Path]) -> str:
    """Tell files from their earlier contents."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(paths))).hexdigest()
