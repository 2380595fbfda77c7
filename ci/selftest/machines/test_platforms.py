"""With --dist each every place has verdicts of its own: evidence for each, one page, and the exit code of the worst."""

import re
import sys
from functools import partial
from pathlib import Path

import pytest

from selftest.report.html_reading import require_closed
from selftest.suite.runs import RunSuite, run_suite_in
from vdi_conformance.cli import main
from vdi_conformance.evidence.files import read

LEFT = "GBH/a_secondary_that_left_gets_no_handles"
HANDLE = "GBH/every_data_command_has_a_handle[backup-primary]"
RIGHT = "from vdi_conformance.adapters.emulator import Emulator as Mine\n"
FAULT = "from vdi_fixtures.broken.gbh.closed_objects_give_handles import Broken as Mine\n"
WRONG = f"{FAULT}\n\nclass Mine(Mine):\n    def identity(self):\n        return self.inner.identity()\n"
RUN = ("--adapter", "mine.py:Mine", "--check", LEFT, "--check", HANDLE)


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run the suite in a directory that has a right adapter; below it lies a wrong one of the same name."""
    (tmp_path / "mine.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text(WRONG, encoding="utf-8")
    return partial(run_suite_in, tmp_path)


def other(directory: Path, python: str = sys.executable) -> str:
    """Name the place that has the wrong one, where workers start as they do on another machine."""
    return f"--tx=popen//id=other//python={python}//chdir={directory / 'other'}"


def test_each_platform_has_verdicts_of_its_own(run_suite: RunSuite, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run = run_suite(*RUN, "--tx=popen//id=here", other(tmp_path), "--dist", "each", "--html", str(page))
    assert run.exit_code == 1, run.output
    assert not run.evidence_path.exists()
    files = [run.evidence_path.with_stem(f"evidence-{name}") for name in ("here", "other")]
    here, there = map(read, files)
    assert [here.footer.exit_code, there.footer.exit_code] == [0, 1]
    assert [[machine.name for machine in one.header.machines] for one in (here, there)] == [["here"], ["other"]]
    assert {check.id: (check.verdict, check.machine) for check in here.checks} == {
        LEFT: ("passed", "here"),
        HANDLE: ("passed", "here"),
    }
    assert {check.id: (check.verdict, check.machine) for check in there.checks} == {
        LEFT: ("failed", "other"),
        HANDLE: ("passed", "other"),
    }
    told = "\n".join(require_closed(page.read_text(encoding="utf-8")).text)
    assert "The platforms differ" in told
    assert told.index("GBH-03") < told.index("GBH-01")
    assert main(["matrix", *map(str, files)]) == 1


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter with another clock is a shell script")
def test_a_clock_that_is_off_is_told_and_changes_nothing(run_suite: RunSuite, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n_time = time.time\ntime.time = lambda: _time() - 3600\n", encoding="utf-8"
    )
    slow = tmp_path / "slow"
    slow.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    (tmp_path / "other" / "mine.py").write_text(RIGHT, encoding="utf-8")
    run = run_suite(*RUN, "--tx=popen//id=here", other(tmp_path, str(slow)))
    assert run.exit_code == 0, run.output
    assert re.search("The clock of other is 3[56][0-9][0-9] s behind", run.output)
    assert {check.verdict for check in run.evidence.checks} == {"passed"}


@pytest.mark.long
def test_places_that_differ_share_no_run(run_suite: RunSuite, tmp_path: Path) -> None:
    run = run_suite(*RUN, "--tx=popen//id=here", other(tmp_path))
    assert run.exit_code == 4, run.output
    assert "here and other cannot share a run, since their client." in run.output
    assert "--dist each" in run.output
    assert not run.evidence_path.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"vdi_conformance/__init__.py": "__version__ = '0.0.1'"}, "has vdi-conformance 0.0.1, this is"),
        ({"vdi_conformance/__init__.py": "raise ImportError('no msgspec')"}, "has no vdi-conformance (no msgspec)"),
        ({"mine.py": "raise RuntimeError('not here')"}, "ERROR: other: "),
        ({"mine.py": FAULT}, "here and other are not platforms of one adapter"),
    ],
)
def test_another_suite_and_another_adapter_are_refused_by_name(
    run_suite: RunSuite, tmp_path: Path, files: dict[str, str], told: str
) -> None:
    for name, text in files.items():
        (tmp_path / "other" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "other" / name).write_text(text, encoding="utf-8")
    run = run_suite(*RUN, "--tx=popen//id=here", other(tmp_path), "--dist", "each")
    assert run.exit_code == 4, run.output
    assert told in run.output


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tx=popen//id=other//python=no-such-python"], "no Python answers in other"),
        (["--tx=ssh=no-such-host.invalid"], "ssh does not reach no-such-host.invalid"),
        (["--tx=popen", "--tx=popen", "--dist=each"], "--dist each would run checks more than once"),
        (["--tx=popen//id=a", "--tx=popen//id=b", "--dist=each", "--junit=x.xml"], "JUnit XML has no platforms"),
        (["--tx=popen//chdir=other", "--allure=results"], "its results would stay there"),
        (["--tx=popen//chdir=other", "--", "mine.py"], "mine.py is a path of this machine"),
        (["--tx=popen", "-n", "2"], "write -n 2 as --tx 2*popen"),
        (["--dist=each"], "needs to be told the places"),
        (["--tx=nowhere"], "does not say how a place is reached"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run_suite: RunSuite, options: list[str], told: str) -> None:
    run = run_suite(*RUN, *options)
    assert run.exit_code == 4, run.output
    assert told in run.output
