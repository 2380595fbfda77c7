"""A process's link to the broker: its lifeline, and a connection for each of its threads."""

from __future__ import annotations

import itertools
import os
import threading
from typing import Any, Final

from vdi_conformance.emulator.accounts import E_ACCESSDENIED
from vdi_conformance.emulator.broker_protocol import Endpoint, connect, decode_answer, encode_request, find
from vdi_conformance.emulator.observing import WATCHED
from vdi_conformance.vdi.hresult import VD_E_PROTOCOL

BEGINNINGS: Final = frozenset({"create", "attach", "server_open"})
"""What an account without rights is refused; it gets no further."""


class _Connection:
    """One connection, which ends with the thread or the link that has it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._socket = connect(endpoint)

    def __del__(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def send(self, name: str, *fields: int | str | None) -> None:
        """Send one request."""
        try:
            self._socket.sendall(encode_request(name, fields))
        except ConnectionError as error:
            raise _ended() from error

    def receive(self) -> list[Any]:
        """Wait for one answer."""
        line = b""
        while not line.endswith(b"\n"):
            try:
                received = self._socket.recv(65536)
            except ConnectionError as error:
                raise _ended() from error
            if not received:
                raise _ended()
            line += received
        return decode_answer(line)


def _ended() -> ConnectionError:
    return ConnectionError(
        "The emulated broker has gone: its process ended while a call was under way, or has no room for more of them"
    )


class BrokerConnection:
    """Calls the broker of a directory from any thread; a call that waits lets the others run.

    `watched` says whether somebody wants to be told of misuse that the broker cannot see.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._local = threading.local()
        self._numbers = itertools.count(1)
        self._denied = False
        self.watched = False
        try:
            self._endpoint = find(directory)
            self.watched = os.path.exists(f"{directory}/{WATCHED}")  # noqa: PTH110 - each process asks, and pathlib is slow
            self._lifeline = _Connection(self._endpoint)
        except PermissionError:
            self._denied = True
            return
        self._lifeline.send("lifeline", self._endpoint.secret)
        (self._process,) = self._lifeline.receive()

    def close(self) -> None:
        """End as the death of this process would: the broker takes all that it had open for left behind."""
        if not self._denied:
            self._lifeline.close()

    def new_object(self) -> int:
        """Give the number of a new client object or server of this process."""
        return next(self._numbers)

    def call(self, name: str, number: int, *arguments: int | str | None) -> list[Any]:
        """Make one call of an object and wait for its answer: the HRESULT and the out values."""
        if self._denied:
            return [E_ACCESSDENIED if name in BEGINNINGS else VD_E_PROTOCOL]
        # A connection is kept only where its answer came: after a failure the next call begins anew.
        connection = vars(self._local).pop("connection", None) or self._connected()
        connection.send(name, number, *arguments)
        answer: list[Any] = connection.receive()
        self._local.connection = connection
        return answer

    def _connected(self) -> _Connection:
        """Make a connection for the calling thread."""
        connection = _Connection(self._endpoint)
        connection.send("thread", self._endpoint.secret, self._process)
        return connection
