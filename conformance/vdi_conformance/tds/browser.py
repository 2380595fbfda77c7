r"""Tells drivers at which port an instance is that they know by its name, such as HOST\NAME [MC-SQLR]."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Final, NamedTuple

from vdi_conformance.tds.server import NotListening

PORT: Final = 1434
"""Where drivers ask, by UDP; they can be told of no other."""
DEFAULT_INSTANCE: Final = "MSSQLSERVER"
"""What the instance is called that has no name."""
_ALL_BY_BROADCAST, _ALL, _ONE = 2, 3, 4
_ANSWER: Final = 5
_LONGEST: Final = 1024


class KnownInstance(NamedTuple):
    """An instance: the computer's name, its own, its version, and the port of its TDS server."""

    computer: str
    name: str
    version: tuple[int, int, int]
    port: int

    def answer_to(self, asked: bytes) -> bytes | None:
        """Give what is answered to a request; None where it is no request, or is about another instance."""
        if asked in (bytes([_ALL_BY_BROADCAST]), bytes([_ALL])) or self._is_meant(asked):
            told = self._told.encode("cp1252", "replace")
            return bytes([_ANSWER]) + len(told).to_bytes(2, "little") + told
        return None

    def _is_meant(self, asked: bytes) -> bool:
        name = asked[1:].split(b"\0")[0].decode("cp1252", "replace")
        return asked[:1] == bytes([_ONE]) and name.casefold() == self.name.casefold()

    @property
    def _told(self) -> str:
        version = ".".join(map(str, (*self.version, 0)))
        fields = ("ServerName", self.computer, "InstanceName", self.name, "IsClustered", "No", "Version", version)
        return ";".join((*fields, "tcp", str(self.port), "", ""))


class InstanceBrowser:
    """Answers between `start` and `close`, on a thread of its own; there can be only one on an address."""

    def __init__(self, host: str, instance: KnownInstance, port: int = PORT) -> None:
        self._place = (host, port)
        self._instance = instance
        self._is_closing = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._answer, name="SQL browser", daemon=True)

    @property
    def port(self) -> int:
        """Where it is asked, once it has started."""
        assert self._socket is not None
        port: int = self._socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Answer in the background; NotListening where that is not possible."""
        host, port = self._place
        try:
            family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.bind(place)
        except OSError as error:
            self.close()
            raise NotListening(
                f"no driver can ask for an instance by its name at {host}:{port} ({error.strerror or error}): end what "
                "listens there, or connect by the port of the instance"
            ) from None
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        if self._socket is None:
            return
        self._is_closing.set()
        if self._thread.is_alive():
            # What waits for a request wakes by one.
            with suppress(OSError):
                self._socket.sendto(b"", self._socket.getsockname())
            self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        assert self._socket is not None
        while not self._is_closing.is_set():
            # On Windows, an answer that could not be delivered is told when the next request is waited for.
            with suppress(OSError):
                asked, whence = self._socket.recvfrom(_LONGEST)
                if (answer := self._instance.answer_to(asked)) is not None:
                    self._socket.sendto(answer, whence)
