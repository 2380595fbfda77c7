"""A process's link to the machine: its lifeline, and a connection for each of its threads."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

from vdi_conformance.emulator.wire import connect, decode, encode

if TYPE_CHECKING:
    import socket


class Link:
    """Calls the machine of a directory from any thread; a call that waits lets the others run."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._local = threading.local()
        self._numbers = itertools.count(1)
        self._lifeline, secret = connect(directory)
        self._lifeline.sendall(encode({"op": "lifeline", "secret": secret}))
        self._process = _receive(self._lifeline)["process"]

    def new_object(self) -> int:
        """Give the number of a new client object or server of this process."""
        return next(self._numbers)

    def call(self, op: str, number: int, **arguments: Any) -> dict[str, Any]:
        """Make one call and wait for its answer."""
        connection = self._connection()
        connection.sendall(encode({"op": op, "object": number, **arguments}))
        return _receive(connection)

    def _connection(self) -> socket.socket:
        """Give the connection of the calling thread; it ends with the thread."""
        connection: socket.socket | None = getattr(self._local, "connection", None)
        if connection is None:
            connection, secret = connect(self.directory)
            connection.sendall(encode({"op": "thread", "secret": secret, "process": self._process}))
            self._local.connection = connection
        return connection


def _receive(connection: socket.socket) -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("The emulated machine has gone: its process ended while a call was under way")
        line += received
    answer: dict[str, Any] = decode(line.decode("ascii"))
    return answer
