"""Secondaries in processes of their own that are killed, or that crash: what the judge makes of that."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from selftest.applications.sites import JudgedSite
from vdi_fixtures.applications.application import PATIENCE, Application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDARY = """
import ctypes, os, signal, sys
from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.client import EmulatorDeviceSet
directory, name, how = sys.argv[1:]
joined = EmulatorDeviceSet(BrokerConnection(directory))
joined.open_in_secondary_ex(None, name)
device = joined.open_device(name).value
while True:
    command = device.get_command(20000).value
    if how == "killed":
        os.kill(os.getpid(), signal.SIGTERM)
    if command.code not in (1, 2) and command.buffer:
        ctypes.string_at(command.buffer, 1)
    code = 50 if command.code in (18, 999) else 0
    device.complete_command(command.address, code, command.size if command.code < 3 else 0, 0)
"""


class WithSecondary(Application):
    """A primary whose one secondary does not come to a good end; `notices` says whether it then aborts."""

    restores = False
    how = "killed"
    notices = True

    def serve_all(self, names: list[str]) -> None:
        """Wait for the end of the secondary."""
        self.primary.get_configuration(PATIENCE)
        directory = self.site.directory  # type: ignore[attr-defined]
        command = [sys.executable, "-c", SECONDARY, directory, names[0], self.how]
        assert subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
        if self.notices:
            self.primary.signal_abort()
            self.finish(self.primary)
        else:
            self.first.die()


class Ignoring(WithSecondary):
    """Does not notice the end of its secondary."""

    notices = False


class Crashing(WithSecondary):
    """Has a secondary that reads what the buffer of a command without data points to."""

    how = "crashed"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[JudgedSite]:
    """A broker in this process."""
    made = JudgedSite(tmp_path)
    yield made
    made.threads.shutdown()


@pytest.mark.long
@pytest.mark.parametrize(
    ("application", "breaks", "met"),
    [(WithSecondary, [], True), (Ignoring, ["SEC-13"], False), (Crashing, ["BUF-16"], True)],
)
def test_the_end_of_a_process_is_seen(
    site: JudgedSite, application: type[Application], breaks: list[str], met: bool
) -> None:
    judge = site.judged(application)
    assert sorted(judge.ledger.broken) == breaks
    assert bool(judge.ledger.met["SEC-13"]) == met
    ended = [check.ended for check in judge.evidence("it").checks if check.broken]
    assert all(ended)
