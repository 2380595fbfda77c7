"""Runs the whole suite on right implementations: every pair of readings, and emulators that draw what is left open.

`ci/fairness.py` puts readings together in groups until each pair that goes together was in one, and `--drawn N` draws N
times which readings to take. What is held against a group is narrowed down to those of it that it takes. Use the Python
of `.venv`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from fair import Alarm, alarms, named, observed, run_together
from vdi_fixtures.compatible import drawn, groups, names, pairs, why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Tried(NamedTuple):
    """A group, what was held against it, and those of it whose answers did not show."""

    group: tuple[str, ...]
    alarms: list[Alarm]
    hidden: set[str]


def main() -> int:
    """Run the groups, tell as they end, and give 1 where anything was held against one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="form other groups, and draw otherwise (default 0)")
    parser.add_argument("--largest", type=int, default=100, metavar="N", help="readings of a group (default 100)")
    parser.add_argument("--drawn", type=int, metavar="N", help="draw N times instead of taking every pair")
    parser.add_argument("--only", type=int, metavar="I", help="only the group of that number, from 0")
    parser.add_argument("-n", dest="workers", default="2", metavar="N", help="worker processes (default 2)")
    options = parser.parse_args()
    of = names()
    if options.drawn is None:
        formed = groups(of, options.largest, options.seed)
    else:
        formed = [drawn(of, seed) for seed in range(options.seed, options.seed + options.drawn)]
    chosen = range(len(formed)) if options.only is None else [options.only]
    tried = [_try(formed[number], f"{options.seed}/{number}", options.workers) for number in chosen]
    _conclude(of, tried)
    return int(any(one.alarms for one in tried))


def _try(group: tuple[str, ...], seed: str, workers: str) -> Tried:
    """Run a group, and say what came of it."""
    with TemporaryDirectory() as directory:
        evidence = Path(directory) / "evidence.jsonl"
        started = time.monotonic()
        checks = run_together(group, seed, evidence, "-n", workers)
        seconds = time.monotonic() - started
        hidden = {name for name in group if not named([name], "SHOWS") <= observed(checks)}
        tried = Tried(group, alarms(checks, group), hidden)
        untested = sum(check.verdict == "not tested" for check in checks)
        _say(f"{seed}: {len(group)} readings, {len(checks)} checks, {untested} not tested, {seconds:.0f} s")
        _say(f"  {', '.join(group)}")
        for name in sorted(hidden):
            _say(f"  hidden: {name}: {sorted(map(str, named([name], 'SHOWS') - observed(checks)))}")
        for alarm in tried.alarms:
            _say(f"  FALSE ALARM: {alarm}")
            if alarm.check:
                _say(f"    takes {', '.join(_narrowed(group, _persists(alarm, seed, evidence)))}")
    return tried


def _persists(alarm: Alarm, seed: str, evidence: Path) -> Callable[[Sequence[str]], bool]:
    """Give a test for whether fewer readings are accused by the same check."""

    def test(group: Sequence[str]) -> bool:
        checks = run_together(group, seed, evidence, f"--check={alarm.check}")
        return any(one.check == alarm.check for one in alarms(checks, group))

    return test


def _narrowed(group: Sequence[str], persists: Callable[[Sequence[str]], bool]) -> list[str]:
    """Leave readings out, half of them first, for as long as the accusation stays."""
    kept = list(group)
    if not persists(kept):
        return ["nothing that shows again"]
    size = len(kept) // 2
    while size and len(kept) > 1:
        fewer = (kept[:start] + kept[start + size :] for start in range(0, len(kept), size))
        found = next((one for one in fewer if one and persists(one)), None)
        if found is None:
            size //= 2
        else:
            kept, size = found, min(size, len(found) // 2) or 1
    return kept


def _conclude(of: Sequence[str], tried: Sequence[Tried]) -> None:
    """Say which pairs were met, which cannot be and why, and how often anything was held against a group."""
    together = {pair for one in tried for pair in pairs(sorted(one.group))}
    seen = {pair for one in tried for pair in pairs(sorted(set(one.group) - one.hidden))}
    excluded = {pair: why for pair in pairs(of) if (why := why_not(*pair))}
    _say(f"{len(of)} readings, {len(list(pairs(of)))} pairs")
    _say(f"{len(together)} pairs in {len(tried)} groups; {len(seen)} of them with every answer that they give alone")
    _say(f"{len(excluded)} pairs exclude each other:")
    for (one, other), why in excluded.items():
        _say(f"  {one}, {other}: {why}")
    _say(f"{sum(len(one.alarms) for one in tried)} false alarms")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
