"""The broker as a process: sockets, clock and files around the pure `BrokerState`.

Whatever a peer sends or leaves out, it is a matter of its own connection: the broker and all others go on.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
import traceback
from typing import TYPE_CHECKING, Final, cast

from vdi_conformance.emulator.accounts import account_of, in_group, own_account
from vdi_conformance.emulator.broker_protocol import LONGEST_LINE, encode, encode_refusal
from vdi_conformance.emulator.broker_state import BrokerState
from vdi_conformance.emulator.directory import MachineDirectory
from vdi_conformance.emulator.listening import listening
from vdi_conformance.emulator.peers import LIFELINE, LIMITS, Peer, PeerLimits, introduction_of, request_of
from vdi_conformance.emulator.signatures import Malformed

if TYPE_CHECKING:
    from vdi_conformance.emulator.observing import Observer

LONGEST_PATIENCE: Final = 3600.0
"""Seconds: a selector refuses to wait for weeks, as a client may."""
_CHUNK: Final = 65536


class Broker:
    """Serves the broker of one directory on a thread of its own; Unavailable where another one does already.

    It listens at a port where that is asked for, as programs of Windows need it in Wine. All accounts of a `group`
    share what there is, as in a directory of that group.
    """

    def __init__(
        self,
        directory: str,
        seed: int,
        limits: PeerLimits = LIMITS,
        on_port: bool = False,
        group: int | None = None,
    ) -> None:
        self._directory = MachineDirectory(directory, group)
        self._on_port = on_port
        self._group = group
        self._own = in_group(own_account(), group)
        self._broker: BrokerState[Peer] = BrokerState(seed, self._directory.taken, self._own)
        self._limits = limits
        self._selector = selectors.DefaultSelector()
        self._secret = ""
        self._lifelines = 0
        self._processes: dict[int, set[Peer]] = {}
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._is_leaving = False
        self._strangers: dict[Peer, float] = {}
        self._observer: Observer | None = None

    def observe(self, observer: Observer | None) -> None:
        """Tell an observer of all that happens from now on, instead of whoever was told before."""
        self._observer = observer

    def start(self) -> None:
        """Listen, tell where, and serve in the background until `leave`, or for as long as this process lives."""
        listener = self._listen()
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        self._listener = listener
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="broker", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Serve no longer: all connections end, and the directory is another broker's to take."""
        if self._thread is not None and self._listener is not None:
            self._is_leaving = True
            with contextlib.suppress(OSError), socket.socket(self._listener.family) as knocking:
                knocking.connect(self._listener.getsockname())
            self._thread.join()
            for key in list(self._selector.get_map().values()):
                cast("socket.socket", key.fileobj).close()
            self._selector.close()
        self._directory.leave()

    def _listen(self) -> socket.socket:
        listener, place, self._secret = listening(self._directory.socket, self._on_port)
        if not self._secret:
            self._directory.let_in()
        listener.listen(256)
        self._directory.publish(place, self._secret)
        return listener

    def _serve(self, listener: socket.socket) -> None:
        spare: socket.socket | None = socket.socket()
        while True:
            ready = self._selector.select(self._patience())
            if self._is_leaving:
                break
            for key, events in ready:
                if key.fileobj is listener:
                    spare = self._accept(listener, spare)
                elif not key.data.is_gone:
                    self._attend(key.data, events)
            self._let_time_pass(time.monotonic())
        if spare is not None:
            spare.close()

    # Time

    def _patience(self) -> float | None:
        """Tell how many seconds nothing but a peer can give cause for."""
        stranger = next(iter(self._strangers.values()), None)
        deadlines = [when for when in (self._broker.next_deadline(), stranger) if when is not None]
        return min(max(0.0, min(deadlines) - time.monotonic()), LONGEST_PATIENCE) if deadlines else None

    def _let_time_pass(self, now: float) -> None:
        for peer in [peer for peer, deadline in self._strangers.items() if deadline <= now]:
            self._hang_up(peer)
        deadline = self._broker.next_deadline()
        if deadline is not None and now >= deadline:
            self._broker.tick(now)
            self._send_answers()

    # Peers come and go

    def _accept(self, listener: socket.socket, spare: socket.socket | None) -> socket.socket | None:
        """Let a stranger in, or turn it away by the spare descriptor where none is left; give the next spare."""
        try:
            self._welcome(listener.accept()[0])
        except (BlockingIOError, ConnectionError):  # who knocked has gone again
            pass
        except OSError:
            if spare is not None:
                spare.close()
            with contextlib.suppress(OSError):
                listener.accept()[0].close()
            spare = None
        if spare is None:
            with contextlib.suppress(OSError):
                spare = socket.socket()
        return spare

    def _welcome(self, connection: socket.socket) -> None:
        if len(self._selector.get_map()) >= self._limits.connections:
            connection.close()
            return
        if len(self._strangers) >= self._limits.strangers:
            self._hang_up(next(iter(self._strangers)))
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(connection)
        self._selector.register(connection, selectors.EVENT_READ, peer)
        self._strangers[peer] = time.monotonic() + self._limits.seconds

    def _hang_up(self, peer: Peer) -> None:
        if peer.is_gone:
            return
        peer.is_gone = True
        self._selector.unregister(peer.connection)
        peer.connection.close()
        self._strangers.pop(peer, None)
        if peer.process is None:
            return
        self._broker.forget(peer)
        if not peer.is_lifeline:
            self._processes[peer.process].discard(peer)
            return
        for thread in list(self._processes[peer.process]):
            self._hang_up(thread)
        del self._processes[peer.process]
        if self._observer is not None:
            self._observer.went(peer.process)
        self._broker.process_died(peer.process)

    # What peers say

    def _attend(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send(peer, b"")
        if not events & selectors.EVENT_READ:
            return
        try:
            received = peer.connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if received:
            self._take(peer, received)
        else:
            self._hang_up(peer)
            self._send_answers()

    def _take(self, peer: Peer, received: bytes) -> None:
        for line in peer.lines(received):
            if peer.is_gone:
                return
            if peer.process is None:
                self._introduce(peer, line)
            else:
                self._call(peer, peer.process, line)
        if peer.process is None:
            if peer.unread > self._limits.introduction:
                self._hang_up(peer)
        elif peer.unread > LONGEST_LINE:
            self._refuse(peer, f"a request has at most {LONGEST_LINE} bytes")

    def _introduce(self, peer: Peer, line: bytes) -> None:
        """Learn whose connection it is; a lifeline is told the number of its process, who has no secret nothing."""
        process = introduction_of(line, self._secret) if len(line) <= self._limits.introduction else None
        if process == LIFELINE:
            self._lifelines += 1
            peer.process, peer.is_lifeline = self._lifelines, True
            self._processes[peer.process] = set()
            if self._observer is not None:
                self._observer.came(peer.process)
            account = in_group(account_of(peer.connection, self._own), self._group)
            self._broker.process_came(peer.process, account)
            self._send(peer, encode((peer.process,)))
        elif process in self._processes:
            peer.process = process
            self._processes[process].add(peer)
        else:
            self._hang_up(peer)
            return
        del self._strangers[peer]

    def _call(self, peer: Peer, process: int, line: bytes) -> None:
        if not peer.owes_nothing:
            self._refuse(peer, "the one before was not answered yet")
            return
        try:
            name, fields = request_of(line)
            peer.is_asking = True
            if self._observer is not None:
                self._observer.called(peer, process, name, fields)
            self._broker.call(peer, process, name, fields, time.monotonic())
        except Malformed as reason:
            self._refuse(peer, str(reason))
        except Exception:  # a broker with parts of others may raise anything, and the next call may go well
            traceback.print_exc()
            self._refuse(peer, "the broker failed to make it: its standard error has the traceback")
        else:
            self._send_answers()

    def _refuse(self, peer: Peer, sentence: str) -> None:
        self._send(peer, encode_refusal(sentence))
        self._hang_up(peer)
        self._send_answers()

    def _send_answers(self) -> None:
        if self._broker.made:
            made, self._broker.made = self._broker.made, []
            self._directory.give(made)
        answers, self._broker.answers = self._broker.answers, []
        for peer, answer in answers:
            peer.is_asking = False
            if self._observer is not None:
                self._observer.answered(peer, answer)
            self._send(peer, encode((answer.code, *answer.values)))
        if self._broker.garbage:
            garbage, self._broker.garbage = self._broker.garbage, []
            self._directory.delete(garbage)

    def _send(self, peer: Peer, data: bytes) -> None:
        """Send without waiting; what does not fit goes when there is room."""
        if peer.is_gone:
            return
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
