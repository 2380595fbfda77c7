"""Machines in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from selftest.emulator.applications import Site
from vdi_conformance.emulator.peers import LIMITS, PeerLimits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKER = """
import sys
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.emulator.peers import PeerLimits
directory, descriptors, *limits = sys.argv[1:]
if int(descriptors):
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(descriptors), int(descriptors)))
Broker(directory, 7, PeerLimits(*map(float, limits))).start()
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def broker(directory: Path, limits: PeerLimits = LIMITS, descriptors: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker, which may have so many descriptors (0: as many as usual), and kill it in the end."""
    command = [sys.executable, "-c", BROKER, str(directory), str(descriptors), *map(str, limits)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().strip() == b"ready"
            yield process
        finally:
            process.kill()


@contextmanager
def site_in(directory: Path, limits: PeerLimits = LIMITS, descriptors: int = 0) -> Iterator[Site]:
    """Make a directory with a broker that runs."""
    with broker(directory, limits, descriptors):
        made = Site(directory)
        yield made
    made.threads.shutdown()


def on_loopback(tmp_path: Path) -> Path:
    """Make a directory whose broker listens on the loopback interface: no Unix socket has so long a path."""
    directory = tmp_path / ("long" * 25)
    directory.mkdir()
    return directory
