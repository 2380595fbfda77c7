"""The server's side of one set: the documented server interface, answered with what checks can hold to account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from vdi_conformance.harness.client import configuration
from vdi_conformance.harness.expectations import Code, PendingAnswer, Result
from vdi_conformance.harness.memory import ProcessMemory
from vdi_conformance.host.messages.server import (
    ServerAllocateBuffer,
    ServerBeginConfiguration,
    ServerClose,
    ServerCloseDevice,
    ServerEndConfiguration,
    ServerFreeBuffer,
    ServerGetConfiguration,
    ServerNextCompletion,
    ServerOpen,
    ServerOpenDevice,
    ServerQueryAvailableBuffers,
    ServerRequestBuffers,
    ServerSendCommand,
    ServerSignalAbort,
)
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.harness.expectations import Observe
    from vdi_conformance.host.messages.base import AddressReply, CodeReply, Request
    from vdi_conformance.host.messages.server import CompletionRecord, CompletionReply
    from vdi_conformance.host.process import Host
    from vdi_conformance.vdi.structures import VDConfig

T = TypeVar("T")
SERVER: Final = "server"


class ServerRole(ProcessMemory):
    """A server that is told every step; its calls run in order on one thread, SignalAbort on another.

    `requested` are the bytes of all buffers that it has asked for with success.
    """

    def __init__(self, host: Host, observe: Observe, key: str = SERVER) -> None:
        super().__init__(host)
        self.key = key
        self.requested = 0
        self._observe = observe

    def send_open(self, instance: str | None, name: str) -> PendingAnswer[CodeReply, Code]:
        """Start an Open."""
        return self._send(ServerOpen(server=self.key, instance=instance, name=name, thread=self.key))

    def open(self, instance: str | None, name: str) -> Code:
        """Open."""
        return self.send_open(instance, name).result()

    def get_configuration(self) -> Result[VDConfig]:
        """GetConfiguration."""
        reply = self.host.call(ServerGetConfiguration(server=self.key, thread=self.key))
        return self._answer(ServerGetConfiguration, reply.code, configuration(reply))

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> Code:
        """BeginConfiguration; sizes in bytes, `timeout` in milliseconds."""
        request = ServerBeginConfiguration(
            server=self.key,
            features=features,
            alignment=alignment,
            block_size=block_size,
            max_transfer_size=max_transfer_size,
            timeout=timeout,
            thread=self.key,
        )
        return self._send(request).result()

    def request_buffers(self, size: int, alignment: int, count: int) -> Code:
        """RequestBuffers."""
        request = ServerRequestBuffers(server=self.key, size=size, alignment=alignment, count=count, thread=self.key)
        answer = self._send(request).result()
        if answer.code == NOERROR:
            self.requested += size * count
        return answer

    def query_available_buffers(self, size: int, alignment: int) -> Result[int]:
        """QueryAvailableBuffers."""
        request = ServerQueryAvailableBuffers(server=self.key, size=size, alignment=alignment, thread=self.key)
        reply = self.host.call(request)
        return self._answer(ServerQueryAvailableBuffers, reply.code, reply.count)

    def send_end_configuration(self) -> PendingAnswer[CodeReply, Code]:
        """Start an EndConfiguration."""
        return self._send(ServerEndConfiguration(server=self.key, thread=self.key))

    def end_configuration(self) -> Code:
        """EndConfiguration."""
        return self.send_end_configuration().result()

    def open_device(self, name: str) -> Code:
        """OpenDevice."""
        return self._send(ServerOpenDevice(server=self.key, name=name, thread=self.key)).result()

    def allocate_buffer(self, size: int, alignment: int) -> Result[int]:
        """AllocateBuffer; the address is one of the server's process."""
        (result,) = self.allocate_buffers(size, alignment, 1)
        return result

    def allocate_buffers(self, size: int, alignment: int, count: int) -> list[Result[int]]:
        """Make so many calls of AllocateBuffer, one after the other."""

        def allocated(reply: AddressReply) -> Result[int]:
            address = None if reply.address is None else int(reply.address, 16)
            return self._answer(ServerAllocateBuffer, reply.code, address)

        request = ServerAllocateBuffer(server=self.key, size=size, alignment=alignment, thread=self.key)
        asked = self.host.send_all([request] * count)
        return [PendingAnswer(pending, allocated).result() for pending in asked]

    def free_buffer(self, address: int, size: int) -> Code:
        """FreeBuffer."""
        request = ServerFreeBuffer(server=self.key, address=hex(address), size=size, thread=self.key)
        return self._send(request).result()

    def send_send_command(
        self, device: str, code: int, size: int, position: int, buffer: int, tag: int
    ) -> PendingAnswer[CodeReply, Code]:
        """Start a SendCommand."""
        request = ServerSendCommand(
            server=self.key,
            device=device,
            code=code,
            size=size,
            position=hex(position),
            buffer=hex(buffer),
            tag=tag,
            thread=self.key,
        )
        return self._send(request)

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> Code:
        """SendCommand; `buffer` is an address of the server's process, 0 for commands without data."""
        return self.send_send_command(device, code, size, position, buffer, tag).result()

    def next_completion(self, timeout: int) -> CompletionRecord | None:
        """Wait up to `timeout` milliseconds for the next completion."""
        return self.send_next_completion(timeout).result()

    def send_next_completion(self, timeout: int) -> PendingAnswer[CompletionReply, CompletionRecord | None]:
        """Start to wait up to `timeout` milliseconds for the next completion."""
        request = ServerNextCompletion(server=self.key, timeout=timeout, thread=self.key)
        return PendingAnswer(self.host.send(request), lambda reply: reply.completion, timeout / 1000 + 10)

    def close_device(self, device: str) -> Code:
        """CloseDevice."""
        return self._send(ServerCloseDevice(server=self.key, device=device, thread=self.key)).result()

    def send_signal_abort(self) -> PendingAnswer[CodeReply, Code]:
        """Start a SignalAbort, on a thread of its own: it must not wait behind another call."""
        return self._send(ServerSignalAbort(server=self.key, thread="abort"))

    def signal_abort(self) -> Code:
        """SignalAbort."""
        return self.send_signal_abort().result()

    def close(self) -> Code:
        """Close."""
        return self._send(ServerClose(server=self.key, thread=self.key)).result()

    def kill(self) -> None:
        """End the process at once, as a crash does, and see it gone."""
        self.host.kill()
        self.host.wait_until_ended()

    def _send(self, request: Request[CodeReply]) -> PendingAnswer[CodeReply, Code]:
        def answered(reply: CodeReply) -> Code:
            return Code(f"{request.called} of the server", reply.code, self._observe)

        return PendingAnswer(self.host.send(request), answered)

    def _answer(self, method: type[Request[Any]], code: int, value: T | None) -> Result[T]:
        return Result(f"{method.called} of the server", code, self._observe, value)
