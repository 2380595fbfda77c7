"""The requests of one session between the thread that reads them and the one that runs them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.tds.packets import ClientMessage


class Attention:
    """What is taken out of an inbox when the client has cancelled, and is to be told that this is known."""


class Inbox:
    """Keeps one request while another one runs, and tells whoever runs it that the client wants no more of it.

    `cancel` is called where the client cancels or goes while a request runs.
    """

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._changed = threading.Condition()
        self._waiting: ClientMessage | None = None
        self._attentions = 0
        self._is_running = False
        self._is_closed = False

    @property
    def is_listening(self) -> bool:
        """Whether the client wants to know of the request that runs.

        No lock is held, since whoever runs the request may hold one that `cancel` waits for.
        """
        return not self._attentions and not self._is_closed

    def put(self, message: ClientMessage) -> None:
        """Hand over a request, once there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is None or self._is_closed)
            self._waiting = message
            self._changed.notify_all()

    def attend(self) -> None:
        """Hand over that the client has cancelled, which ends what runs and drops what waits."""
        with self._changed:
            self._waiting = None
            self._attentions += 1
            self._end_running()

    def close(self) -> None:
        """Have nothing more run, since the client has gone or the session ends."""
        with self._changed:
            if not self._is_closed:
                self._is_closed = True
                self._end_running()

    def take(self) -> ClientMessage | Attention | None:
        """Wait for what is next; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._attentions or self._waiting is not None or self._is_closed)
            if self._is_closed:
                return None
            if self._attentions:
                self._attentions -= 1
                return Attention()
            message, self._waiting = self._waiting, None
            self._changed.notify_all()
            return message

    def started(self) -> None:
        """Say that something runs from now on, which is cancelled at once where the client wants it no more."""
        with self._changed:
            self._is_running = True
            if not self.is_listening:
                self._end_running()

    def finished(self) -> None:
        """Say that nothing runs any longer."""
        with self._changed:
            self._is_running = False

    def _end_running(self) -> None:
        self._changed.notify_all()
        if self._is_running:
            self._cancel()
