"""Puts the long-lived parts of the project through much work, and looks whether what they have stays flat.

`.venv/bin/python ci/endurance.py [--part sets] [--number N | --hours H]`. The parts are sets (of one broker and one
client), hosts (of one worker and its fork server), commands (over 16 devices of 8 processes, digested at both ends) and
sessions (of one process of `emulator`). `--hours 24` shares so many hours out among them. All numbers land in
`reports/endurance.json`. Exit code 0 where everything stayed flat, 1 where something grew or was left behind, 2 when
interrupted.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent / "benchmarks"))

from enduring.flatness import LEAST, Account, account
from enduring.work import PARTS, Part, Work
from environment import INTERRUPTED, ROOT, say
from vdi_conformance.host.resources import resources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

RESULT: Final = ROOT / "reports" / "endurance.json"
TEMPORARY: Final = ("TMPDIR", "TEMP", "TMP")
SAMPLES: Final = 100
SECONDS_BETWEEN: Final = 30.0
KIB: Final = 1 << 10


class Measured(NamedTuple):
    """What came of one part: how much was done in how long, each number of each process, and what was left behind."""

    part: Part
    done: list[int]
    seconds: float
    series: Mapping[tuple[str, str], list[int]]
    left: Sequence[str]

    def accounts(self) -> Iterator[tuple[str, str, Account]]:
        """Give how each number of each process went on."""
        for (process, kind), numbers in self.series.items():
            yield process, kind, account(kind, numbers, self.done)

    @property
    def is_flat(self) -> bool:
        """Whether nothing grew, and nothing was left behind."""
        return not self.left and all(one.is_flat for _, _, one in self.accounts())


def measured(part: Part, lots: Iterator[int], tell: Callable[[str], None]) -> Measured:
    """Do lot after lot of the work of a part, and look into its processes after each."""
    done: list[int] = []
    series: dict[tuple[str, str], list[int]] = {}
    began = told = time.monotonic()
    # What was there before is not gone through again and again.
    gc.freeze()
    with temporary_files_apart() as temporary:
        with part.begin() as work:
            directory = work.directory
            for lot in lots:
                work.do(lot)
                done.append(lot + (done[-1] if done else 0))
                for key, number in _looked_into(work):
                    series.setdefault(key, []).append(number)
                if time.monotonic() - told > SECONDS_BETWEEN:
                    told = time.monotonic()
                    tell(f"{done[-1]:,} {part.pieces} in {told - began:.0f} s")
            seconds = time.monotonic() - began
        left = [path.name for path in temporary.iterdir()]
        left += [str(directory)] if directory.exists() and temporary not in directory.parents else []
    gc.unfreeze()
    return Measured(part, done, seconds, series, left)


@contextmanager
def temporary_files_apart() -> Iterator[Path]:
    """Give a directory for all temporary files of this process and its children, so that what is left there shows."""
    before = {name: os.environ.get(name) for name in TEMPORARY}
    with TemporaryDirectory() as directory:
        tempfile.tempdir = directory
        os.environ.update(dict.fromkeys(TEMPORARY, directory))
        try:
            yield Path(directory)
        finally:
            tempfile.tempdir = None
            for name, value in before.items():
                os.environ.pop(name)
                os.environ.update({} if value is None else {name: value})


def _looked_into(work: Work) -> Iterator[tuple[tuple[str, str], int]]:
    """Count what each process has, and the files of the directory that they share."""
    gc.collect()
    for name, process in work.processes.items():
        found = resources_of(process)
        if found is None:
            raise RuntimeError(f"nobody can look into the process of the {name}, or it has ended")
        numbers = {"memory": found.private, "handles": found.handles, "threads": found.threads}
        for kind, number in (numbers | {"mappings": found.mappings}).items():
            yield (name, kind), number
    yield ("directory", "files"), sum(1 for _ in work.directory.rglob("*"))


def counted(total: int) -> Iterator[int]:
    """Divide so many pieces of work into lots."""
    lot = max(1, total // SAMPLES)
    for done in range(0, total, lot):
        yield min(lot, total - done)


def timed(seconds: float, total: int) -> Iterator[int]:
    """Give lots of the same size for so long, and at least as many as are needed to tell anything."""
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end or number < LEAST:
        yield max(1, total // SAMPLES)
        number += 1


def main(arguments: list[str]) -> int:
    """Measure, and print a table of each part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [part.pieces for part in PARTS]
    parser.add_argument("--part", action="append", choices=names, help="only this one; may be repeated")
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--number", type=int, metavar="N", help=f"so many pieces of each, at least {LEAST}")
    how_much.add_argument("--hours", type=float, metavar="H", help="go on for so long, all parts together")
    asked = parser.parse_args(arguments)
    if asked.number is not None and asked.number < LEAST:
        parser.error(f"--number: {asked.number} pieces are too few to tell: give at least {LEAST}")
    parts = [part for part in PARTS if asked.part is None or part.pieces in asked.part]
    results = []
    for part in parts:
        total = asked.number or part.total
        lots = counted(total) if asked.hours is None else timed(3600 * asked.hours / len(parts), total)
        results.append(result := measured(part, lots, say))
        _tell(result)
    RESULT.write_text(json.dumps([_plain(one) for one in results], indent=1) + "\n", encoding="utf-8")
    flat = all(result.is_flat for result in results)
    say("Everything stayed flat." if flat else "Something GREW or was left behind: see above.")
    return 0 if flat else 1


def _tell(result: Measured) -> None:
    part = result.part
    say(f"\n{result.done[-1]:,} {part.name} in {result.seconds:.0f} s")
    say(f"{'process':<14}{'what':<12}{'early':>12}{'late':>12}{f'per 1000 {part.pieces}':>20}  verdict")
    for process, kind, one in result.accounts():
        unit, name = (KIB, "memory KiB") if kind == "memory" else (1, kind)
        figures = f"{one.early / unit:>12,.0f}{one.late / unit:>12,.0f}{one.slope / unit:>20,.2f}"
        say(f"{process:<14}{name:<12}{figures}  {'flat' if one.is_flat else 'GREW'}")
    say(f"left behind: {', '.join(result.left) or 'nothing'}")


def _plain(result: Measured) -> dict[str, object]:
    """Lay out all numbers for JSON."""
    return {
        "part": result.part.name,
        "done": result.done,
        "seconds": round(result.seconds, 1),
        "left": list(result.left),
        "series": [
            {"process": process, "kind": kind, "numbers": numbers} for (process, kind), numbers in result.series.items()
        ],
    }


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise SystemExit(code)
