"""Who may use the files and sockets that runs and emulators make, whatever the mask of the process."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from selftest.emulator.applications import backup
from selftest.emulator.brokers import site_in
from vdi_conformance.adapters import resolve
from vdi_conformance.cli.emulator import ANYWHERE
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.emulator.broker_protocol import ENDPOINT
from vdi_conformance.emulator.directory import SOCKET
from vdi_conformance.emulator.listening import listening
from vdi_conformance.emulator.segments import area_file, make_area
from vdi_conformance.host.supervisor import Start, Supervisor
from vdi_conformance.sqlserver.process.process import EmulatedServer, Wanted

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files: rights are the directory's")


@pytest.fixture
def open_mask() -> Iterator[None]:
    """Let this process give every right to everybody, unless it says otherwise."""
    if sys.platform == "win32":
        yield
    else:
        before = os.umask(0)
        yield
        os.umask(before)


def owner() -> int:
    """Give the user of this process."""
    if sys.platform == "win32":
        return 0
    else:  # noqa: RET505 - type checkers pass over this branch on Windows
        return os.geteuid()


def mode(path: Path) -> int:
    """Give the rights of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


@posix
@pytest.mark.usefixtures("open_mask")
@pytest.mark.parametrize("start", ["forkserver", "spawn"])
def test_the_directory_of_a_run_is_its_accounts_alone(start: Start) -> None:
    if start == "forkserver" and sys.platform != "linux":
        pytest.skip("processes are forked on Linux alone")
    with Supervisor(start) as supervisor:
        _ = supervisor.launch(resolve("emulator"), "broker", "broker").initialized
        directory = Path(supervisor.directory)
        assert mode(directory) == 0o700
        assert directory.lstat().st_uid == owner()
        assert (directory / ENDPOINT).is_file()


def test_started_by_themselves_processes_have_a_directory_among_the_accounts_temporary_ones() -> None:
    with Supervisor("spawn") as one, Supervisor("spawn") as other:
        assert Path(one.directory).parent == Path(other.directory).parent == Path(tempfile.gettempdir())
        assert one.directory != other.directory


@posix
@pytest.mark.usefixtures("open_mask")
@pytest.mark.parametrize(("user", "socket_mode", "endpoint_mode"), [(1000, 0o600, 0o600), (0, 0o666, 0o644)])
def test_a_broker_is_reached_by_its_owner_alone_unless_that_is_root(
    user: int, socket_mode: int, endpoint_mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    broker = Broker(str(tmp_path), 7)
    broker.start()
    try:
        assert mode(tmp_path / SOCKET) == socket_mode
        assert mode(tmp_path / ENDPOINT) == endpoint_mode
    finally:
        broker.leave()


@posix
@pytest.mark.usefixtures("open_mask")
def test_the_memory_of_a_set_is_files_of_its_owner_and_the_group(tmp_path: Path) -> None:
    with site_in(tmp_path) as site:
        primary, execution = site.configured(backup("one"))
        areas = list(tmp_path.glob("area-*"))
        assert areas
        assert {mode(area) for area in areas} == {0o660}
        assert {area.lstat().st_uid for area in areas} == {owner()}
        primary.signal_abort()
        execution.result(20)
        primary.close()


@posix
@pytest.mark.usefixtures("open_mask")
def test_an_area_is_its_makers_until_it_is_given(tmp_path: Path) -> None:
    assert make_area(str(tmp_path), 1, 4096)
    assert mode(area_file(str(tmp_path), 1)) == 0o600


def test_at_a_port_a_broker_is_on_the_loopback_interface_and_asks_for_a_secret_of_128_bits(tmp_path: Path) -> None:
    listener, port, secret = listening(str(tmp_path / "socket"), on_port=True)
    with closing(listener):
        assert listener.getsockname() == ("127.0.0.1", port)
        assert len(bytes.fromhex(secret)) == 16
    again, _, other = listening(str(tmp_path / "socket"), on_port=True)
    again.close()
    assert other != secret


@posix
@pytest.mark.usefixtures("open_mask")
def test_an_emulator_is_on_the_loopback_interface_in_a_directory_of_its_owners(tmp_path: Path) -> None:
    assert ANYWHERE == "127.0.0.1:0"
    assert Wanted().address == ("127.0.0.1", 0)
    for named in (None, tmp_path / "named"):
        with EmulatedServer(Wanted(directory=named, address=None)) as server:
            directory = server.connections.directory
            assert mode(directory) == 0o700
            for name in ("sqlcmd.socket", "sqlcmd.endpoint"):
                assert mode(directory / name) == 0o600


def test_an_adapter_has_the_rights_of_who_runs_the_suite(tmp_path: Path) -> None:
    written = tmp_path / "written"
    adapter = tmp_path / "mine.py"
    adapter.write_text(
        f"from vdi_conformance.adapters.emulator import Emulator as Mine\nopen({str(written)!r}, 'x').close()\n",
        encoding="utf-8",
    )
    with Supervisor() as supervisor:
        _ = supervisor.launch(resolve(f"{adapter}:Mine")).initialized
    assert written.lstat().st_uid == tmp_path.lstat().st_uid
