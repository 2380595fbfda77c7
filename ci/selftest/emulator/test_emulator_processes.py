"""What only shows between processes: addresses, records, deaths, the way to the broker."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from selftest.emulator.applications import DEFAULT, PATIENCE, Site, Tape, backup, peek, poke
from vdi_conformance.contract import OUT_UNTOUCHED, Environment, Outcome
from vdi_conformance.emulator.broker_protocol import connect, decode_request, encode_request, find
from vdi_conformance.emulator.segments import area_file, make_area
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_WRITE
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_MEMORY,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_64, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.contract import Command, ScriptedServer, VirtualDevice, VirtualDeviceSet

SIZE = 65536
UNTOUCHED = OUT_UNTOUCHED & 0xFFFFFFFF


class Exchange:
    """A set with one device, and its server."""

    def __init__(self, site: Site, name: str = "set", config: VDConfig = DEFAULT) -> None:
        self.site = site
        self.name = name
        self.server: ScriptedServer = site.emulator().scripted_server()
        self.primary: VirtualDeviceSet = site.emulator().virtual_device_set()
        assert self.primary.create_ex(None, name, config) == NOERROR
        assert self.server.open(None, name) == NOERROR
        assert self.server.begin_configuration(0x10000, 0, 512, SIZE, 0) == NOERROR
        assert self.server.request_buffers(SIZE, 0, 2) == NOERROR
        assert self.server.end_configuration() == NOERROR
        assert self.server.open_device(name) == NOERROR
        assert self.primary.get_configuration(PATIENCE).code == NOERROR
        opened = self.primary.open_device(name).value
        assert opened is not None
        self.device: VirtualDevice = opened

    def buffer(self, contents: bytes = b"") -> int:
        """Take a buffer of the server and fill it."""
        address = self.server.allocate_buffer(SIZE, 0).value
        assert address is not None
        poke(address, contents)
        return address

    def fetch(self) -> Command:
        """Fetch the next command."""
        fetched = self.device.get_command(PATIENCE)
        assert fetched.value is not None, hex(fetched.code)
        return fetched.value

    def write(self, contents: bytes = b"") -> Command:
        """Send a Write and fetch it."""
        assert self.server.send_command(self.name, VDC_WRITE, SIZE, 0, self.buffer(contents), 1) == NOERROR
        return self.fetch()

    def secondary(self) -> VirtualDeviceSet:
        """Attach a further process."""
        secondary = self.site.emulator().virtual_device_set()
        assert secondary.open_in_secondary_ex(None, self.name) == NOERROR
        return secondary


def test_a_handle_becomes_an_address_of_the_same_memory(site: Site) -> None:
    made = Exchange(site)
    command = made.write(b"from the server")
    handle = made.primary.get_buffer_handle(command.buffer).value
    assert handle is not None
    secondary = made.secondary()
    mapped = secondary.map_buffer_handle(handle).value
    assert mapped is not None
    assert mapped != command.buffer
    assert secondary.map_buffer_handle(handle) == Outcome(NOERROR, mapped)
    assert secondary.get_buffer_handle(mapped) == Outcome(NOERROR, handle)
    assert made.primary.map_buffer_handle(handle) == Outcome(NOERROR, command.buffer)
    assert peek(mapped, 15) == b"from the server"
    poke(mapped, b"from the second")
    assert peek(command.buffer, 15) == b"from the second"
    assert secondary.get_buffer_handle(command.buffer) == Outcome(VD_E_INVALID, UNTOUCHED)
    assert secondary.close() == NOERROR
    assert secondary.map_buffer_handle(handle).code == VD_E_PROTOCOL
    assert made.device.complete_command(command.address, 0, SIZE, 0) == NOERROR


def test_buffers_of_two_sets_of_one_process_are_kept_apart(site: Site) -> None:
    one, other = Exchange(site, "one"), Exchange(site, "other")
    first, second = one.write(b"1"), other.write(b"2")
    assert one.primary.get_buffer_handle(second.buffer).code == VD_E_INVALID
    assert other.primary.get_buffer_handle(second.buffer).code == NOERROR
    assert one.device.complete_command(second.address, 0, 0, 0) == VD_E_INVALID
    assert one.device.complete_command(first.address, 0, 0, 0) == NOERROR


@pytest.mark.parametrize("config", [VDConfig(), VDConfig(prefix_zone_size=24), VDConfig(1, 0, 512, 65536)])
def test_data_start_aligned_in_every_process(site: Site, config: VDConfig) -> None:
    made = Exchange(site, config=config)
    alignment = max(config.alignment, 512)
    command = made.write()
    handle = made.primary.get_buffer_handle(command.buffer).value
    assert handle is not None
    mapped = made.secondary().map_buffer_handle(handle).value
    assert mapped is not None
    assert command.buffer % alignment == mapped % alignment == 0
    zone = config.prefix_zone_size
    poke(mapped - zone, b"z" * zone)
    assert peek(command.buffer - zone, zone) == b"z" * zone


def test_an_area_that_appears_later_is_mapped_when_it_is_needed(site: Site) -> None:
    made = Exchange(site)
    secondary = made.secondary()
    made.buffer()
    made.buffer()
    assert made.server.allocate_buffer(SIZE, 0).code == VD_E_MEMORY
    assert made.server.query_available_buffers(SIZE, 0) == Outcome(NOERROR, 0)
    assert made.server.request_buffers(SIZE, 0, 1) == NOERROR
    assert made.server.query_available_buffers(SIZE, 0) == Outcome(NOERROR, 1)
    command = made.write(b"late")
    handle = made.primary.get_buffer_handle(command.buffer).value
    assert handle is not None
    mapped = secondary.map_buffer_handle(handle).value
    assert mapped is not None
    assert peek(mapped, 4) == b"late"


def test_a_record_lies_in_memory_and_its_address_is_not_used_again(site: Site) -> None:
    made = Exchange(site)
    seen = set()
    for number in range(4000):
        assert made.server.send_command("set", VDC_FLUSH, number, 1 << 63, 0xABCDEF, number) == NOERROR
        command = made.fetch()
        assert VDC_COMMAND_64.unpack(peek(command.address, 24)) == (VDC_FLUSH, number, -(1 << 63), 0xABCDEF)
        assert made.device.complete_command(command.address, 0, 0, 0) == NOERROR
        seen.add(command.address)
    assert len(seen) == 4000
    assert made.device.complete_command(min(seen), 0, 0, 0) == VD_E_INVALID


def test_out_values_stay_untouched_on_failure(site: Site) -> None:
    client = site.emulator().virtual_device_set()
    assert client.get_buffer_handle(0) == Outcome(VD_E_PROTOCOL, UNTOUCHED)
    assert client.map_buffer_handle(0) == Outcome(VD_E_PROTOCOL, OUT_UNTOUCHED)
    assert client.get_configuration(0) == Outcome(VD_E_PROTOCOL, VDConfig(*[UNTOUCHED] * 11))
    assert client.open_device("set") == Outcome(VD_E_PROTOCOL, None)
    assert client.get_configuration(0, null_out=True) == Outcome(VD_E_PROTOCOL, None)


def test_a_released_object_is_not_open_and_its_devices_are_stale(site: Site) -> None:
    made = Exchange(site)
    made.primary.release()
    assert made.server.next_completion(PATIENCE) is None
    assert made.primary.create_ex(None, "again", VDConfig()) == VD_E_PROTOCOL
    assert made.primary.signal_abort() == VD_E_PROTOCOL
    assert made.device.get_command(INFINITE).code == VD_E_PROTOCOL
    made.device.release()


def test_a_device_of_an_earlier_set_is_not_one_of_the_next(site: Site) -> None:
    made = Exchange(site)
    made.primary.close()
    assert made.primary.create_ex(None, "set", VDConfig()) == NOERROR
    assert made.device.get_command(INFINITE).code == VD_E_PROTOCOL


def test_create_takes_its_instance_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_VIRTUAL_SERVER_NAME_", "SQL2")
    primary, secondary = site.emulator().virtual_device_set(), site.emulator().virtual_device_set()
    assert primary.create("set", VDConfig()) == NOERROR
    assert secondary.open_in_secondary("set") == VD_E_PROTOCOL
    assert site.emulator().scripted_server().open(None, "set") == VD_E_INVALID
    execution = site.start(backup()._replace(instance="SQL2"))
    assert primary.get_configuration(PATIENCE).code == NOERROR
    assert secondary.open_in_secondary("set") == NOERROR
    device = primary.open_device("set").value
    assert device is not None
    Tape().serve(device)
    assert execution.result(PATIENCE / 1000).succeeded


def files_of(site: Site) -> set[str]:
    """List the files of the broker's directory."""
    return {path.name for path in Path(site.environment.directory).iterdir()}


