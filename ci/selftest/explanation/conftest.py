"""Fixtures of the tests that run the suite as a whole."""

from functools import partial
from pathlib import Path

import pytest

from selftest.suite.runs import RunSuite, run_suite_in


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run the suite with these options; the working directory is empty."""
    return partial(run_suite_in, tmp_path)
