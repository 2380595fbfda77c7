"""Mutates the emulator and lets the suite judge each mutant: `ci/mutants/try_mutants.py [--module state]`.

A mutant is dead where a check fails, or where checks come to no verdict since the adapter raises exceptions. Results
are kept in `reports/mutants`, so that a run which was interrupted goes on where it stopped; `--survivors-only` judges
again what is not dead. A check can only tell a mutant whose statement some process of it runs, so one run beforehand,
which must pass, notes what each check reaches. Each mutant is shown a few seconds of checks first, and what survives
that all the others.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import queue
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mutants.ledger import (
    BROKEN,
    CLASSES,
    DEAD,
    ERRED,
    GLANCED,
    HUNG,
    KILLED,
    OUTCOMES,
    RESULTS,
    SURVIVED,
    UNKILLED,
    WARNED,
    Key,
    Mutant,
    Result,
    digest,
    listed,
    load,
    note,
)
from mutants.tool import generate, modules
from mutants.trees import LINES, PACKAGE, Tree

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

REACH: Final = RESULTS.with_name("reach.json")
_GLANCE: Final = 2.0
"""Seconds of checks that each mutant is shown first, so that all that die easily are out of the way."""
_FAVOURITES: Final = 12
_SLOW: Final = 0.3
_NO_VERDICT: Final = 6
_UNJUDGED: Final = "not judged"


class Reach:
    """Which checks run which statement, and which of them are worth trying first."""

    def __init__(self, names: Sequence[str], reached: dict[str, list[int]], seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._checks: dict[tuple[str, int], set[str]] = {}
        for check, marks in reached.items():
            for mark in marks:
                self._checks.setdefault((names[mark // LINES], mark % LINES), set()).add(check)
        self._first = set(itertools.islice(reached, 1))
        self._kills: dict[str, int] = {}
        self._lock = threading.Lock()

    def credit(self, check: str) -> None:
        """Remember a check that killed."""
        with self._lock:
            self._kills[check] = self._kills.get(check, 0) + 1

    def order_for(self, mutant: Mutant) -> list[str]:
        """Give the checks that can tell a mutant: first those that killed most, then any that are not slow."""
        at = mutant.statement
        reaching = set() if at is None else self._checks.get((mutant.key.module, at), set())
        if at is None or reaching == self._first:
            # The broker begins with the first check, and serves all of them.
            reaching = set(self._seconds)
        chance = Random(str(mutant.key))
        with self._lock:
            rank = {check: (-self._kills.get(check, 0), chance.random()) for check in sorted(reaching)}
        order = sorted(rank, key=rank.__getitem__)
        favourites = order[:_FAVOURITES]
        return favourites + sorted(order[_FAVOURITES:], key=lambda check: self._seconds[check] > _SLOW)

    def within(self, checks: Sequence[str], seconds: float) -> list[str]:
        """Give the first of these checks that take no longer than that, together."""
        ends = itertools.accumulate(self._seconds[check] for check in checks)
        return [check for check, end in zip(checks, ends, strict=True) if end <= seconds] or list(checks[:1])


def reach(names: Sequence[str], directory: Path, console: Console) -> Reach:
    """Run the whole suite on the emulator as it is, or take what that gave where nothing has changed since."""
    now = digest(PACKAGE.rglob("*.py"))
    if REACH.exists():
        known = json.loads(REACH.read_text(encoding="utf-8"))
        if known["digest"] == now and known["modules"] == list(names):
            return Reach(names, known["reached"], known["seconds"])
    console.print("A run without a mutant, which must pass, notes which statements each check reaches.")
    tree = Tree(directory)
    tree.mark(names)
    judgement = tree.run(None)
    tree.close()
    if judgement.exit_code != 0:
        raise SystemExit(f"The run without a mutant ended with exit code {judgement.exit_code}: {judgement.failed}")
    REACH.parent.mkdir(parents=True, exist_ok=True)
    found = {"digest": now, "modules": names, "reached": judgement.reached, "seconds": judgement.seconds}
    REACH.write_text(json.dumps(found), encoding="utf-8")
    return Reach(names, judgement.reached, judgement.seconds)


def judge(mutant: Mutant, tree: Tree, reach: Reach, glance: float | None) -> Result:
    """Let the suite judge one mutant, or only as many of its checks as run in `glance` seconds."""
    everything = reach.order_for(mutant)
    checks = everything if glance is None else reach.within(everything, glance)
    if not checks:
        return Result(SURVIVED, None, 0, 0.0)
    started = time.monotonic()
    tree.replace(mutant.key.module, mutant.code)
    try:
        judgement = tree.run(checks)
    finally:
        tree.restore(mutant.key.module)
    seconds = round(time.monotonic() - started, 2)
    if judgement.exit_code is None:
        return Result(HUNG, None, len(everything), seconds)
    if judgement.exit_code == 1 and judgement.failed is not None:
        reach.credit(judgement.failed)
        return Result(KILLED, judgement.failed, len(everything), seconds)
    if judgement.exit_code != 0:
        return Result(ERRED if judgement.exit_code == _NO_VERDICT else BROKEN, None, len(everything), seconds)
    warned = "warning" in judgement.others.values()
    outcome = (WARNED if warned else SURVIVED) if checks == everything else GLANCED
    return Result(outcome, None, len(everything), seconds)


def judge_all(
    mutants: Sequence[Mutant], trees: queue.SimpleQueue[Tree], reach: Reach, glance: float | None, console: Console
) -> None:
    """Judge mutants side by side, each worker in a tree of its own."""
    noting = threading.Lock()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(trees.qsize()) as pool:
        task = progress.add_task("mutants", total=len(mutants))

        def take(mutant: Mutant) -> None:
            tree = trees.get()
            try:
                result = judge(mutant, tree, reach, glance)
            finally:
                trees.put(tree)
            with noting:
                note(mutant.key, result)
                progress.update(task, advance=1, description=mutant.key.module)

        try:
            for future in [pool.submit(take, mutant) for mutant in mutants]:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def report(mutants: Sequence[Mutant], results: dict[Key, Result], console: Console) -> int:
    """Print the figures; 0 where every mutant is killed or rightly listed."""
    reasons = listed()
    found = {mutant.key: _class_of(mutant.key, results, reasons) for mutant in mutants}
    columns = (KILLED, *CLASSES, *OUTCOMES[1:], _UNJUDGED)
    table = Table("module", "all", *columns, "of the rest die")
    for module in [*dict.fromkeys(key.module for key in found), "all"]:
        counts = Counter(found[key] for key in found if module in (key.module, "all"))
        rest = counts.total() - counts[_UNJUDGED] - sum(counts[each] for each in CLASSES)
        share = f"{100 * sum(counts[each] for each in DEAD) / rest:.1f} %" if rest else "-"
        table.add_row(module, str(counts.total()), *(str(counts[column]) for column in columns), share)
    console.print(table)
    sentences = _wrongly_listed(found.keys(), results, reasons)
    for mutant in mutants:
        if found[mutant.key] in OUTCOMES and found[mutant.key] not in DEAD:
            key, result = mutant.key, results[mutant.key]
            place = f"{key.module}:{mutant.line} {key.function}, occurrence {key.occurrence}"
            sentences.append(
                f"{result.outcome}, {result.reached} checks reach it: {place}\n    {key.original}\n    {key.mutated}"
            )
    for sentence in sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return 0 if not sentences and _UNJUDGED not in found.values() else 1


def _class_of(key: Key, results: dict[Key, Result], reasons: dict[Key, tuple[str, str]]) -> str:
    if key in results and results[key].outcome in DEAD:
        return results[key].outcome
    if key in reasons:
        return reasons[key][0]
    return results[key].outcome if key in results else _UNJUDGED


def _wrongly_listed(
    existing: Collection[Key], results: dict[Key, Result], reasons: dict[Key, tuple[str, str]]
) -> list[str]:
    """Say which lines of the list are out of date: there is no such mutant, or a check fails on it."""
    modules = {key.module for key in existing}
    known = [key for key in reasons if key.module in modules]
    gone = [f"{UNKILLED.name} lists what is no mutant: {key}" for key in known if key not in existing]
    dead = [key for key in known if key in results and results[key].outcome in DEAD]
    return gone + [f"{UNKILLED.name} lists what {results[key].check or 'the suite'} finds: {key}" for key in dead]


def main() -> int:
    """Judge what is asked for and not yet judged, and report."""
    parser = argparse.ArgumentParser(description="Mutation testing of the emulator, judged by the suite.")
    parser.add_argument("--module", action="append", help="only this module of the emulator; may be repeated")
    parser.add_argument(
        "--survivors-only", action="store_true", help="judge again what is not killed, and nothing else"
    )
    parser.add_argument("--glance", action="store_true", help=f"show each mutant {_GLANCE:g} s of checks only")
    parser.add_argument("--listed-too", action="store_true", help="judge what unkilled.tsv lists as well")
    parser.add_argument("--report-only", action="store_true", help="judge nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many mutants side by side")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    names = modules()
    mutants = [mutant for mutant in generate(console) if not options.module or mutant.key.module in options.module]
    results, reasons = load(), listed()
    undecided = {key for key, result in results.items() if result.outcome == GLANCED}
    wanted = [mutant for mutant in mutants if options.listed_too or mutant.key not in reasons]
    if options.survivors_only:
        wanted = [m for m in wanted if m.key in results and results[m.key].outcome not in DEAD]
    else:
        wanted = [mutant for mutant in wanted if mutant.key not in results or mutant.key in undecided]
    if wanted and not options.report_only:
        with tempfile.TemporaryDirectory(prefix="vdi-mutants-") as place:
            known = reach(names, Path(place) / "unmutated", console)
            for result in results.values():
                if result.check is not None:
                    known.credit(result.check)
            trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()
            for number in range(options.workers):
                trees.put(Tree(Path(place) / f"tree-{number}"))
            judge_all([mutant for mutant in wanted if mutant.key not in results], trees, known, _GLANCE, console)
            if not options.glance:
                decided = {key for key, result in load().items() if result.outcome != GLANCED}
                left = [m for m in wanted if m.key in results or m.key not in decided]
                judge_all(left, trees, known, None, console)
            while not trees.empty():
                trees.get().close()
    return report(mutants, load(), console)


if __name__ == "__main__":
    raise SystemExit(main())
