"""The server's interfaces of sqlvdi.dll, called by their vtables: a server that is told every step.

Untested on Microsoft's library: SQL Server itself is the only server that is known to use them there.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from ctypes import POINTER, c_uint32, c_uint64, c_void_p, c_wchar_p
from itertools import count
from typing import Final, NamedTuple

from vdi_conformance.adapters import com
from vdi_conformance.contract import Completion, Outcome
from vdi_conformance.vdi.hresult import NOERROR, VD_E_PROTOCOL, failed
from vdi_conformance.vdi.identifiers import (
    CLSID_MSSQL_SERVER_VIRTUAL_DEVICE_SET,
    IID_SERVER_VIRTUAL_DEVICE_SET2,
    SERVER_DEVICE_SLOTS,
    SERVER_SET2_SLOTS,
)
from vdi_conformance.vdi.structures import VD_CONFIG, VDConfig

_SET: Final = com.methods(
    SERVER_SET2_SLOTS,
    Open=(c_wchar_p, c_wchar_p),
    GetConfiguration=(c_void_p,),
    BeginConfiguration=(c_uint32, c_uint32, c_uint32, c_uint32, c_uint32),
    EndConfiguration=(),
    RequestBuffers=(c_uint32, c_uint32, c_uint32),
    QueryAvailableBuffers=(c_uint32, c_uint32, c_void_p),
    ExecuteCompletionAgent=(),
    OpenDevice=(c_wchar_p, c_void_p),
    AllocateBuffer=(c_void_p, c_uint32, c_uint32),
    FreeBuffer=(c_void_p, c_uint32),
    SignalAbort=(),
    Close=(),
)
_DEVICE: Final = com.methods(SERVER_DEVICE_SLOTS, SendCommand=(c_void_p,), CloseDevice=())


class VDSCommand(ctypes.Structure):
    """A command as its server sends it, and what became of it (vdi.h)."""

    _fields_ = (
        ("command_code", c_uint32),
        ("size", c_uint32),
        ("in_position", c_uint64),
        ("out_position", c_uint64),
        ("buffer", c_void_p),
        ("completion_routine", c_void_p),
        ("completion_context", c_void_p),
        ("completion_code", c_uint32),
        ("bytes_transferred", c_uint32),
    )


class _Sent(NamedTuple):
    """A command that is under way: its record must stay where it is."""

    tag: int
    device: str
    thread: int
    record: VDSCommand


_routine_type: Final = ctypes.CFUNCTYPE(None, POINTER(VDSCommand))


def server_set(library: str | None) -> ServerDeviceSet:
    """Make a server for one set, of the class that is registered or that of a library."""
    return ServerDeviceSet(com.create(CLSID_MSSQL_SERVER_VIRTUAL_DEVICE_SET, IID_SERVER_VIRTUAL_DEVICE_SET2, library))


class ServerDeviceSet:
    """A server of one set (contract.ScriptedServer); its completion agent runs from EndConfiguration on."""

    def __init__(self, this: int) -> None:
        self._this = this
        self._devices: dict[str, int] = {}
        self._numbers = count(1)
        self._sent: dict[int, _Sent] = {}
        self._completions: queue.SimpleQueue[Completion | None] = queue.SimpleQueue()
        self._routine = _routine_type(self._completed)
        self._agent: threading.Thread | None = None
        self._agent_has_ended = False

    def _call(self, method: str, *arguments: object) -> int:
        com.enter()
        return _SET[method](self._this, *arguments)

    def open(self, instance: str | None, name: str) -> int:
        """Open."""
        return self._call("Open", instance, name)

    def get_configuration(self) -> Outcome[VDConfig]:
        """GetConfiguration."""
        out = (ctypes.c_uint8 * VD_CONFIG.size)()
        code = self._call("GetConfiguration", out)
        return Outcome(code, None if failed(code) else VDConfig.unpack(bytes(out)))

    def begin_configuration(
        self, features: int, alignment: int, block_size: int, max_transfer_size: int, timeout: int
    ) -> int:
        """BeginConfiguration, with its arguments in the order of the header, which the pages do not share."""
        return self._call("BeginConfiguration", features, block_size, alignment, max_transfer_size, timeout)

    def request_buffers(self, size: int, alignment: int, count: int) -> int:
        """RequestBuffers."""
        return self._call("RequestBuffers", size, alignment, count)

    def query_available_buffers(self, size: int, alignment: int) -> Outcome[int]:
        """QueryAvailableBuffers."""
        out = c_uint32()
        code = self._call("QueryAvailableBuffers", size, alignment, ctypes.byref(out))
        return Outcome(code, None if failed(code) else out.value)

    def end_configuration(self) -> int:
        """EndConfiguration; then the completion agent is set to work."""
        code = self._call("EndConfiguration")
        if code == NOERROR:
            self._agent_has_ended = False
            self._agent = threading.Thread(target=self._run_agent, name="completion agent", daemon=True)
            self._agent.start()
        return code

    def _run_agent(self) -> None:
        self._call("ExecuteCompletionAgent")
        self._completions.put(None)

    def _completed(self, command: ctypes._Pointer[VDSCommand]) -> None:
        """Take a command back, on the thread of the agent or, where it is refused, of its sender."""
        record = command.contents
        sent = self._sent.pop(record.completion_context or 0)
        completion = Completion(
            sent.tag,
            sent.device,
            record.completion_code,
            record.bytes_transferred,
            record.out_position,
            thread_of_sender=sent.thread == threading.get_ident(),
        )
        self._completions.put(completion)

    def open_device(self, name: str) -> int:
        """OpenDevice."""
        out = c_void_p()
        code = self._call("OpenDevice", name, ctypes.byref(out))
        if code == NOERROR and out.value:
            self._devices[name] = out.value
        return code

    def allocate_buffer(self, size: int, alignment: int) -> Outcome[int]:
        """AllocateBuffer."""
        out = c_void_p()
        code = self._call("AllocateBuffer", ctypes.byref(out), size, alignment)
        return Outcome(code, out.value if code == NOERROR else None)

    def free_buffer(self, address: int, size: int) -> int:
        """FreeBuffer."""
        return self._call("FreeBuffer", address, size)

    def send_command(self, device: str, code: int, size: int, position: int, buffer: int, tag: int) -> int:
        """SendCommand."""
        number = next(self._numbers)
        routine = ctypes.cast(self._routine, c_void_p)
        record = VDSCommand(code, size, position, 0, buffer, routine, number, 0, 0)
        self._sent[number] = _Sent(tag, device, threading.get_ident(), record)
        answer = self._call_device("SendCommand", device, ctypes.byref(record))
        if failed(answer):
            self._sent.pop(number, None)
        return answer

    def _call_device(self, method: str, device: str, *arguments: object) -> int:
        """Call a method of a device; one that is not open has no object that could be called."""
        com.enter()
        this = self._devices.get(device)
        return VD_E_PROTOCOL if this is None else _DEVICE[method](this, *arguments)

    def next_completion(self, timeout: int) -> Completion | None:
        """Wait for the next completion; None at once where the agent has ended and none is left."""
        try:
            while (found := self._completions.get(timeout=0 if self._agent_has_ended else timeout / 1000)) is None:
                # What is refused from now on is still reported, behind this.
                self._agent_has_ended = True
        except queue.Empty:
            return None
        return found

    def close_device(self, device: str) -> int:
        """CloseDevice."""
        return self._call_device("CloseDevice", device)

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._call("SignalAbort")

    def close(self) -> int:
        """Close; the completion agent ends with it."""
        code = self._call("Close")
        if self._agent is not None:
            self._agent.join()
        for device in self._devices.values():
            com.release(device)
        self._devices.clear()
        return code
