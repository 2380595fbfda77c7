"""TDS: messages as they are put together and read, and whole connections in front of the emulated server's language."""

from __future__ import annotations

import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from fuzzing.mutation import bytewise, changed
from fuzzing.target import Broken, Target, alone, refusing
from selftest.sqlserver.asking import Asking
from selftest.tds.raw_client import BATCH, HEADERS, LOGIN7, PRELOGIN, RPC, TRANSACTION, login, packet, prelogin
from selftest.tds.test_tds_strangers import AFTER_LOGIN, BEFORE_LOGIN
from vdi_conformance.tds.calls import TooManyParameters, read_calls
from vdi_conformance.tds.channel import Channel
from vdi_conformance.tds.connection import Connection
from vdi_conformance.tds.declarations import Undeclared, read_declarations
from vdi_conformance.tds.introduction import Reception
from vdi_conformance.tds.limits import LIMITS
from vdi_conformance.tds.login import read_login
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import ClientMessage, MessageAssembler, PacketType
from vdi_conformance.tds.parameter_values import UnknownType
from vdi_conformance.tds.prelogin import encryption_asked
from vdi_conformance.tds.reading import after_headers, decoded
from vdi_conformance.tds.transactions import read_transaction_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from random import Random

    from fuzzing.target import Read

_LIMITS: Final = LIMITS._replace(request=200_000)
_LONGEST: Final = 60_000
"""Bytes of an example: what was to be sent must fit into a socket's buffer while nobody reads."""
_EACH: Final = 500
_PASSWORD: Final = "right"  # noqa: S105
_LOGIN: Final = packet(PRELOGIN, prelogin(2)) + packet(LOGIN7, login(password=_PASSWORD))
_TEXTS: Final = (
    *("SELECT 1", "SELECT name FROM sys.databases", "PRINT N'x'", "BEGIN TRAN SELECT @@TRANCOUNT COMMIT", "SELECT 1/0"),
    *("DECLARE @a int = 3 WHILE @a > 0 SET @a -= 1", "BACKUP DATABASE master TO VIRTUAL_DEVICE = 'a'", "USE msdb"),
)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _nvarchar(name: str, text: str) -> bytes:
    data = _utf16(text)
    head = bytes([len(name)]) + _utf16(name) + b"\0\xe7\x40\x1f" + bytes(5)
    return head + struct.pack("<H", len(data)) + data


def _call(number: int, *parameters: bytes) -> bytes:
    return HEADERS + struct.pack("<HHH", 0xFFFF, number, 0) + b"".join(parameters)


_INT: Final = b"\0\0\x26\4\4\1\0\0\0"
_REQUESTS: Final = (
    *(packet(BATCH, HEADERS + _utf16(text)) for text in _TEXTS),
    packet(RPC, _call(10, _nvarchar("", "SELECT @a"), _nvarchar("", "@a nvarchar(10), @b int = 1 OUTPUT"), _INT)),
    packet(RPC, _call(13, b"\0\1\x26\4\0", _nvarchar("", "@P1 int"), _nvarchar("", "SELECT @P1"), _INT)),
    packet(RPC, _call(12, _INT, _INT)),
    packet(RPC, HEADERS + struct.pack("<H", 6) + _utf16("sp_who") + b"\0\0" + _nvarchar("@loginame", "sa")),
    packet(TRANSACTION, HEADERS + b"\5\0\0\0"),
    packet(TRANSACTION, HEADERS + b"\7\0\0\0"),
    packet(6, b""),
)


def _streams() -> Sequence[bytes]:
    """Give what clients send from the beginning on, and what is malformed in one way."""
    whole = [_LOGIN + b"".join(_REQUESTS[start : start + 4]) for start in range(0, len(_REQUESTS), 2)]
    before = [one for one in BEFORE_LOGIN.values() if len(one) < _LONGEST]
    return [*whole, *before, *(_LOGIN + one for one in AFTER_LOGIN.values() if len(one) < _LONGEST)]


