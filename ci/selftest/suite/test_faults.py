"""The suite detects: each fault turns checks of the very rows red that it breaks, and nothing ends in error."""

import pkgutil
from importlib import import_module

import pytest

import vdi_fixtures.broken
from selftest.suite.runs import RunSuite

FAULTS = [module.name for module in pkgutil.iter_modules(vdi_fixtures.broken.__path__)]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_broken_row_goes_red(run_suite: RunSuite, fault: str) -> None:
    module = f"vdi_fixtures.broken.{fault}"
    topics = {row.partition("-")[0] for row in import_module(module).BREAKS}
    run = run_suite("--adapter", f"{module}:Broken", *(f"--topic={topic}" for topic in sorted(topics)))
    assert run.exit_code == 1, run.output
    for row in import_module(module).BREAKS:
        assert "failed" in {check.verdict for check in run.judging(row)}, f"{row} survived {fault}\n{run.output}"
    assert {check.verdict for check in run.evidence.checks} <= {"passed", "failed", "warning"}, run.output
