"""Who is connected to a broker: strangers, of whom little is borne, and the threads and lifelines of processes."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.emulator.broker_protocol import LONGEST_LINE, decode_request
from vdi_conformance.emulator.signatures import Malformed

if TYPE_CHECKING:
    import socket


class PeerLimits(NamedTuple):
    """What a stranger may cost before it has shown the secret, and how many connections there may be in all."""

    strangers: int = 64
    """At once; the one that came first has to go."""
    seconds: float = 10.0
    """From its connection on."""
    introduction: int = 256
    """Bytes."""
    connections: int = 480 if sys.platform == "win32" else 100_000
    """Python's select on Windows takes 512 sockets; elsewhere descriptors are what runs out."""


LIMITS: Final = PeerLimits()
LIFELINE: Final = 0
"""Stands for the process that a lifeline will be told of; their numbers begin with 1."""


class Peer:
    """One connection: of a thread of `process`, its lifeline, or of a stranger's."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.process: int | None = None
        self.is_lifeline = False
        self.is_gone = False
        self.is_asking = False
        self.unsent = b""
        self._unread = bytearray()

    @property
    def owes_nothing(self) -> bool:
        """Whether the answer to the last request has been sent."""
        return not self.is_asking and not self.unsent

    @property
    def unread(self) -> int:
        """How many bytes of a line have come whose end has not."""
        return len(self._unread)

    def lines(self, received: bytes) -> list[bytes]:
        """Take what was received, and give the lines that are whole now."""
        *whole, rest = received.split(b"\n")
        if whole and self._unread:
            whole[0] = bytes(self._unread) + whole[0]
            self._unread.clear()
        self._unread += rest
        return whole


def request_of(line: bytes) -> tuple[str, list[Any]]:
    """Give the name and the fields of a request; Malformed where it is none."""
    if len(line) > LONGEST_LINE:
        raise Malformed(f"a request has at most {LONGEST_LINE} bytes")
    try:
        return decode_request(line)
    except ValueError as error:
        raise Malformed("a request is a name and fields: numbers, - or x and hexadecimal digits") from error


def introduction_of(line: bytes, secret: str) -> int | None:
    """Give the process that a thread belongs to, or LIFELINE; None where a stranger remains one."""
    try:
        name, fields = decode_request(line)
    except ValueError:
        return None
    shown, *process = fields or [None]
    if not isinstance(shown, str) or not _is_same(shown, secret):
        return None
    match name, process:
        case "lifeline", []:
            return LIFELINE
        case "thread", [int(number)] if number > LIFELINE:
            return number
    return None


def _is_same(shown: str, secret: str) -> bool:
    """Compare in a time that tells nothing of the secret."""
    return secrets.compare_digest(shown.encode("utf-8", "surrogatepass"), secret.encode("ascii"))
