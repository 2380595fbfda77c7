"""A client of TDS that is written by hand, so that it can also say what no driver does."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from selftest.tds.scripted import PASSWORD, PATIENCE

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

BATCH, RPC, RESULT, ATTENTION, BULK, TRANSACTION, LOGIN7, SSPI, PRELOGIN = 1, 3, 4, 6, 7, 14, 16, 17, 18
END, IGNORE, RESET = 1, 2, 8
HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)
NOT_ENCRYPTED = 2
TDS_7_4 = 0x74000004
INTEGRATED, FEATURES = 0x80, 0x10
DONE_MORE, DONE_ERROR, DONE_COUNT, DONE_ATTENTION = 1, 2, 0x10, 0x20


class Told(NamedTuple):
    """A token, read as far as tests need it."""

    kind: str
    number: int = 0
    text: str = ""
    rows: int | None = None


class RawClient:
    """One connection to a server on loopback."""

    def __init__(self, port: int, logs_in: bool = True) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._received = b""
        if logs_in:
            self.log_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def log_in(self, **wanted: Any) -> list[Told]:
        """Log in without encryption, and give what the server tells."""
        self.send(PRELOGIN, prelogin(NOT_ENCRYPTED))
        self.receive()
        self.send(LOGIN7, login(**wanted))
        return self.told()

    def send(self, kind: int, payload: bytes, status: int = END, size: int = 4096) -> None:
        """Send a message in packets of this size."""
        room = size - 8
        parts = [payload[start : start + room] for start in range(0, len(payload), room)] or [b""]
        for number, part in enumerate(parts, start=1):
            is_last = number == len(parts)
            # Whether a session is to be reset is told by the first packet.
            flags = (status if is_last else status & ~(END | IGNORE)) if number == 1 else (END if is_last else 0)
            self.raw(packet(kind, part, flags))

    def raw(self, data: bytes) -> None:
        """Send bytes; a server that has hung up meanwhile is no surprise."""
        with suppress(ConnectionError):
            self.connection.sendall(data)

    def batch(self, text: str, status: int = END) -> None:
        """Send a batch."""
        self.send(BATCH, HEADERS + text.encode("utf-16-le"), status)

    def ask(self, text: str, status: int = END) -> list[Told]:
        """Run a batch that gives no rows."""
        self.batch(text, status)
        return self.told()

    def packet(self) -> tuple[int, bytes]:
        """Receive a packet, and give its status and content; nothing when the server has hung up."""
        head = self._exactly(8)
        if not head:
            return END, b""
        return head[1], self._exactly(int.from_bytes(head[2:4], "big") - 8)

    def receive(self) -> bytes:
        """Receive a message; nothing when the server has hung up."""
        whole = b""
        status = 0
        while not status & END:
            status, content = self.packet()
            whole += content
        return whole

    def told(self) -> list[Told]:
        """Receive a message, and read its tokens."""
        return tokens(self.receive())

    def hangs_up(self) -> bytes:
        """Say no more, and give what the server still says before it ends the connection."""
        heard = self._received
        # Nothing can be shut down any more where the server has hung up already.
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while received := self.connection.recv(65536):
                heard += received
        return heard

    def is_ended(self) -> bool:
        """Wait until the server ends the connection; what it said before is left."""
        with suppress(ConnectionError):
            while self.connection.recv(65536):
                pass
        return True

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            try:
                received = self.connection.recv(65536)
            except ConnectionError:
                return b""
            if not received:
                return b""
            self._received += received
        taken, self._received = self._received[:count], self._received[count:]
        return taken


def packet(kind: int, content: bytes, status: int = END) -> bytes:
    """Give one packet."""
    return struct.pack(">BBHHBB", kind, status, len(content) + 8, 0, 1, 0) + content


def prelogin(encryption: int | None) -> bytes:
    """Give what a driver says first."""
    options = {0: struct.pack(">IH", 0x12000000, 0), 2: b"\0", 3: bytes(4), 4: b"\0"}
    if encryption is not None:
        options[1] = bytes([encryption])
    heads, contents = b"", b""
    for option, content in options.items():
        heads += struct.pack(">BHH", option, len(options) * 5 + 1 + len(contents), len(content))
        contents += content
    return heads + b"\xff" + contents


def login(
    user: str = "sa",
    password: str = PASSWORD,
    database: str = "",
    version: int = TDS_7_4,
    packet_size: int = 4096,
    flags: int = 0,
    more_flags: int = 0,
    extension: bytes = b"",
) -> bytes:
    """Give LOGIN7; `extension` is the list of features."""
    hidden = bytes((byte << 4 & 0xF0 | byte >> 4) ^ 0xA5 for byte in password.encode("utf-16-le"))
    texts = [_utf16("client"), _utf16(user), hidden, _utf16("raw"), _utf16("server"), b"", b"", b"", _utf16(database)]
    start = 94
    places, contents = b"", b""
    for place, text in enumerate(texts):
        if place == 5 and more_flags & FEATURES:
            position = start + len(contents)
            places += struct.pack("<HH", position, 4)
            contents += struct.pack("<I", position + 4) + extension
            continue
        places += struct.pack("<HH", start + len(contents), len(text) // 2)
        contents += text
    places += bytes(6) + struct.pack("<HHHHHHI", *(start + len(contents), 0) * 3, 0)
    fixed = struct.pack("<IIIIIBBBBII", version, packet_size, 0, 0, 0, 0, flags, 0, more_flags, 0, 0x409)
    return (4 + len(fixed + places + contents)).to_bytes(4, "little") + fixed + places + contents


def tokens(data: bytes) -> list[Told]:
    """Read tokens of which none is about rows."""
    found = []
    while data:
        kind, data = data[0], data[1:]
        if kind in (0xFD, 0xFE, 0xFF):
            status, _, rows = struct.unpack_from("<HHQ", data)
            name = {0xFD: "done", 0xFE: "done procedure", 0xFF: "done in procedure"}[kind]
            found.append(Told(name, status, rows=rows if status & DONE_COUNT else None))
            data = data[12:]
        elif kind == 0x79:
            found.append(Told("status", int.from_bytes(data[:4], "little", signed=True)))
            data = data[4:]
        elif kind == 0xAC:
            name, value, data = _output(data)
            found.append(Told("output", value, name))
        else:
            length = int.from_bytes(data[:2], "little")
            found.append(_sized(kind, data[2 : 2 + length]))
            data = data[2 + length :]
    return found


def _sized(kind: int, content: bytes) -> Told:
    match kind:
        case 0xAA | 0xAB:
            length = int.from_bytes(content[6:8], "little")
            text = content[8 : 8 + 2 * length].decode("utf-16-le")
            return Told("error" if kind == 0xAA else "info", int.from_bytes(content[:4], "little"), text)
        case 0xAD:
            return Told("login", int.from_bytes(content[1:5], "big"))
        case 0xE3:
            return Told("change", content[0], content[1:].hex())
    raise AssertionError(f"token {kind:02x} {content.hex()}")


def _output(data: bytes) -> tuple[str, int, bytes]:
    """Read an output of type int, which a handle is."""
    length = data[2]
    name = data[3 : 3 + 2 * length].decode("utf-16-le")
    rest = data[3 + 2 * length + 7 :]
    assert rest[:3] == b"\x26\x04\x04", rest.hex()
    return name, int.from_bytes(rest[3:7], "little"), rest[7:]


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")
