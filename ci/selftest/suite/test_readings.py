"""The suite is fair: readings of the documents other than the emulator's pass, and show where they differ."""

import pkgutil
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from zlib import crc32

import pytest

import vdi_fixtures.readings
from fair import observed, surprises
from vdi_conformance.cli import main
from vdi_conformance.cli.run import ISOLATING, PACKAGE
from vdi_conformance.evidence.files import read
from vdi_conformance.evidence.records import CheckRecord
from vdi_conformance.plugins.requirements import check_id, rows_of
from vdi_conformance.requirements import catalogue

READINGS = {
    module.name: import_module(f"vdi_fixtures.readings.{module.name}")
    for module in pkgutil.iter_modules(vdi_fixtures.readings.__path__)
}
AFTER_ANOTHER = {"CompleteCommand after a refused count"}
"""What is only asked after another answer."""

AXES = (("backup", "restore"), ("primary", "secondary"))
"""Parameters of which a reading meets one each, drawn by its name, where a check has them all."""


def _touched(reading: ModuleType) -> set[str]:
    """The rows that a reading can touch: those that it names, or else those of its questions."""
    rows = {row.id for row in catalogue().rows if set(reading.TAKES) & set(row.questions)}
    return set(getattr(reading, "TOUCHES", rows))


class _Collected:
    """The checks of the suite, by their ids, and the rows that each judges."""

    def __init__(self) -> None:
        self.rows: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.rows = {check_id(item): set(rows_of(item)) for item in items}


@cache
def _collected() -> dict[str, set[str]]:
    collected = _Collected()
    assert pytest.main([*ISOLATING, "--collect-only", "-qq", str(PACKAGE / "suite")], [collected]) == 0
    return collected.rows


def _selected(rows: set[str], name: str) -> list[str]:
    """The checks of these rows, each with one value of an axis and in two variants at most."""
    number = crc32(name.encode())
    left_out = {axis[(number >> bit) % 2] for bit, axis in enumerate(AXES)}
    variants: dict[str, list[str]] = {}
    for check, judged in _collected().items():
        if judged & rows:
            variants.setdefault(check.partition("[")[0], []).append(check)
    return [check for checks in variants.values() for check in _thinned(checks, left_out)]


def _thinned(checks: list[str], left_out: set[str]) -> list[str]:
    kept = [check for check in checks if not left_out & set(check.partition("[")[2].rstrip("]").split("-"))]
    return (kept or checks)[:2]


def _run(rows: set[str], name: str, adapter: str) -> tuple[int, tuple[CheckRecord, ...]]:
    """Run checks of these rows within this process; the working directory receives the evidence."""
    options = [f"--check={check}" for check in _selected(rows, name)]
    assert options, f"no check judges one of {sorted(rows)}"
    exit_code = main(["run", "--adapter", adapter, "--evidence", "evidence.jsonl", *options])
    return exit_code, read(Path("evidence.jsonl")).checks


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", READINGS)
def test_a_permitted_reading_is_accused_of_nothing(name: str) -> None:
    reading = READINGS[name]
    if getattr(reading, "NEEDS", sys.platform) != sys.platform:
        pytest.skip(f"it needs what {reading.NEEDS} alone offers")
    rows = _touched(reading)
    exit_code, checks = _run(rows, name, f"{reading.__name__}:Reading")
    excused = {"warning": _named(reading, "WARNS"), "not tested": _named(reading, "NOT_TESTED")}
    for verdict, named in excused.items():
        found = [check for check in checks if check.verdict == verdict]
        assert {row for check in found for row in check.rows} == named, found
    assert {check.verdict for check in checks} <= {"passed", "not applicable", *excused}, _accusations(checks)
    assert exit_code == (6 if excused["not tested"] else 0)
    assert _named(reading, "SHOWS") <= observed(checks)
    assert surprises(checks) == []


def test_what_several_answers_are_permitted_for_is_answered_in_several_ways() -> None:
    several = {one.id for one in catalogue().questions.values() if any(len(it.permitted) > 1 for it in one.readings)}
    assert sorted(several - {question for one in READINGS.values() for question, _, _ in _shown(one)}) == []


def _shown(reading: ModuleType) -> tuple[tuple[str, str, str], ...]:
    shown: tuple[tuple[str, str, str], ...] = getattr(reading, "SHOWS", ())
    return shown


def _named(reading: ModuleType, constant: str) -> set[object]:
    return set(getattr(reading, constant, ()))


def _accusations(checks: tuple[CheckRecord, ...]) -> list[str]:
    return [f"{check.id}: {check.cause.sentence}" for check in checks if check.cause is not None]


def test_the_emulator_shows_none_of_it() -> None:
    showing = [reading for reading in READINGS.values() if _named(reading, "SHOWS")]
    shown = {one for reading in showing for one in reading.SHOWS}
    _, checks = _run({row for reading in showing for row in _touched(reading)}, "emulator", "emulator")
    seen = observed(checks)
    assert shown & seen == set()
    asked = {(question, subject) for question, subject, _ in seen}
    assert {(question, subject) for question, subject, _ in shown if subject not in AFTER_ANOTHER} <= asked
