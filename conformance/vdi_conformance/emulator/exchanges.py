"""Runs the scripts of all devices at once: one command outstanding a device, one pool of buffers for all."""

from __future__ import annotations

import ctypes
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.emulator import messages
from vdi_conformance.emulator.transfers import StatementError, Transfer, TransferResult
from vdi_conformance.vdi.commands import DATA_COMMANDS, VDC_CLEAR_ERROR
from vdi_conformance.vdi.completion import ERROR_IO_DEVICE, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID
from vdi_conformance.vdi.structures import INFINITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.contract import Completion, ScriptedServer
    from vdi_conformance.emulator.transfers import Script
    from vdi_conformance.vdi.structures import VDConfig

_WRITABLE: Final = 0x200
_memory_at = ctypes.pythonapi.PyMemoryView_FromMemory
_memory_at.restype = ctypes.py_object
_memory_at.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)


class Aborted(Exception):
    """The set was aborted while a statement worked with it."""


class _Buffer(NamedTuple):
    address: int
    data: memoryview


_NO_BUFFER: Final = _Buffer(0, memoryview(b""))
_CLEAR_ERROR: Final = Transfer(VDC_CLEAR_ERROR)


class Exchanges:
    """The commands of one statement."""

    def __init__(self, server: ScriptedServer, devices: Sequence[str], config: VDConfig, buffer_count: int) -> None:
        self._server = server
        self._devices = devices
        self._config = config
        self._unallocated = buffer_count
        self._pool: list[_Buffer] = []
        self._metadata = [self._allocate(config.block_size) for _ in devices]
        self._scripts: dict[str, Script] = {}
        self._for_want_of_buffer: deque[tuple[str, Transfer]] = deque()
        self._outstanding: dict[str, tuple[Transfer, _Buffer]] = {}
        self._refused: dict[str, tuple[Transfer, _Buffer]] = {}
        self._failure: StatementError | None = None

    def run(self, scripts: dict[str, Script]) -> None:
        """Run one script a device to their ends.

        After a StatementError nothing new is sent; it goes on to the caller when everything outstanding has
        come back. Aborted is raised as soon as the set is.
        """
        self._scripts = scripts
        for device in scripts:
            self._advance(device, None)
        self._run_out()

    def _run_out(self) -> None:
        while self._outstanding:
            completion = self._server.next_completion(INFINITE)
            if completion is None:
                raise Aborted
            self._take(completion)
        if self._failure is not None:
            raise self._failure

    def _take(self, completion: Completion) -> None:
        """Hand a completion to its script, then let others have the buffer."""
        device = self._devices[completion.tag]
        exchange, buffer = self._outstanding.pop(device)
        if exchange is _CLEAR_ERROR:
            exchange, buffer = self._refused.pop(device)
            if completion.code == ERROR_SUCCESS:
                self._send(device, exchange, buffer)
                return
        elif completion.thread_of_sender and completion.code == ERROR_IO_DEVICE:
            # What only informs may count as an error: the device is then cleared before the next command.
            self._refused[device] = exchange, buffer
            self._send(device, _CLEAR_ERROR, _NO_BUFFER)
            return
        result = TransferResult(completion.code, completion.bytes_transferred, buffer.data, completion.position)
        self._advance(device, result)
        if exchange.from_pool:
            self._pool.append(buffer)
        while self._for_want_of_buffer and self._buffer_is_free():
            self._send(*self._for_want_of_buffer.popleft())

    def _advance(self, device: str, result: TransferResult | None) -> None:
        """Run a script to its next command, and send that."""
        script = self._scripts[device]
        try:
            exchange = next(script) if result is None else script.send(result)
        except StopIteration:
            return
        except StatementError as error:
            self._failure = self._failure or error
            self._for_want_of_buffer.clear()
            return
        if exchange.from_pool and (self._for_want_of_buffer or not self._buffer_is_free()):
            self._for_want_of_buffer.append((device, exchange))
        else:
            self._send(device, exchange)

    def _send(self, device: str, exchange: Transfer, buffer: _Buffer | None = None) -> None:
        if self._failure is not None:
            return
        buffer = buffer or self._buffer_for(device, exchange)
        if exchange.frame is not None:
            exchange.frame.write_to(buffer.data, exchange.offset)
        self._outstanding[device] = exchange, buffer
        tag = self._devices.index(device)
        code = self._server.send_command(device, exchange.code, exchange.size, exchange.position, buffer.address, tag)
        if code == VD_E_INVALID:
            raise StatementError(messages.unusable("a buffer was refused"))

    def _buffer_for(self, device: str, exchange: Transfer) -> _Buffer:
        if exchange.code not in DATA_COMMANDS:
            return _NO_BUFFER
        if not exchange.from_pool:
            return self._metadata[self._devices.index(device)]
        if not self._pool:
            self._unallocated -= 1
            self._pool.append(self._allocate(self._config.max_transfer_size))
        return self._pool.pop()

    def _buffer_is_free(self) -> bool:
        return bool(self._pool or self._unallocated)

    def _allocate(self, size: int) -> _Buffer:
        code, address = self._server.allocate_buffer(size, 0)
        if code == VD_E_ABORT:
            raise Aborted
        if code != NOERROR or address is None:
            raise StatementError(messages.not_allocated(self._devices[0]))
        return _Buffer(address, _memory_at(address, size, _WRITABLE))
