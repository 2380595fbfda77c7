"""Hosts made from the skeletons: the one in Node.js, and in the full gate those in all other languages.

`ci/hosts/run.py` takes each of them through a whole profile.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from environment import ROOT, alone
from hosts.run import BUILD, made_host
from hosts.toolchains import languages
from native import build
from vdi_conformance.adapters import resolve
from vdi_conformance.cli.skeletons import languages as skeletons
from vdi_conformance.host.child.memory import expand
from vdi_conformance.host.errors import ImplementationUnavailable, InvalidParams, MemoryFault, MethodNotFound
from vdi_conformance.host.messages import client, concurrent_calls, memory, native, server
from vdi_conformance.host.messages.base import AskFiles, Config
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_NOTSUPPORTED, VD_E_PROTOCOL
from vdi_conformance.vdi.methods import LINUX_SYMBOLS
from vdi_conformance.vdi.structures import INFINITE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.host.process import Host

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")

EVERYDAY = "node"
SIZE = (1 << 20) + 12345
CONFIG = Config(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
CHECKS = (
    "GBH/the_handle_of_one_process_names_its_buffer_in_another[backup-secondary]",
    "MBH/processes_see_one_memory_at_their_own_addresses[restore-primary]",
    "SEC/the_death_of_the_primary_ends_everything[backup-one secondary]",
    "THR/a_close_ends_the_wait_of_another_thread[backup-primary]",
)


def test_every_skeleton_but_that_in_python_is_built_and_tried() -> None:
    assert {*languages(), "python"} == {*skeletons()}


@pytest.fixture(
    scope="module",
    params=[one if one == EVERYDAY else pytest.param(one, marks=pytest.mark.long) for one in languages()],
)
def manifest(request: pytest.FixtureRequest) -> Path:
    """A host for the stand-in, in each language."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        made = made_host(Path(sys.executable), languages()[request.param], build())
    return made or pytest.skip(f"not applicable: the skeleton in {request.param} cannot be built here")


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as made:
        _ = made.launch(resolve("emulator"), "broker").initialized
        yield made


@pytest.fixture
def host(supervisor: Supervisor, manifest: Path) -> Iterator[Host]:
    """A client process with a client object."""
    launched = supervisor.launch(resolve(str(manifest)))
    launched.call(client.NewSet(set="set"))
    yield launched
    launched.finish()


def test_what_it_reads_and_writes_is_the_memory_of_its_process(host: Host, tmp_path: Path) -> None:
    address = host.call(memory.AllocateMemory(size=2 * SIZE)).address
    at = int(address, 16) + SIZE
    for seed in (7, (1 << 63) - 1):
        host.call(memory.FillMemory(address=hex(at), size=SIZE, seed=seed))
        expected = hashlib.sha256(expand(seed, SIZE)).hexdigest()
        assert host.call(memory.DigestMemory(address=hex(at), size=SIZE)).sha256 == expected
    path = tmp_path / "saved"
    saved = host.call(memory.SaveMemory(address=hex(at), size=SIZE, path=str(path), offset=3))
    assert saved.sha256 == hashlib.sha256(path.read_bytes()[3:]).hexdigest() == expected
    loaded = host.call(memory.LoadMemory(address=address, size=SIZE, path=str(path), offset=3))
    assert loaded.sha256 == expected == host.call(memory.DigestMemory(address=address, size=SIZE)).sha256
    with pytest.raises(InvalidParams, match="ends before"):
        host.call(memory.LoadMemory(address=address, size=SIZE + 1, path=str(path), offset=3))
    host.call(memory.WriteMemory(address=address, data="00ff80"))
    assert host.call(memory.ReadMemory(address=address, size=4)).data == "00ff80" + expand(seed, 4)[3:].hex()


def test_memory_that_may_not_be_touched_is_an_error_and_no_end(host: Host) -> None:
    outside = host.call(memory.FindOutsideAddresses())
    reserved = host.call(memory.ReserveMemory(size=1 << 20)).address
    for address in (outside.unmapped, reserved, "0x0", "0xffffffffffffffff", "0x8000000000000000"):
        with pytest.raises(MemoryFault):
            host.call(memory.ReadMemory(address=address, size=16))
        with pytest.raises(MemoryFault):
            host.call(memory.FillMemory(address=address, size=16, seed=1))
    for address in (outside.stack, outside.heap, outside.data):
        assert len(host.call(memory.ReadMemory(address=address, size=16)).data) == 32


