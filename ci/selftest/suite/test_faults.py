"""The suite detects: each fault turns checks of the very rows red that it breaks, and nothing ends in error."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import vdi_fixtures.broken
from vdi_conformance.cli.run import ISOLATING, PACKAGE
from vdi_conformance.plugins.evidence import phase_of
from vdi_conformance.plugins.requirements import rows_of
from vdi_conformance.requirements import catalogue
from vdi_fixtures.wrapping import AROUND

FAULTS = {
    module.name: import_module(f"vdi_fixtures.broken.{module.name}")
    for module in pkgutil.iter_modules(vdi_fixtures.broken.__path__)
}


def _level(row: str) -> str:
    found = catalogue().get(row)
    assert found is not None, f"a fault breaks {row}, which there is not"
    return found.level


class UntilAllAreRed:
    """Notes the verdicts of a run, and ends it when every one of these rows has turned red."""

    def __init__(self, rows: tuple[str, ...]) -> None:
        self.survivors = {row: "failed" if _level(row) == "MUST" else "warning" for row in rows}
        self.verdicts: set[str] = set()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep what can be ended."""
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a check."""
        if (phase := phase_of(report)) is None:
            return
        self.verdicts.add(phase.verdict)
        for row in phase.rows:
            if self.survivors.get(row) == phase.verdict:
                del self.survivors[row]
        if not self.survivors and report.when == "teardown":
            self._session.shouldfail = "every row that the fault breaks is red"


class Collected:
    """Where the checks are that judge a row: files by rows."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take all of them."""
        for item in items:
            for row in rows_of(item):
                self.files.setdefault(row, set()).add(str(item.path))


@pytest.fixture(scope="module")
def files() -> dict[str, set[str]]:
    """The files of checks, by the rows that they judge."""
    collected = Collected()
    assert pytest.main([*ISOLATING, "--collect-only", "-qq", str(PACKAGE / "suite")], [collected]) == 0
    return collected.files


def _try(fault: str, rows: tuple[str, ...], files: dict[str, set[str]]) -> tuple[UntilAllAreRed, int]:
    """Run the checks of these rows, until each of them is red."""
    run = UntilAllAreRed(rows)
    places = sorted(set().union(*(files.get(row, set()) for row in rows)))
    assert places, "no check judges what it breaks"
    options = [f"--vdi-adapter={FAULTS[fault].__name__}:Broken", *(f"--vdi-requirement={row}" for row in rows)]
    # Within this process: to start a further one for each fault takes longer than its checks do.
    return run, pytest.main([*ISOLATING, *options, *places], [run])


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walks that fail are kept in the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_row_goes_red(files: dict[str, set[str]], capfd: pytest.CaptureFixture[str], fault: str) -> None:
    run, exit_code = _try(fault, FAULTS[fault].BREAKS, files)
    output = capfd.readouterr().out
    assert run.survivors == {}, output
    assert run.verdicts <= {"passed", "failed", "warning"}, output
    assert exit_code == (1 if "failed" in run.verdicts else 0), output


def test_a_wrapper_goes_around_another_adapter(
    files: dict[str, set[str]], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, outer = FAULTS["later_areas_are_not_mapped"], FAULTS["closed_devices_say_invalid"]
    monkeypatch.setenv(AROUND, f"{inner.__name__}:Broken")
    run, _ = _try("closed_devices_say_invalid", (*inner.BREAKS, *outer.BREAKS), files)
    assert run.survivors == {}, capfd.readouterr().out


def test_every_row_that_must_hold_is_broken_by_a_fault(files: dict[str, set[str]]) -> None:
    needed = {row for row in files if _level(row) == "MUST"}
    assert needed, "no checks were found"
    assert sorted(needed - {row for fault in FAULTS.values() for row in fault.BREAKS}) == []
