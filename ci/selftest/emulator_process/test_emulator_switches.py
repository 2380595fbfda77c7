"""The switches for the developer of a client: what a client and its T-SQL see of them."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

import native
from selftest.emulator.applications import PATIENCE, Tape
from selftest.emulator_process.starting import ran
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Environment
from vdi_conformance.emulator.accounts import Account, in_group
from vdi_conformance.sqlserver.process.connections import USER
from vdi_conformance.sqlserver.process.process import EmulatedServer, Wanted
from vdi_conformance.sqlserver.process.switches import Switches
from vdi_conformance.sqlserver.process.wiring import DatabaseWish
from vdi_conformance.tds.answers import FATAL, Login, Message
from vdi_conformance.vdi.completion import ERROR_DISK_FULL
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vdi_conformance.tds.answers import Answer

PASSWORD = "of the test"  # noqa: S105
BACKUP = "BACKUP DATABASE sales TO VIRTUAL_DEVICE = 'set'"


class Seen(NamedTuple):
    """What came of a BACKUP: its messages, the commands of the client, and what ended its device."""

    messages: list[Message]
    commands: int
    end: int

    @property
    def numbers(self) -> list[int]:
        """The numbers of the errors."""
        return [message.number for message in self.messages if message.is_error]


@contextmanager
def server(directory: Path, switches: Switches, instance: str | None = None) -> Iterator[EmulatedServer]:
    """Start a server in this process."""
    databases = (DatabaseWish("sales", 400_000),)
    wanted = Wanted(
        directory, address=None, databases=databases, password=PASSWORD, instance=instance, switches=switches
    )
    with EmulatedServer(wanted) as started:
        yield started


def asked(server: EmulatedServer, text: str) -> list[Answer]:
    """Run a batch in a session of its own."""
    session = server.service.log_in(Login(USER, PASSWORD))
    try:
        return list(session.batch(text))
    finally:
        session.close()


def backed_up(server: EmulatedServer, directory: Path, instance: str | None = None) -> Seen:
    """Be the client of a BACKUP."""
    client = Emulator(Environment(str(directory))).virtual_device_set()
    assert client.create_ex(instance, "set", VDConfig(device_count=1)) == NOERROR
    tape = Tape()
    with ThreadPoolExecutor(1) as threads:
        statement = threads.submit(asked, server, BACKUP)
        assert client.get_configuration(PATIENCE).code == NOERROR
        device = client.open_device("set").value
        assert device is not None
        end = tape.serve(device)
        client.close()
        answers = statement.result(PATIENCE / 1000)
    return Seen([one for one in answers if isinstance(one, Message)], len(tape.commands), end)


def test_an_abort_in_mid_stream_ends_client_and_statement(tmp_path: Path) -> None:
    with server(tmp_path, Switches(abort_after=3)) as started:
        seen = backed_up(started, tmp_path)
        assert (seen.end == VD_E_CLOSE, seen.numbers[-1]) == (False, 3013)
        assert seen.commands <= 3
        assert (started.account.sets, started.account.commands, started.account.failed) == (1, 3, 1)


def test_a_server_that_dies_takes_its_session_along_and_nothing_else(tmp_path: Path) -> None:
    with server(tmp_path, Switches(die_after=3)) as started:
        for _ in range(2):
            seen = backed_up(started, tmp_path)
            assert (seen.end == VD_E_CLOSE, seen.commands <= 3) == (False, True)
            assert (seen.numbers, seen.messages[-1].severity >= FATAL) == ([596], True)
        assert asked(started, "PRINT 'still there'")[0] == Message(0, "still there")


def test_a_completion_counts_as_a_failure(tmp_path: Path) -> None:
    with server(tmp_path, Switches(failing={4: ERROR_DISK_FULL})) as started:
        seen = backed_up(started, tmp_path)
        assert seen.end == VD_E_CLOSE
        assert seen.numbers[-1] == 3013
        assert any(str(ERROR_DISK_FULL) in message.text for message in seen.messages)


def test_a_slow_server_waits_before_each_command(tmp_path: Path) -> None:
    with server(tmp_path, Switches(slow=10)) as started:
        before = time.monotonic()
        seen = backed_up(started, tmp_path)
        assert time.monotonic() - before >= seen.commands * 0.01
        assert seen.numbers == []


def test_a_named_instance_opens_the_sets_of_its_name(tmp_path: Path) -> None:
    with server(tmp_path, Switches(), "second") as started:
        assert started.service.server_name.lower().endswith("\\second")
        assert backed_up(started, tmp_path, "second").numbers == []
        assert {message.number for message in asked(started, BACKUP) if isinstance(message, Message)} >= {3013}


def test_the_error_log_is_written_where_that_is_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "errorlog"
    with EmulatedServer(Wanted(tmp_path / "server", address=None, password=PASSWORD, log=log)) as started:
        asked(started, BACKUP)
    assert "is ready for connections" in log.read_text("utf-8", "replace")


@pytest.mark.skipif(sys.platform == "win32", reason="groups of POSIX")
def test_a_group_reaches_what_it_is_to_share(tmp_path: Path) -> None:
    group = os.getgroups()[-1] if os.getgroups() else os.getegid()
    directory = tmp_path / "shared"
    with EmulatedServer(Wanted(directory, address=None, group=group)):
        modes = {path.name: path.stat() for path in (directory, *directory.iterdir())}
        for name, mode in (
            *(("shared", 0o2770), ("broker.socket", 0o660), ("sqlcmd.socket", 0o660)),
            *(("broker.endpoint", 0o640), ("sqlcmd.endpoint", 0o640)),
        ):
            assert (modes[name].st_mode & 0o7777, modes[name].st_gid) == (mode, group), name
    member, stranger = Account(5, 6, frozenset({7})), Account(5, 6)
    assert in_group(member, 7) == Account(5, 7, frozenset({7}))
    assert (in_group(stranger, 7), in_group(member, None)) == (stranger, member)


CLIENT = """
import os, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from selftest.emulator.applications import PATIENCE, Tape
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.adapters.libsqlvdi import Library, LibsqlvdiSet
from vdi_conformance.contract import Environment
from vdi_conformance.vdi.hresult import VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

library = LibsqlvdiSet(Library(sys.argv[1]))
assert library.create("waits", VDConfig(device_count=1)) == 0
before = time.monotonic()
assert library.get_configuration(1).code == VD_E_TIMEOUT
assert time.monotonic() - before >= 1
library.close()

def moved(words, stream):
    client = Emulator(Environment(os.environ["VDI_EMULATOR_DIRECTORY"])).virtual_device_set()
    assert client.create_ex(None, "set", VDConfig(device_count=1)) == 0
    command = ["sqlcmd", "-b", "-Q", words + " VIRTUAL_DEVICE = 'set'"]
    statement = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    assert client.get_configuration(PATIENCE).code == 0
    tape = Tape(stream)
    tape.serve(client.open_device("set").value)
    client.close()
    assert statement.wait() == 0
    return tape

stream = moved("BACKUP DATABASE sales TO", b"").stream
print(moved("RESTORE DATABASE sales FROM", stream).commands[-1].code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")
def test_a_reading_and_time_outs_in_seconds_are_those_of_every_client() -> None:
    arguments = ("--reading", "a_restore_ends_with_a_flush", "--seconds", "--database", "sales=400K")
    done = ran(*arguments, "--tds", "none", "--", sys.executable, "-c", CLIENT, str(native.build()))
    assert (done.returncode, done.stdout.split()) == (0, ["12"]), done.stderr
