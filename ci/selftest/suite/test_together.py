"""Readings go together: every pair is in a group or excluded for a reason, and groups are accused of nothing."""

from pathlib import Path
from zlib import crc32

import pytest

from fair import alarms, run_together
from vdi_conformance.cli.checks import checks_by_row
from vdi_fixtures.compatible import drawn, groups, names, pairs, why_not
from vdi_fixtures.emulated import Emulated
from vdi_fixtures.hiding import hidden
from vdi_fixtures.together import module_of

SLICES = 16
"""Each sample runs one check in so many."""
SAMPLES = range(2)
LARGEST = 12
"""Readings of a group of the samples."""


def _slice(number: int) -> list[str]:
    checks = {check for checks in checks_by_row().values() for check in checks}
    return sorted(check for check in checks if crc32(check.encode()) % SLICES == number)


@pytest.mark.parametrize("number", SAMPLES)
def test_a_sample_of_groups_is_accused_of_nothing(number: int, tmp_path: Path) -> None:
    group = groups(names(), LARGEST, 0)[number]
    _judge(group, number, tmp_path)


def _judge(group: tuple[str, ...], number: int, directory: Path) -> None:
    selected = [f"--check={check}" for check in _slice(number)]
    checks = run_together(group, number, directory / "evidence.jsonl", *selected)
    assert len(checks) == len(selected)
    assert [str(alarm) for alarm in alarms(checks, group)] == [], group


def test_each_pair_is_in_a_group_unless_it_excludes_each_other() -> None:
    formed = groups(names(), 100, 0)
    met = {pair for group in formed for pair in pairs(sorted(group))}
    excluded = {pair for pair in pairs(names()) if why_not(*pair)}
    assert met | excluded == set(pairs(names()))
    assert met & excluded == set()


def test_nothing_in_a_group_keeps_another_part_from_being_asked() -> None:
    for group in groups(names(), 100, 0):
        kinds = [kind for name in group if issubclass(kind := module_of(name).Reading, Emulated)]
        for place in {place for kind in kinds for place in kind.parts}:
            parts = [kind.parts[place] for kind in kinds if place in kind.parts]
            classes = [part for part in parts if isinstance(part, type)]
            assert hidden(classes) == set(), (place, group)
            assert classes or len(set(map(id, parts))) == 1, (place, group)


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(names(), 7) == drawn(names(), 7)
    assert drawn(names(), 7) != drawn(names(), 8)
