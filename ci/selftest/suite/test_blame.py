"""What a run against a fault says: what broke is charged, nothing else, and one defect is told once."""

import pytest

from selftest.suite.runs import UNDER_CONDITIONS, Run, judging, run_suite_in

COPIES = "vdi_fixtures.broken.mbh.mapping_copies:Broken"
BLOCKS = 3
LINES = 60


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of what judges MBH-02 against a library that maps copies of the buffers, under some of the conditions."""
    some = (f"--check={UNDER_CONDITIONS}scripted-00{number}]" for number in range(1, 5))
    return run_suite_in(tmp_path_factory.mktemp("blame"), "--adapter", COPIES, *judging("MBH-02"), *some)


def test_only_what_is_broken_is_charged(copies: Run) -> None:
    charged = {requirement for check in copies.evidence.checks for requirement in check.broken}
    assert charged <= {"MBH-01", "MBH-02", "MBH-11", "MBH-27"}
    assert "MBH-02" in charged


def test_one_defect_takes_a_few_blocks_and_fits_on_a_screen(copies: Run) -> None:
    failures = copies.output.partition("\nFAILED")[2].partition("\nWARNING")[0]
    told = failures.partition(" against the server role of ")[0].rpartition("\n\n")[0]
    assert 1 <= 1 + told.count("\nFAILED") <= BLOCKS
    assert len(told.splitlines()) <= LINES
