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
from vdi_conformance.harness.judging import not_tested

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    if item.name.endswith("[restore-primary]"):
        not_tested("it cannot be seen here")
    return (yield)
""",
    "kills_afterwards": """
import os
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    result = yield
    if item.name.endswith("[restore-primary]") and hasattr(item.config, "workerinput"):
        os._exit(1)
    return result
""",
    "kills_the_fork_server": """
import os, signal
from pathlib import Path

def pytest_runtest_call(item):
    if item.name.endswith("[restore-primary]"):
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGKILL)
""",
    "starves_the_fork_server": """
import os, resource
from pathlib import Path

def pytest_runtest_setup(item):
    if item.name.endswith("[restore-primary]"):
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                most = len(os.listdir(f"/proc/{pid}/fd"))
                resource.prlimit(int(pid), resource.RLIMIT_NOFILE, (most, most))
""",
    "starves": """
import os, resource

def pytest_runtest_setup(item):
    if item.name.endswith("[restore-primary]"):
        most = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
""",
    "fills_the_disk": """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    import resource
    if report.when == "teardown":
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
""",
    "repeats": """
import pytest
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    runtestprotocol(item, nextitem=item)
    item._initrequest()
""",
    "drops": """
def pytest_collection_modifyitems(items):
    del items[3:]
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
