"""What a lost worker did not run is not tested, what it ran is an error, and the run ends by itself."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from selftest.suite.runs import RunSuite, run_suite_in
from vdi_conformance.evidence.files import read

RUN = ("--adapter", "emulator", "--topic", "NAM", "--tx=popen//id=stays")
FEW = ("-k", "no_instance_is_the_default_one or an_instance_that")
KILLS = """
import os
from pathlib import Path

begun = 0

def pytest_runtest_call(item):
    global begun
    begun += 1
    if Path.cwd().name == "goes" and begun == 2:
        os._exit(1)
"""


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run the suite with a worker that ends within its second check."""
    (tmp_path / "goes").mkdir()
    for directory in (tmp_path, tmp_path / "goes"):
        (directory / "kills.py").write_text(KILLS, encoding="utf-8")
    going = f"--tx=popen//id=goes//chdir={tmp_path / 'goes'}"
    return partial(run_suite_in, tmp_path, *RUN, going)


@pytest.mark.long
def test_a_platform_owes_what_its_lost_worker_had_not_run(run_suite: RunSuite) -> None:
    run = run_suite("--dist=each", "--", "-p", "kills", *FEW)
    assert run.exit_code == 6, run.output
    stays, goes = (read(run.evidence_path.with_stem(f"evidence-{name}")) for name in ("stays", "goes"))
    assert (stays.footer.exit_code, goes.footer.exit_code) == (0, 6)
    assert {check.id for check in goes.checks} == {check.id for check in stays.checks}
    many = len(stays.checks)
    assert many > 2
    assert Counter(check.verdict for check in goes.checks) == {"passed": 1, "error": 1, "not tested": many - 2}
    owed = next(check for check in goes.checks if check.verdict == "not tested")
    assert owed.requirements
    assert owed.cause is not None
    assert "the worker on goes was lost (its connection ended)" in owed.cause.sentence


@pytest.mark.long
def test_a_run_owes_what_nobody_ran_in_place_of_a_lost_worker(run_suite: RunSuite) -> None:
    run = run_suite("--", "-p", "kills")
    assert run.exit_code == 6, run.output
    verdicts = Counter(run.verdicts().values())
    assert verdicts["error"] == 1
    assert verdicts["not tested"] > 0
    whole = run_suite(name="whole.jsonl")
    assert whole.exit_code == 0, whole.output
    assert run.verdicts().keys() == whole.verdicts().keys()
    again = run_suite(f"--failed-in={run.evidence_path}", name="again.jsonl")
    assert again.exit_code == 0, again.output
    assert len(again.verdicts()) == verdicts["error"] + verdicts["not tested"]
