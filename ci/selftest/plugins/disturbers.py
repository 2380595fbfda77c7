"""Small pytest plugins that disturb a run, written where the run looks for them."""

from pathlib import Path

DISTURBERS = {
    "interrupts": """
import pytest

def pytest_runtest_call(item):
    if item.name.endswith("[restore-primary]"):
        pytest.exit("enough", 2)
""",
    "kills": """
import os

def pytest_runtest_call(item):
    if item.name.endswith("[restore-primary]"):
        os._exit(1)
""",
    "deceives": """
import pytest
from vdi_fixtures.hosts.hostile import NASTY

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    assert False, NASTY
""",
    "doubts": """
import pytest
from vdi_conformance.suite.judging import not_tested

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if item.name.endswith("[restore-primary]"):
        not_tested("it cannot be seen here")
    return (yield)
""",
    "watches": """
import sys

def pytest_unconfigure(config):
    print("seen:", sorted(name for name in sys.modules if name.startswith(("allure", "xml"))))
""",
}


def disturber(directory: Path, name: str) -> tuple[str, str]:
    """Write one, and give the options of pytest that load it."""
    (directory / f"{name}.py").write_text(DISTURBERS[name], encoding="utf-8")
    return "-p", name
