"""The emulator's broker: calls as its state takes them, and connections as its sockets do."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from fuzzing.mutation import bytewise, linewise
from fuzzing.target import Broken, Target, alone, refusing
from selftest.emulator.worlds import Session as Configured
from selftest.emulator.worlds import World
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.emulator.broker_connection import BrokerConnection
from vdi_conformance.emulator.broker_protocol import ENDPOINT, connect, encode_request, find
from vdi_conformance.emulator.peers import request_of
from vdi_conformance.emulator.signatures import SIGNATURES, Malformed
from vdi_conformance.tds.browser import KnownInstance
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fuzzing.target import Read

_PATIENCE: Final = 30.0
_ANOTHER: Final = "bystander"
_EACH: Final = 500
"""So many inputs lie between two looks at whether others are undisturbed."""
_FAILED: Final = b"the broker failed to make it".hex().encode()
_CONFIG: Final = VDConfig().pack().hex()
_VALUES: Final[tuple[Any, ...]] = (0, 1, 2, 512, 65536, 0xFFFFFFFF, 1 << 40, None, "set", "", "a\\b", "\ud800", _CONFIG)


def _recorded() -> bytes:
    """Give the calls of a BACKUP that moves one buffer, each after the digit of its process."""
    lines: list[bytes] = []

    class Recording(World):
        def call(self, process: int, name: str, *fields: Any) -> Any:
            lines.append(b"%d" % process + encode_request(name, fields))
            return super().call(process, name, *fields)

    world = Recording()
    primary, server = world.client(1), world.server(2)
    secondary = world.client(3)
    primary.create()
    secondary.attach()
    server.open()
    waiting = primary.configuration(0xFFFFFFFF)
    server.configure()
    assert waiting.code == NOERROR
    (device,) = primary.open().out
    place = server.buffer()
    server.write(place=place)
    command, *_ = primary.get(device, 1000).out
    (handle,) = primary.call("get_buffer_handle", *place, False).out
    secondary.call("map_buffer_handle", handle, False)
    primary.complete(device, command, 0, 65536)
    server.completions()
    server.close_device()
    secondary.close()
    primary.close()
    server.close()
    return b"".join(lines)


def _of_every_kind() -> Sequence[bytes]:
    """Give calls whose arguments are what they must be, whatever sense they make."""
    found = []
    for turn in range(6):
        lines = []
        for name, kinds in SIGNATURES.items():
            fitting = [[value for value in _VALUES if kind(value)] for kind in kinds]
            chosen = [values[turn % len(values)] for values in fitting]
            lines.append(b"%d" % (1 + turn % 3) + encode_request(name, [turn % 4, *chosen]))
        found += [b"".join(lines[start : start + 8]) for start in range(0, len(lines), 8)]
    return found


def _dialogues() -> Sequence[bytes]:
    return [_recorded(), *_of_every_kind()]


def _bystander() -> Configured:
    """Make a set at work that no input knows the name of."""
    world = World()
    primary, server = world.client(1), world.server(9)
    primary.create(_ANOTHER)
    server.open(_ANOTHER)
    primary.configuration(0xFFFFFFFF)
    server.configure(devices=(_ANOTHER,))
    return Configured(world, primary, server, {"set": primary.open(_ANOTHER).out[0]})


def _make_calls(data: bytes) -> bool:
    """Make calls of three processes, of which the last one dies; a set of others goes on as if nothing had been."""
    bystander = _bystander()
    answered = [_made(bystander, line) for line in data.split(b"\n") if line]
    bystander.world.die(3)
    _need_undisturbed(bystander)
    return all(answered)


def _made(bystander: Configured, line: bytes) -> bool:
    """Make the call of a line, whose first byte tells the process; those of the others have the numbers 1 and 9."""
    world = bystander.world
    process = 2 + line[0] % 3
    if line[:1] == b"~":
        world.wait(len(line))
        return True
    try:
        name, fields = request_of(line[1:])
        world.call(process, name, *fields)
    except Malformed as error:
        if not str(error):
            raise Broken("Malformed says nothing") from error
        return False
    return True


def _need_undisturbed(bystander: Configured) -> None:
    if bystander.server.write(_ANOTHER) != NOERROR:
        raise Broken("a set of others takes no command any more")
    command, *_ = bystander.primary.get(bystander.device).out
    if (
        bystander.primary.complete(bystander.device, command, 0, 65536) != NOERROR
        or len(bystander.server.completions()) != 1
    ):
        raise Broken("a set of others completes no command any more")


@contextmanager
def _listening(directory: Path) -> Iterator[Read]:
    """Run a broker, and be its peers: the first byte of an input tells whether the connection is introduced."""
    broker = Broker(str(directory), 7, on_port=sys.platform == "win32")
    broker.start()
    endpoint = find(str(directory))
    other = BrokerConnection(str(directory))
    count = 0

    def read(data: bytes) -> bool:
        nonlocal count
        count += 1
        with connect(endpoint) as connection:
            connection.settimeout(_PATIENCE)
            heard = _hear(connection, data, endpoint.secret)
        if _FAILED in heard:
            raise Broken("the broker failed to make a call")
        if count % _EACH == 0:
            number = other.new_object()
            if other.call("create", number, None, f"other{count}", _CONFIG) != [NOERROR]:
                raise Broken("others cannot make a set any more")
            other.call("close", number)
        return bool(heard) and not heard.rsplit(b"\n", 2)[-2:][0].startswith(b"- x")

    try:
        yield read
    finally:
        other.close()
        broker.leave()


def _hear(connection: socket.socket, data: bytes, secret: str) -> bytes:
    """Say all of it, and hear all that is answered until the broker hangs up."""
    heard = b""
    with suppress(ConnectionError):
        if data[:1] < b"\x80":
            connection.sendall(encode_request("lifeline", [secret]))
            heard = connection.recv(100)
        connection.sendall(data[1:])
        connection.shutdown(socket.SHUT_WR)
        while received := connection.recv(65536):
            heard += received
    return heard


def _conversations() -> Sequence[bytes]:
    lines = b"\n".join(line[1:] for line in _recorded().split(b"\n"))
    single = [b"\x01" + line[1:] + b"\n" for one in _of_every_kind()[:8] for line in one.splitlines()]
    return [b"\x01" + lines, b"\xff" + lines, b"\xfflifeline x\n", b"\xffthread x 1\nclose 1\n", *single]


@contextmanager
def _finding(directory: Path) -> Iterator[Read]:
    path = directory / ENDPOINT

    def read(data: bytes) -> bool:
        path.write_bytes(data)
        return refusing(lambda _: find(str(directory)), ConnectionError)(data)

    yield read


def _ask_browser(data: bytes) -> bool:
    answer = KnownInstance("HERE", "VDI", (16, 0, 1), 1433).answer_to(data)
    return answer is not None and len(answer) < 1024


TARGETS: Final = (
    Target(
        "broker-calls",
        "calls of processes, as the broker's state takes them",
        _dialogues,
        linewise(),
        alone(_make_calls),
    ),
    Target("broker-peers", "connections to a broker that runs", _conversations, linewise(), _listening),
    Target(
        "broker-endpoint",
        "the file that tells where the broker listens",
        lambda: [b"x2f78 x\n", b"1433 x61\n"],
        bytewise,
        _finding,
    ),
    Target(
        "browser",
        "requests to the SQL Server Browser by UDP",
        lambda: [b"\x02", b"\x03", b"\x04VDI\0"],
        bytewise,
        alone(_ask_browser),
    ),
)