def test_a_call_that_waits_holds_up_no_other_label(host: Host) -> None:
    assert host.call(client.Create(set="set", name="waiting", config=CONFIG, thread="a")).code == NOERROR
    waiting = host.send(client.GetConfiguration(set="set", timeout=INFINITE, thread="b"))
    assert host.call(client.SignalAbort(set="set", thread="a")).code == NOERROR
    assert waiting.result().code == VD_E_ABORT


def test_out_values_that_were_not_touched_and_null_pointers_are_told(host: Host) -> None:
    assert host.call(client.GetBufferHandle(set="set", address="0x1000")).handle == 0xCCCCCCCC
    assert host.call(client.MapBufferHandle(set="set", handle=0xFFFFFFFF)).address == "0xcccccccccccccccc"
    assert host.call(client.GetConfiguration(set="set", timeout=0)).config == Config(*[0xCCCCCCCC] * 11)
    untold = host.call(client.GetBufferHandle(set="set", address="0x0", null_out=True))
    assert (untold.code, untold.handle) in ((VD_E_INVALID, None), (VD_E_PROTOCOL, None))
    assert host.call(client.CreateEx(set="set", instance="I", name="x", config=CONFIG)).code == VD_E_NOTSUPPORTED


def test_calls_are_let_go_together_and_threads_end(host: Host) -> None:
    with host.concurrently():
        together = [
            host.send(client.GetBufferHandle(set="set", address="0x1000", thread=f"t{number}")) for number in range(3)
        ]
    assert [one.result().code for one in together] == [VD_E_PROTOCOL] * 3
    before = _threads(host)
    host.call(concurrent_calls.EndThread(label="t0"))
    assert _threads(host) < before
    host.call(concurrent_calls.EndThread(label="never used"))
    assert host.call(client.GetBufferHandle(set="set", address="0x1000", thread="t0")).code == VD_E_PROTOCOL


def _threads(host: Host) -> int:
    return len([*Path(f"/proc/{host.initialized.process.pid}/task").iterdir()])


def test_functions_of_the_library_are_found_and_called(host: Host) -> None:
    assert host.call(native.FindSymbol(name="no_such_thing")).address is None
    close = host.call(native.FindSymbol(name=LINUX_SYMBOLS["Close"])).address
    assert close is not None
    room = host.call(memory.AllocateMemory(size=64)).address
    made = host.call(native.FindSymbol(name="_ZN22ClientVirtualDeviceSetC1Ev")).address
    assert made is not None
    this = [native.PassedArgument(room, 8)]
    host.call(native.CallFunction(function=made, arguments=this))
    assert host.call(native.CallFunction(function=close, arguments=this)).code == VD_E_PROTOCOL


def test_it_names_its_library_among_its_files(host: Host) -> None:
    assert str(build()) in host.call(AskFiles()).files


def test_what_it_does_not_have_is_refused(host: Host) -> None:
    with pytest.raises(MethodNotFound):
        host.call(server.ServerOpen(server="v", instance=None, name="x"))
    with pytest.raises(InvalidParams, match="nobody"):
        host.call(client.Close(set="nobody"))


def test_a_library_that_is_not_there_is_a_sentence(supervisor: Supervisor, manifest: Path) -> None:
    if build().name not in manifest.read_text(encoding="utf-8"):
        pytest.skip("its program is linked to the library, without which the system does not start it")
    host = supervisor.launch(resolve(str(manifest.with_name("manifest.toml"))))
    with pytest.raises(ImplementationUnavailable, match=r"libsqlvdi\.so cannot be loaded .* correct it"):
        _ = host.initialized


def test_checks_through_it_come_to_what_they_come_to_through_python(manifest: Path) -> None:
    chosen = [word for check in CHECKS for word in ("--check", check)]
    command = [sys.executable, "ci/hosts/run.py", "--lang", manifest.parent.name, *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CHECKS)} checks, differences: 0" in done.stdout
