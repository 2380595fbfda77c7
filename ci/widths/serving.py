"""A server that sends a Write and a Flush to the only device of a set, and knows what their completions must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.host.messages.server import (
    ServerAllocateBuffer,
    ServerBeginConfiguration,
    ServerClose,
    ServerCloseDevice,
    ServerEndConfiguration,
    ServerNextCompletion,
    ServerOpen,
    ServerOpenDevice,
    ServerRequestBuffers,
    ServerSendCommand,
)
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_WRITE, VDF_WRITE_MEDIA
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, name_of
from widths.machine import SET, THREAD

if TYPE_CHECKING:
    from vdi_conformance.host.process import Host

POSITION: Final = 0x0123456789ABCDEF
"""Where the Write is to go, and what the client completes everything with: no two bytes of it are equal."""
_ID: Final = "server"
_BLOCK_SIZE: Final = 512
_TRANSFER: Final = 1 << 16
_BUFFERS: Final = 4
_MILLISECONDS: Final = 20000


class Sent(NamedTuple):
    """A command by its members, but for its buffer."""

    code: int
    size: int
    position: int


COMMANDS: Final = (Sent(VDC_WRITE, _TRANSFER, POSITION), Sent(VDC_FLUSH, 0, 0))


class Refused(Exception):
    """The server was refused a step, which the text names."""


class Server:
    """The server of the set, which takes every step that it is told."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def configure(self) -> None:
        """Configure the set that was created, and open its device."""
        call = self._host.call
        _need("Open", call(ServerOpen(server=_ID, instance=None, name=SET, thread=THREAD)).code)
        beginning = ServerBeginConfiguration(
            server=_ID,
            features=VDF_WRITE_MEDIA,
            alignment=_BLOCK_SIZE,
            block_size=_BLOCK_SIZE,
            max_transfer_size=_TRANSFER,
            timeout=_MILLISECONDS,
            thread=THREAD,
        )
        _need("BeginConfiguration", call(beginning).code)
        buffers = ServerRequestBuffers(server=_ID, size=_TRANSFER, alignment=_BLOCK_SIZE, count=_BUFFERS, thread=THREAD)
        _need("RequestBuffers", call(buffers).code)
        _need("EndConfiguration", call(ServerEndConfiguration(server=_ID, thread=THREAD)).code)
        _need("OpenDevice", call(ServerOpenDevice(server=_ID, name=SET, thread=THREAD)).code)

    def send(self) -> None:
        """Send the commands."""
        asked = ServerAllocateBuffer(server=_ID, size=_TRANSFER, alignment=_BLOCK_SIZE, thread=THREAD)
        buffer = self._host.call(asked)
        _need("AllocateBuffer", buffer.code)
        for tag, (code, size, position) in enumerate(COMMANDS):
            command = ServerSendCommand(
                server=_ID,
                device=SET,
                code=code,
                size=size,
                position=hex(position),
                buffer=(buffer.address or "0x0") if size else "0x0",
                tag=tag,
                thread=THREAD,
            )
            _need("SendCommand", self._host.call(command).code)

    def complaint(self, command: Sent) -> str:
        """Wait for the next completion, and say what of it is not as it must be; nothing where all is."""
        reply = self._host.call(ServerNextCompletion(server=_ID, timeout=_MILLISECONDS, thread=THREAD))
        if (found := reply.completion) is None:
            return "the server saw no completion"
        wanted = (ERROR_SUCCESS, command.size, POSITION)
        seen = (found.code, found.bytes_transferred, int(found.position, 16))
        return "" if seen == wanted else f"the server saw code, count and position {seen}, not {wanted}"

    def close(self) -> None:
        """Close the set, which ends its client's work."""
        _need("CloseDevice", self._host.call(ServerCloseDevice(server=_ID, device=SET, thread=THREAD)).code)
        _need("Close", self._host.call(ServerClose(server=_ID, thread=THREAD)).code)


def _need(method: str, code: int) -> None:
    if code != NOERROR:
        raise Refused(f"{method} of the server gave {name_of(code)}")
