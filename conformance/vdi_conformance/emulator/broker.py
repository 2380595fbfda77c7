"""The machine as a process: sockets, clock and files around the pure `Machine`."""

from __future__ import annotations

import secrets
import selectors
import socket
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Final

from vdi_conformance.emulator.machine import Machine
from vdi_conformance.emulator.segments import area_file
from vdi_conformance.emulator.wire import ENDPOINT, LONGEST_SOCKET_PATH, decode_request, encode

LONGEST_PATIENCE: Final = 3600.0
"""Seconds: a selector refuses to wait for weeks, as a client may."""


class _Peer:
    """One connection: of a thread of `process`, or its lifeline."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.process: int | None = None
        self.is_lifeline = False
        self.unread = b""
        self.unsent = b""


class Broker:
    """Serves the machine of one directory on a thread of its own."""

    def __init__(self, directory: str, seed: int) -> None:
        self._directory = directory
        self._machine: Machine[_Peer] = Machine(seed)
        self._selector = selectors.DefaultSelector()
        self._processes = 0
        self._secret = ""
        self._garbage: list[Path] = []

    def start(self) -> None:
        """Listen, tell where, and serve in the background for as long as this process lives."""
        listener = self._listen()
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        threading.Thread(target=self._serve, args=(listener,), name="machine", daemon=True).start()

    def _listen(self) -> socket.socket:
        path = str(Path(self._directory) / "machine.socket")
        if hasattr(socket, "AF_UNIX") and len(path.encode()) <= LONGEST_SOCKET_PATH:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            place: int | str = path
        else:
            listener = socket.create_server(("127.0.0.1", 0))
            self._secret = secrets.token_hex(16)
            place = listener.getsockname()[1]
        listener.listen(256)
        unfinished = Path(self._directory) / f"{ENDPOINT}.new"
        unfinished.write_bytes(encode((place, self._secret)))
        unfinished.replace(Path(self._directory) / ENDPOINT)
        return listener

    def _serve(self, listener: socket.socket) -> None:
        while True:
            deadline = self._machine.next_deadline()
            patience = None if deadline is None else min(max(0.0, deadline - time.monotonic()), LONGEST_PATIENCE)
            for key, events in self._selector.select(patience):
                if key.fileobj is listener:
                    self._accept(listener)
                else:
                    self._attend(key.data, events)
            if deadline is not None and time.monotonic() >= deadline:
                self._machine.tick(time.monotonic())
                self._send_answers()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionError):  # who knocked has gone again
            return
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ, _Peer(connection))

    def _attend(self, peer: _Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send(peer, b"")
        if events & selectors.EVENT_READ:
            try:
                received = peer.connection.recv(65536)
            except ConnectionError:
                received = b""
            if received:
                self._take(peer, received)
            else:
                self._hang_up(peer)
            self._send_answers()

    def _take(self, peer: _Peer, received: bytes) -> None:
        """Take what a peer says; who does not speak the protocol is dropped, for the sake of the others."""
        try:
            self._take_lines(peer, received)
        except (ValueError, LookupError, TypeError):
            traceback.print_exc()
            self._hang_up(peer)

    def _take_lines(self, peer: _Peer, received: bytes) -> None:
        *lines, peer.unread = (peer.unread + received).split(b"\n")
        for name, fields in map(decode_request, lines):
            if peer.process is not None:
                self._machine.call(peer, peer.process, name, fields, time.monotonic())
            elif fields[0] == self._secret:
                self._introduce(peer, name, fields)
            else:
                self._hang_up(peer)
                return

    def _introduce(self, peer: _Peer, name: str, fields: list[Any]) -> None:
        """Learn whose connection it is; a lifeline is told the number of its process."""
        if name == "lifeline":
            self._processes += 1
            peer.process, peer.is_lifeline = self._processes, True
            self._send(peer, encode((peer.process,)))
        else:
            _, peer.process = fields

    def _hang_up(self, peer: _Peer) -> None:
        self._selector.unregister(peer.connection)
        peer.connection.close()
        self._machine.forget(peer)
        if peer.is_lifeline and peer.process is not None:
            self._machine.process_died(peer.process)

    def _send_answers(self) -> None:
        answers, self._machine.answers = self._machine.answers, []
        for peer, answer in answers:
            self._send(peer, encode((answer.code, *answer.values)))
        if self._machine.garbage:
            self._garbage += [area_file(self._directory, area) for area in self._machine.garbage]
            self._machine.garbage = []
            self._garbage = [area for area in self._garbage if not _deleted(area)]

    def _send(self, peer: _Peer, data: bytes) -> None:
        """Send without waiting; what does not fit goes when there is room."""
        had_to_wait = bool(peer.unsent)
        peer.unsent += data
        try:
            peer.unsent = peer.unsent[peer.connection.send(peer.unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # the peer is gone, which its end of file tells too
            return
        if bool(peer.unsent) != had_to_wait:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.unsent else 0)
            self._selector.modify(peer.connection, events, peer)


def _deleted(path: Path) -> bool:
    """Delete a file; on Windows that must wait until nobody maps it."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return False
    return True
