"""Fixtures of the tests that run the suite as a whole."""

from functools import partial
from pathlib import Path

import pytest

from selftest.suite.runs import Run, RunSuite, run_suite_in


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run the suite with these options; the working directory is empty."""
    return partial(run_suite_in, tmp_path)


@pytest.fixture(scope="session")
def emulator_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One whole run of the emulator, for all who only look at it: they are of one group of pytest-xdist."""
    return run_suite_in(tmp_path_factory.mktemp("emulator"), "--adapter", "emulator", "-n", "2")
