"""A server that listens for clients that speak TDS, and gives each a session of a service."""

from __future__ import annotations

import itertools
import selectors
import socket
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.channel import Channel
from vdi_conformance.tds.connection import Connection
from vdi_conformance.tds.introduction import Reception
from vdi_conformance.tds.limits import LIMITS
from vdi_conformance.tds.listening import listeners_at
from vdi_conformance.tds.lobby import Lobby

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.tds.answers import SqlService
    from vdi_conformance.tds.certificate import Certificate
    from vdi_conformance.tds.limits import TdsLimits
    from vdi_conformance.tds.prelogin import Policy

_FIRST_SPID: Final = 51
"""Those below are a SQL Server's own."""
_SPIDS: Final = 32_000
_BREATH: Final = 0.1
"""Seconds until a connection is accepted again when one could not be."""


class NotListening(Exception):
    """A server cannot listen where it was to; the text is one sentence with the remedy."""


def _complain(text: str) -> None:
    sys.stderr.write(f"{text.rstrip()}\n")


class TdsServer:
    """Serves clients between `start` and `close`, each on threads of its own.

    Without a certificate nothing is encrypted; with one, clients have what they ask for, and nothing less than TLS
    where `requires_encryption`. `trouble` is told, in lines, of connections that were ended and of exceptions of the
    service.
    """

    def __init__(
        self,
        service: SqlService,
        host: str,
        port: int = 0,
        *,
        certificate: Certificate | None = None,
        requires_encryption: bool = False,
        limits: TdsLimits = LIMITS,
        trouble: Callable[[str], None] = _complain,
    ) -> None:
        if requires_encryption and certificate is None:
            raise ValueError("encryption needs a certificate")
        self._service = service
        self._place = (host, port)
        self._context = certificate.context() if certificate is not None else None
        self._requires_encryption = requires_encryption
        self._limits = limits
        self._trouble = trouble
        self._lobby = Lobby(limits)
        self._listeners: list[socket.socket] = []
        self._is_closing = threading.Event()
        self._wakers: tuple[socket.socket, socket.socket] | None = None
        self._thread = threading.Thread(target=self._listen, name="TDS", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that clients connect to, once the server has started."""
        host, port, *_ = self._listeners[0].getsockname()
        return host, port

    def start(self) -> None:
        """Listen, and serve in the background; NotListening where that is not possible."""
        host, port = self._place
        try:
            self._listeners = listeners_at(host, port)
        except OSError as error:
            raise NotListening(
                f"no client can be served at {host}:{port} ({error.strerror or error}): choose another host or port"
            ) from None
        self._wakers = socket.socketpair()
        self._thread.start()

    def close(self) -> None:
        """Take no more clients, and end the sessions of those that are there."""
        self._is_closing.set()
        if self._wakers is not None:
            wake, waked = self._wakers
            # What waits for the other end wakes when this one is closed.
            wake.close()
            self._thread.join()
            for one in (waked, *self._listeners):
                one.close()
        self._lobby.close()

    def _listen(self) -> None:
        assert self._wakers is not None
        numbers = itertools.count()
        with selectors.DefaultSelector() as selector:
            for one in (self._wakers[1], *self._listeners):
                selector.register(one, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._is_closing.is_set():
                    return
                for listener in self._listeners:
                    if listener in ready:
                        self._accept(listener, next(numbers))

    def _accept(self, listener: socket.socket, number: int) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            # It has hung up already, or descriptors have run out for a while.
            self._is_closing.wait(_BREATH)
        else:
            self._serve(connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        deadline = time.monotonic() + self._limits.seconds_to_log_in
        channel = Channel(connection, _FIRST_SPID + number % _SPIDS, self._limits.prelogin, deadline)
        admit = partial(self._lobby.admit, number)
        reception = Reception(self._service, self._policy, self._context, self._limits, admit)
        served = Connection(channel, reception, self._trouble)
        self._lobby.enter(number, served)
        try:
            threading.Thread(target=self._run, args=(served, number), name=f"TDS {number}", daemon=True).start()
        except RuntimeError as error:
            self._trouble(f"A connection was ended: no thread can serve it ({error}).")
            channel.close()
            self._lobby.leave(number)

    def _run(self, connection: Connection, number: int) -> None:
        try:
            connection.run()
        finally:
            self._lobby.leave(number)

    @property
    def _policy(self) -> Policy:
        if self._context is None:
            return "none"
        return "required" if self._requires_encryption else "optional"
