"""What a server sends for one request: packets that leave as soon as they are wanted, until the client cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vdi_conformance.tds.packets import PacketCutter


class Audience(Protocol):
    """Whoever asked."""

    @property
    def is_listening(self) -> bool:
        """Whether what is sent is still waited for."""
        ...

    def send(self, data: bytes) -> None:
        """Send packets, also to somebody who has gone."""
        ...


class Response:
    """One message of the server's. What comes when nobody waits for it any more is left out, but for its end."""

    def __init__(self, cutter: PacketCutter, audience: Audience) -> None:
        self._cutter = cutter
        self._audience = audience

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for it."""
        return self._audience.is_listening

    def write(self, content: bytes) -> None:
        """Add tokens, which are sent when a packet is full."""
        if self.is_wanted and (full := self._cutter.add(content)):
            self._audience.send(full)

    def flush(self) -> None:
        """Send what is there."""
        if self.is_wanted and (packet := self._cutter.flush()):
            self._audience.send(packet)

    def end(self, content: bytes) -> None:
        """Send the last tokens, and with them the end of the message."""
        self._audience.send(self._cutter.add(content) + self._cutter.end())
