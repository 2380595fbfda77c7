"""A socket that messages come from and packets go to, with TLS or without."""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.encryption import UNTRUSTED, ServerTls
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import MessageAssembler, PacketCutter, PacketType

if TYPE_CHECKING:
    import ssl

    from vdi_conformance.tds.packets import ClientMessage

_CHUNK: Final = 65536
_SHORTEST: Final = 0.001
"""Seconds: 0 would be no time limit of a socket, but another mode."""
_GLANCE: Final = 0.5
"""Seconds between two looks at whether a connection was ended, where nothing tells."""


class TooLate(Exception):
    """A client has not come to the point in time."""


class Channel:
    """One connection, from which one thread receives while another one may send."""

    def __init__(self, connection: socket.socket, spid: int, most: int, deadline: float) -> None:
        self.cutter = PacketCutter(spid)
        self._connection = connection
        self._assembler = MessageAssembler(most)
        self._messages: deque[ClientMessage] = deque()
        self._tls: ServerTls | None = None
        self._deadline: float | None = deadline
        self._is_ended = False
        with suppress(OSError):
            # Somebody who has hung up already is found out when something is received.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def expect(self, most: int) -> None:
        """Bound the messages that come from now on."""
        self._assembler.most = most

    def take_time(self) -> None:
        """Wait without a limit from now on."""
        self._deadline = None
        self._connection.settimeout(None)

    def receive(self) -> ClientMessage | None:
        """Wait for the next message; None when the client hangs up."""
        while not self._messages:
            received = self._received()
            if not received:
                return None
            self._messages += self._assembler.feed(self._tls.decrypt(received) if self._tls else received)
        return self._messages.popleft()

    def send(self, data: bytes) -> None:
        """Send packets; an OSError where the client has gone."""
        self._limit_time()
        self._connection.sendall(self._tls.encrypt(data) if self._tls else data)

    def shake_hands(self, context: ssl.SSLContext) -> None:
        """Begin TLS, whose handshake is within packets."""
        if self._messages or not self._assembler.is_between_messages:
            raise Malformed("something comes between a prelogin and its TLS handshake")
        tls = ServerTls(context)
        is_over = False
        while not is_over:
            message = self.receive()
            if message is None:
                raise Malformed(f"the client hung up during the TLS handshake{UNTRUSTED}")
            if message.type is not PacketType.PRELOGIN:
                raise Malformed("a TLS handshake was agreed on, and something else comes")
            answer, is_over = tls.shake_hands(message.payload)
            if answer:
                self.send(self.cutter.add(answer) + self.cutter.end(PacketType.PRELOGIN))
        self._tls = tls

    def leave_tls(self) -> None:
        """Go on without TLS, which was for the login alone."""
        if self._tls is not None:
            rest = self._tls.unread()
            self._tls = None
            self._messages += self._assembler.feed(rest)

    def hush(self) -> None:
        """Say no more, but let what was said arrive."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def part(self, seconds: float) -> None:
        """Say no more, and wait until the client hangs up: what was said would be lost where something is unread."""
        self.hush()
        self._deadline = time.monotonic() + seconds
        with suppress(OSError, TooLate):
            while self._received():
                pass

    def end(self) -> None:
        """End the connection for both sides; whoever waits for it wakes."""
        self._is_ended = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self.end()
        self._connection.close()

    def _received(self) -> bytes:
        left = self._limit_time()
        # Windows need not wake whoever receives when another thread shuts the connection down.
        while sys.platform == "win32" and not self._is_ended and not self._has_input(left):
            left = self._limit_time()
        if self._is_ended:
            return b""
        try:
            return self._connection.recv(_CHUNK)
        except TimeoutError:
            raise TooLate from None

    def _has_input(self, left: float | None) -> bool:
        """Wait for a moment until something can be received."""
        seconds = _GLANCE if left is None else min(left, _GLANCE)
        return bool(select.select([self._connection], [], [], seconds)[0])

    def _limit_time(self) -> float | None:
        """Give the seconds that are left, and let the socket wait for so long; TooLate where there are none."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooLate
        self._connection.settimeout(max(left, _SHORTEST))
        return left