def test_shared_memory_is_given_back(site: Site) -> None:
    made = Exchange(site)
    made.write()
    files = files_of(site)
    made.primary.close()
    made.server.close()
    made.primary.close()
    left = files_of(site)
    assert files - left == {name for name in files if name.startswith("area-")} != set()


DYING = """
import os, sys
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Environment
from vdi_conformance.vdi.structures import VDConfig
emulator = Emulator(Environment(sys.argv[1]))
role = sys.argv[2]
if role == "server":
    server = emulator.scripted_server()
    assert server.open(None, "set") == 0
else:
    client = emulator.virtual_device_set()
    assert client.create_ex(None, "set", VDConfig()) == 0
print("ready", flush=True)
sys.stdin.read()
os._exit(3)
"""


def start(site: Site, role: str) -> subprocess.Popen[bytes]:
    """Start a process that takes a role and then waits for its death."""
    command = [sys.executable, "-c", DYING, site.environment.directory, role]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    return process


@pytest.mark.parametrize("way", ["kill", "exit"])
def test_the_death_of_a_server_process_ends_every_wait(site: Site, way: str) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig()) == NOERROR
    with start(site, "server") as process:
        waiting = site.threads.submit(primary.get_configuration, INFINITE)
        assert primary.get_configuration(0).code == VD_E_TIMEOUT
        process.kill() if way == "kill" else process.communicate()
        assert waiting.result(PATIENCE / 1000).code == VD_E_ABORT