def _packetwise(random: Random, examples: Sequence[bytes]) -> bytes:
    """Misorder packets and change what is in them, most of which keep a length that fits."""
    packets = _packets(random.choice(examples))
    for _ in range(1 + random.randrange(3)):
        place = random.randrange(len(packets))
        match random.randrange(8):
            case 0:
                del packets[place]
            case 1:
                packets.insert(place, random.choice(packets))
            case 2:
                packets.insert(place, random.choice(_packets(random.choice(examples))))
            case 3:
                packets[place] = changed(random, packets[place])
            case _:
                head, content = packets[place][:8], changed(random, packets[place][8:])[:32000]
                packets[place] = head[:2] + struct.pack(">H", len(content) + 8) + head[4:] + content
        packets = packets or [b""]
    return b"".join(packets)[:_LONGEST]


def _packets(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        size = max(1, int.from_bytes(stream[2:4], "big"))
        found.append(stream[:size])
        stream = stream[size:]
    return found


def _read_messages(stream: bytes) -> None:
    """Put messages together and read each as what it says that it is."""
    for message in MessageAssembler(_LIMITS.request).feed(stream):
        _read_message(message)


def _read_message(message: ClientMessage) -> None:
    match message.type:
        case PacketType.PRELOGIN:
            encryption_asked(message.payload)
        case PacketType.LOGIN7:
            read_login(message.payload).refusal()
        case PacketType.SQL_BATCH:
            decoded(after_headers(message.payload).rest())
        case PacketType.RPC:
            read_calls(message.payload, _LIMITS.parameters)
        case PacketType.TRANSACTION_MANAGER:
            read_transaction_request(message.payload)


@contextmanager
def _serving(_: Path) -> Iterator[Read]:
    """Serve one connection after the other in front of the language; another session goes on beside them."""
    asking = Asking()
    trouble: list[str] = []
    reception = Reception(asking.service, "none", None, _LIMITS, lambda: True)
    count = 0

    def read(data: bytes) -> bool:
        nonlocal count
        count += 1
        trouble.clear()
        client, server = socket.socketpair()
        with client:
            client.sendall(data[:_LONGEST])
            client.shutdown(socket.SHUT_WR)
            hearing = listener.submit(_hear, client)
            channel = Channel(server, 51, _LIMITS.prelogin, time.monotonic() + _LIMITS.seconds_to_log_in)
            Connection(channel, reception, trouble.append).run()
            hearing.result()
        for line in trouble:
            if "Traceback" in line:
                raise Broken(line.strip().splitlines()[-1], line)
        if count % _EACH == 0 and asking.run("SELECT 1").rows != [(1,)]:
            raise Broken("another session is disturbed")
        return not trouble

    with ThreadPoolExecutor(1) as listener:
        yield read


def _hear(client: socket.socket) -> None:
    """Hear all that is said, so that nobody waits for room to say it."""
    with suppress(ConnectionError):
        while client.recv(65536):
            pass


def _read_declarations(data: bytes) -> None:
    read_declarations(data.decode("utf-16-le", "replace"))


def _declarations() -> Sequence[bytes]:
    texts = ("@P1 nvarchar(10), @P2 int OUTPUT", "@a numeric(10, 2) = 3.5 out", "@a varchar(max)='x,(', @b int")
    return [_utf16(text) for text in texts]


TARGETS: Final = (
    Target(
        "tds-messages",
        "packets of a client, put together and read",
        _streams,
        _packetwise,
        alone(refusing(_read_messages, Malformed, TooManyParameters, UnknownType)),
    ),
    Target("tds-connections", "whole connections to the emulated SQL Server", _streams, _packetwise, _serving),
    Target(
        "tds-declarations",
        "the declarations of parameters that drivers send as a text",
        _declarations,
        bytewise,
        alone(refusing(_read_declarations, Undeclared)),
    ),
)
