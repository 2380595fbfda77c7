"""Packets of TDS: messages cut into them, and put together again [MS-TDS 2.2.3]."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.tds.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER: Final = struct.Struct(">BBHHBB")
"""Type, status, length with the header, SPID, number of the packet, window."""
SMALLEST_PACKET: Final = 512
USUAL_PACKET: Final = 4096
LARGEST_PACKET: Final = 32767
_TLS_HANDSHAKE: Final = b"\x16\x03"
"""How a connection begins whose TLS is outside of TDS."""


class PacketType(IntEnum):
    """What a message is."""

    SQL_BATCH = 1
    RPC = 3
    RESULT = 4
    ATTENTION = 6
    BULK_LOAD = 7
    TRANSACTION_MANAGER = 14
    LOGIN7 = 16
    SSPI = 17
    PRELOGIN = 18


class PacketStatus(IntFlag):
    """Bits of the status of a packet."""

    END = 1
    IGNORE = 2
    RESET = 8
    RESET_BUT_TRANSACTION = 16


class ClientMessage(NamedTuple):
    """A message of a client, put together; `resets` tells that it wants its session as new, before anything else."""

    type: PacketType
    payload: bytes
    resets: bool = False
    is_ignored: bool = False


_FROM_CLIENTS: Final = frozenset(PacketType) - {PacketType.RESULT}


class MessageAssembler:
    """Puts the packets of one connection together; `most` bounds the payload of a message, and may be changed."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._received = bytearray()
        self._type: PacketType | None = None
        self._payload = bytearray()
        self._resets = False

    @property
    def is_between_messages(self) -> bool:
        """Whether everything that was received belongs to a message that has ended."""
        return not self._received and self._type is None

    def feed(self, received: bytes) -> Iterator[ClientMessage]:
        """Take what was received, and give the messages that are whole now."""
        self._received += received
        while (packet := self._next_packet()) is not None:
            kind, status, content = packet
            self._add(kind, status, content)
            if status & PacketStatus.END:
                yield self._whole(status)

    def _next_packet(self) -> tuple[PacketType, int, bytes] | None:
        if self._received[:2] == _TLS_HANDSHAKE:
            raise Malformed("TLS begins before TDS does (TDS 8.0, Encrypt=strict), which this server does not speak")
        if len(self._received) < HEADER.size:
            return None
        number, status, length, *_ = HEADER.unpack_from(self._received)
        if number not in _FROM_CLIENTS:
            raise Malformed(f"there is no packet of type {number} from a client")
        if not HEADER.size <= length <= LARGEST_PACKET:
            raise Malformed(f"a packet has {HEADER.size} to {LARGEST_PACKET} bytes, not {length}")
        if len(self._received) < length:
            return None
        content = bytes(self._received[HEADER.size : length])
        del self._received[:length]
        return PacketType(number), status, content

    def _add(self, kind: PacketType, status: int, content: bytes) -> None:
        if self._type is None:
            self._type = kind
            self._resets = bool(status & (PacketStatus.RESET | PacketStatus.RESET_BUT_TRANSACTION))
        elif kind != self._type:
            raise Malformed(f"a packet of type {kind} comes within a message of type {self._type}")
        if not content and not status & PacketStatus.END:
            raise Malformed("a packet without content does not end its message")
        if len(self._payload) + len(content) > self.most:
            raise Malformed(f"a message has more than {self.most} bytes here")
        self._payload += content

    def _whole(self, status: int) -> ClientMessage:
        assert self._type is not None
        payload = bytes(self._payload)
        whole = ClientMessage(self._type, payload, self._resets, bool(status & PacketStatus.IGNORE))
        self._type = None
        self._payload.clear()
        return whole


class PacketCutter:
    """Cuts the messages of a server into packets, which can be given away before their message has ended."""

    def __init__(self, spid: int, size: int = USUAL_PACKET) -> None:
        self.size = size
        self._spid = spid
        self._waiting = bytearray()
        self._number = 0

    def add(self, content: bytes) -> bytes:
        """Take more of a message, and give the packets that are full."""
        self._waiting += content
        room = self.size - HEADER.size
        full = bytearray()
        start = 0
        # What fills a packet stays, since the last one of a message has content.
        while len(self._waiting) - start > room:
            full += self._packet(self._waiting[start : start + room], 0)
            start += room
        del self._waiting[:start]
        return bytes(full)

    def flush(self) -> bytes:
        """Give what is there so far, although its message goes on."""
        return self._rest(0) if self._waiting else b""

    def end(self, kind: PacketType = PacketType.RESULT) -> bytes:
        """Give the last packet of the message."""
        last = self._rest(PacketStatus.END, kind)
        self._number = 0
        return last

    def _rest(self, status: int, kind: PacketType = PacketType.RESULT) -> bytes:
        rest = self._packet(self._waiting, status, kind)
        self._waiting.clear()
        return rest

    def _packet(self, content: bytes | bytearray, status: int, kind: PacketType = PacketType.RESULT) -> bytes:
        self._number += 1
        length = HEADER.size + len(content)
        return HEADER.pack(kind, status, length, self._spid, self._number & 0xFF, 0) + content
