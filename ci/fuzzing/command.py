"""The command: which targets, how many inputs, and the table of what came of them."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from environment import ROOT, say
from fuzzing import coverage_guided, isolated
from fuzzing.corpus import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fuzzing.isolated import Measured
    from fuzzing.target import Target
    from fuzzing.trying import Defect

FOUND: Final = ROOT / "build" / "fuzzing"
INPUTS: Final = 100_000
USAGE: Final = 4
_BETWEEN: Final = 10.0
"""Seconds between two lines of progress."""
_HEAD: Final = ("target", "inputs", "accepted", "refused", "defects", "slowest", "memory", "a second")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for."""
    options = _options().parse_args(arguments)
    if options.atheris:
        return _followed(options.targets, options.inputs, options.seed)
    targets = _chosen(options.targets)
    if targets is None:
        return USAGE
    if options.serve is not None:
        isolated.serve(targets[0], options.inputs, options.seed, Path(options.serve), options.seconds)
        return 0
    if options.list:
        for target in targets:
            say(f"{target.name:18} {target.about}")
        return 0
    return _all(targets, options)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("fuzz.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="try these only")
    parser.add_argument("--inputs", type=int, default=INPUTS, metavar="N", help="how many for each target")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what the inputs are drawn by")
    parser.add_argument("--seconds", type=float, default=0, metavar="N", help="for each target, at most (0: no limit)")
    parser.add_argument("--list", action="store_true", help="show the targets")
    parser.add_argument("--atheris", action="store_true", help="try one target, led by the lines that inputs reach")
    parser.add_argument("--serve", metavar="DIRECTORY", help=argparse.SUPPRESS)
    return parser


def _chosen(names: Sequence[str]) -> list[Target] | None:
    from fuzzing.targets import TARGETS

    known = {target.name: target for target in TARGETS}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"There is no target {unknown[0]!r}; there are {', '.join(known)}.\n")
        return None
    return [known[name] for name in names] or list(TARGETS)


def _followed(names: Sequence[str], inputs: int, seed: int) -> int:
    try:
        atheris = coverage_guided.load()
    except coverage_guided.NoAtheris as error:
        sys.stderr.write(f"{error}.\n")
        return USAGE
    with atheris.instrument_imports(include=["vdi_conformance"]):
        targets = _chosen(names)
    if targets is None or len(names) != 1:
        sys.stderr.write("Name one target for atheris, which ends the process.\n")
        return USAGE
    coverage_guided.follow(atheris, targets[0], inputs, seed, FOUND / targets[0].name)
    return 0


def _all(targets: Iterable[Target], options: argparse.Namespace) -> int:
    inputs = options.inputs
    told = [f"--inputs={inputs}", f"--seed={options.seed}", f"--seconds={options.seconds}"]
    found = 0
    say(_line(_HEAD))
    for target in targets:
        shutil.rmtree(FOUND / target.name, ignore_errors=True)
        command = [sys.executable, str(ROOT / "ci" / "fuzz.py"), target.name, *told]
        measured = isolated.tried([*command, "--serve"], partial(_tell, target.name, inputs, [time.monotonic()]))
        say(_line(_row(target.name, measured)))
        for defect in measured.figures.defects.values():
            found += 1
            _keep(target.name, defect)
    say(_conclusion(found))
    return 1 if found else 0


def _tell(name: str, inputs: int, last: list[float], number: int) -> None:
    """Say how far it is, now and then."""
    now = time.monotonic()
    if now - last[0] >= _BETWEEN:
        last[0] = now
        sys.stderr.write(f"{name}: {number} of {inputs}\n")


def _row(name: str, measured: Measured) -> Sequence[str]:
    figures, seconds, memory = measured
    return (
        name,
        str(figures.inputs),
        str(figures.accepted),
        str(figures.refused),
        str(figures.broken),
        f"{figures.slowest * 1000:.0f} ms",
        "not measured" if memory is None else f"{memory / (1 << 20):.0f} MiB",
        f"{figures.inputs / max(seconds, 0.001):.0f}",
    )


def _line(cells: Sequence[str]) -> str:
    name, *numbers = cells
    return f"{name:18}" + "".join(f"{cell:>13}" for cell in numbers)


def _keep(name: str, defect: Defect) -> None:
    """Write down an input that broke a rule, and how it did."""
    directory = FOUND / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / defect.name).write_bytes(defect.data)
    (directory / f"{defect.name}.txt").write_text(defect.account, encoding="utf-8", errors="backslashreplace")
    say(f"    {defect.kind}: {directory / defect.name}")


def _conclusion(found: int) -> str:
    if not found:
        return "No input broke a rule."
    return (
        f"{found} kinds of inputs broke a rule. Mend each at its cause, and keep its input: move it from "
        f"{FOUND.relative_to(ROOT)} to {KEPT.relative_to(ROOT)}, into the directory of its target."
    )
