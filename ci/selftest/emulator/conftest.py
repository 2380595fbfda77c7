"""A machine in a process of its own, for the tests that need real shared memory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from selftest.emulator.applications import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = """
import sys
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Environment
Emulator(Environment(sys.argv[1], seed=7)).start_machine()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A machine that runs."""
    command = [sys.executable, "-c", MACHINE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as machine:
        assert machine.stdout is not None
        assert machine.stdout.readline().strip() == b"ready"
        made = Site(tmp_path)
        yield made
        machine.kill()
    made.threads.shutdown()
