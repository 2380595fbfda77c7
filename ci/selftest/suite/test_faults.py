"""The suite detects: each fault turns checks of the very rows red that it breaks, and nothing ends in error."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import vdi_fixtures.broken
from vdi_conformance.cli import main
from vdi_conformance.cli.run import ISOLATING, PACKAGE
from vdi_conformance.evidence.files import read
from vdi_conformance.plugins.requirements import rows_of
from vdi_conformance.requirements import catalogue

FAULTS = {
    module.name: import_module(f"vdi_fixtures.broken.{module.name}")
    for module in pkgutil.iter_modules(vdi_fixtures.broken.__path__)
}
TOPICS = ("GBH", "MBH", "CMP", "SEC", "BUF")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_row_goes_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = FAULTS[fault]
    options = [f"--requirement={row}" for row in broken.BREAKS]
    if len(broken.BREAKS) == 1:
        # Every selected check judges this row, so that the first one that fails has said all.
        options += ["--", "--exitfirst"]
    # Within this process: to start a further one for each fault takes longer than its checks do.
    exit_code = main(["run", "--adapter", f"{broken.__name__}:Broken", "--evidence", "evidence.jsonl", *options])
    output = capfd.readouterr().out
    checks = read(tmp_path / "evidence.jsonl").checks
    assert exit_code == (1 if "failed" in map(_red, broken.BREAKS) else 0), output
    for row in broken.BREAKS:
        assert _red(row) in {check.verdict for check in checks if row in check.rows}, f"{row} survived\n{output}"
    assert {check.verdict for check in checks} <= {"passed", "failed", "warning"}, output


def _red(row: str) -> str:
    """The verdict on a broken row of that level."""
    return {"MUST": "failed"}.get(_level(row), "warning")


def _level(row: str) -> str:
    found = catalogue().get(row)
    assert found is not None, f"a fault breaks {row}, which there is not"
    return found.level


def test_every_row_that_must_hold_is_broken_by_a_fault() -> None:
    collected = _Collected()
    assert pytest.main([*ISOLATING, "--collect-only", "-qq", str(PACKAGE / "suite")], [collected]) == 0
    needed = {row for row in collected.rows if row.partition("-")[0] in TOPICS and _level(row) == "MUST"}
    assert sorted(needed - {row for fault in FAULTS.values() for row in fault.BREAKS}) == []
    assert needed, "no checks were found"


class _Collected:
    """The rows that the checks of the suite judge."""

    def __init__(self) -> None:
        self.rows: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.rows = {row for item in items for row in rows_of(item)}