def test_the_death_of_a_primary_process_aborts_the_set_and_frees_its_name(site: Site) -> None:
    with start(site, "primary") as process:
        server = site.emulator().scripted_server()
        assert server.open(None, "set") == NOERROR
        process.kill()
        assert server.next_completion(PATIENCE) is None
    assert server.get_configuration().code == VD_E_ABORT
    assert site.emulator().virtual_device_set().create_ex(None, "set", VDConfig()) == NOERROR


def test_a_blocked_call_does_not_stop_other_threads(site: Site) -> None:
    made = Exchange(site)
    command = made.write()
    blocked = [site.threads.submit(made.device.get_command, INFINITE) for _ in range(4)]
    handle = made.primary.get_buffer_handle(command.buffer)
    assert handle.code == NOERROR
    ended = threading.Thread(target=made.primary.signal_abort)
    ended.start()
    assert {future.result(PATIENCE / 1000).code for future in blocked} == {VD_E_ABORT}
    ended.join()


@pytest.mark.parametrize("fields", [(), (0, -1, 1 << 64), (None, "", "a b\n", "\u00e9\U0001f600\ud800")])
def test_what_goes_over_the_wire_comes_out_as_it_was(fields: tuple[int | str | None, ...]) -> None:
    assert decode_request(encode_request("name", fields).removesuffix(b"\n")) == ("name", list(fields))


@pytest.mark.parametrize("line", [b"nonsense", b"close", b"fly 1", b"create 1 2", b"lifeline xff x x", b"\xff"])
def test_who_does_not_speak_the_protocol_is_dropped_alone(site: Site, line: bytes) -> None:
    made = Exchange(site)
    for introduction in (b"", b"lifeline x\n"):
        stranger = connect(find(site.environment.directory))
        with stranger:
            stranger.settimeout(PATIENCE / 1000)
            stranger.sendall(introduction + line + b"\n")
            while stranger.recv(100):
                pass
    assert made.primary.get_configuration(0).code == NOERROR


def test_memory_that_cannot_be_had_leaves_no_file(tmp_path: Path) -> None:
    assert not make_area(str(tmp_path), 1, 1 << 60)
    assert not area_file(str(tmp_path), 1).exists()


def test_where_the_path_is_too_long_for_a_unix_socket_the_loopback_serves(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 25)
    directory.mkdir()
    site = Site(directory)
    site.emulator().start_broker()
    assert not (directory / "broker.socket").exists()
    assert site.back_up(backup())
    site.threads.shutdown()


def test_without_a_broker_the_reason_is_said(tmp_path: Path) -> None:
    emulator = Site(tmp_path).emulator()
    assert emulator.environment == Environment(str(tmp_path), seed=7)
    with pytest.raises(ConnectionError, match="role of broker"):
        emulator.virtual_device_set()
