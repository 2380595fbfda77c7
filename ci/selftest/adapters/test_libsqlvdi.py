"""The adapter over libsqlvdi.so: what it says of a library that is of no use, and the abi of the stand-in."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from native import build
from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.adapters.libsqlvdi import Library, LibsqlvdiSet
from vdi_conformance.adapters.sqlserver import DIRECTORY_VARIABLE, LIBRARY_VARIABLE
from vdi_conformance.cli import main
from vdi_conformance.contract import OUT_UNTOUCHED, Unavailable
from vdi_conformance.emulator.accounts import E_ACCESSDENIED
from vdi_conformance.host.errors import ImplementationUnavailable
from vdi_conformance.host.messages import client
from vdi_conformance.host.messages.base import Config
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_NOTSUPPORTED,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    VD_E_UNEXPECTED,
)
from vdi_conformance.vdi.methods import LINUX_SYMBOLS
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.host.process import Host

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")

SET = "_ZN22ClientVirtualDeviceSet"
DEVICE = "_ZN19ClientVirtualDevice"
UNTOUCHED = OUT_UNTOUCHED & 0xFFFFFFFF
FOR_WEEKS = 0xFFFFFFFE
"""The longest time-out in milliseconds that has an end."""


@pytest.fixture(scope="session")
def stand_in() -> str:
    return str(build())


@pytest.fixture
def lone(stand_in: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibsqlvdiSet:
    """A client object where no machine runs."""
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    return LibsqlvdiSet(Library(stand_in))


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as made:
        yield made


@pytest.fixture
def host(supervisor: Supervisor, stand_in: str) -> Host:
    """A client process beside an emulated machine, with a client object."""
    _ = supervisor.launch(resolve("emulator"), "broker").initialized
    launched = supervisor.launch(resolve(f"sqlserver:{stand_in}"))
    launched.call(client.NewSet(set="set"))
    return launched


# Accounts

AS_NOBODY = """
import os
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
from vdi_conformance.adapters.libsqlvdi import LibsqlvdiSet
one = LibsqlvdiSet(library)
print(*map(hex, (one.open_in_secondary("set"), one.map_buffer_handle(1).code, one.close())))
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can take another account")
def test_an_account_that_may_not_read_the_directory_is_denied_and_has_no_set(stand_in: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    before = f"from vdi_conformance.adapters.libsqlvdi import Library\nlibrary = Library({stand_in!r})\n"
    ended = subprocess.run(
        [sys.executable, "-c", before + AS_NOBODY],
        env={**os.environ, DIRECTORY_VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == [hex(E_ACCESSDENIED), hex(VD_E_PROTOCOL), hex(VD_E_PROTOCOL)]
    assert f"may not read {tmp_path}" in ended.stderr


# References and libraries that are of no use


def test_a_library_that_is_not_there_is_named_before_anything_runs() -> None:
    with pytest.raises(UnknownAdapter, match=r"there is no library /no/such/libsqlvdi\.so; correct its path"):
        resolve("sqlserver:/no/such/libsqlvdi.so")


@pytest.mark.parametrize(
    ("library", "sentence"),
    [
        ("/no/such/libsqlvdi.so", "there is no library /no/such/libsqlvdi.so: install SQL Server, or name"),
        (__file__, f"the library {__file__} cannot be loaded"),
        (msgspec._core.__file__, f"has no symbol {SET}C1Ev, so it is no libsqlvdi.so"),
    ],
    ids=["missing", "no library", "another library"],
)
def test_a_library_that_is_of_no_use_is_one_sentence(
    library: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, library)
    assert main(["run", "--adapter", "sqlserver", "--check", "abi/nothing"]) == 4
    said = capfd.readouterr().err.strip()
    assert sentence in said
    assert "\n" not in said


@pytest.mark.parametrize("symbol", [*LINUX_SYMBOLS.values(), f"{SET}D1Ev"])
def test_a_symbol_that_is_missing_is_named(symbol: str, stand_in: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=rf"has no symbol {symbol}, so it is no"):
        Library(_without(symbol, stand_in, tmp_path))


def test_a_host_tells_of_a_missing_symbol_without_an_account_of_the_adapter(
    supervisor: Supervisor, stand_in: str, tmp_path: Path
) -> None:
    library = _without(f"{SET}5CloseEv", stand_in, tmp_path)
    launched = supervisor.launch(resolve(f"sqlserver:{library}"))
    with pytest.raises(ImplementationUnavailable, match=rf"^the library {library} has no symbol {SET}5CloseEv"):
        launched.call(client.NewSet(set="set"))


def _without(symbol: str, library: str, directory: Path) -> str:
    """Make a copy of a library in which a symbol has another name."""
    data = Path(library).read_bytes()
    name = symbol.encode() + b"\0"
    assert name in data
    copy = directory / "libsqlvdi.so"
    copy.write_bytes(data.replace(name, b"?" + name[1:]))
    return str(copy)


# The abi


def test_the_stand_in_exports_every_documented_symbol(stand_in: str) -> None:
    library = ctypes.CDLL(stand_in)
    structors = [f"{name}{kind}Ev" for name in (SET, DEVICE) for kind in ("C1", "C2", "D1", "D2")]
    documented = [*LINUX_SYMBOLS.values(), f"{SET}20RegisterDeviceClosedEv"]
    assert [symbol for symbol in (*documented, *structors) if not hasattr(library, symbol)] == []


@pytest.mark.parametrize("name", [SET, DEVICE])
def test_an_object_takes_eight_bytes(name: str, stand_in: str) -> None:
    library = ctypes.CDLL(stand_in)
    room = ctypes.create_string_buffer(b"\xa5" * 24, 24)
    this = ctypes.c_void_p(ctypes.addressof(room) + 8)
    library[f"{name}C1Ev"](this)
    assert room.raw[:8] == room.raw[16:] == b"\xa5" * 8
    assert room.raw[8:16] != b"\xa5" * 8
    library[f"{name}D1Ev"](this)
    assert room.raw[:8] == room.raw[16:] == b"\xa5" * 8


def test_without_a_broker_every_call_fails_and_says_why(
    lone: LibsqlvdiSet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert lone.create("name", VDConfig()) == VD_E_UNEXPECTED
    assert lone.get_configuration(0) == (VD_E_UNEXPECTED, VDConfig(*[UNTOUCHED] * 11))
    assert lone.open_device("name") == (VD_E_UNEXPECTED, None)
    assert lone.get_buffer_handle(4096) == (VD_E_UNEXPECTED, UNTOUCHED)
    assert lone.map_buffer_handle(1) == (VD_E_UNEXPECTED, OUT_UNTOUCHED)
    lone.release()
    assert set(capfd.readouterr().err.splitlines()) == {
        f"No emulated broker answers in {tmp_path}: start a process with the role of broker there first"
    }


def test_an_instance_cannot_be_asked_for(lone: LibsqlvdiSet) -> None:
    assert lone.create_ex("VDI1", "name", VDConfig()) == VD_E_NOTSUPPORTED
    assert lone.open_in_secondary_ex("VDI1", "name") == VD_E_PROTOCOL


@pytest.mark.parametrize(
    "name", [b"\xff", b"\xc3", b"\xc0\x80", b"\xe2\x82", b"\xe0\x80\x80", b"\xf5\x80\x80\x80", b"\xf4\x90\x80\x80"]
)
def test_bytes_that_are_no_text_are_no_name(name: bytes, stand_in: str) -> None:
    library = Library(stand_in)
    room = ctypes.create_string_buffer(8)
    library.construct(ctypes.addressof(room))
    assert library.set_methods["OpenInSecondary"](ctypes.addressof(room), name) & 0xFFFFFFFF == VD_E_INVALID


def test_infinite_is_a_negative_time_out_and_the_longest_other_one_is_not(host: Host) -> None:
    config = Config(1, *[0] * 10)
    assert host.call(client.CreateEx(set="set", instance=None, name="name", config=config)).code == NOERROR
    waits = [
        host.send(client.GetConfiguration(set="set", timeout=timeout, thread=f"{timeout}"))
        for timeout in (INFINITE, FOR_WEEKS)
    ]
    for _ in range(3):
        assert host.call(client.GetConfiguration(set="set", timeout=1)).code == VD_E_TIMEOUT
    assert not any(wait.settled for wait in waits)
    assert host.call(client.SignalAbort(set="set")).code == NOERROR
    assert [wait.result().code for wait in waits] == [VD_E_ABORT, VD_E_ABORT]
