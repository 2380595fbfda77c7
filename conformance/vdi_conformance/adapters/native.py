"""Client objects of a compiled library: what is the same however their methods are found and called.

Nothing is judged here: codes and out variables are reported as they came.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import c_uint8, c_uint32, c_void_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.contract import OUT_UNTOUCHED, Command, Outcome
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.contract import VirtualDevice

_UNTOUCHED_HANDLE: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_UNTOUCHED_CONFIG: Final = VDConfig(*[_UNTOUCHED_HANDLE] * len(VDConfig._fields)).pack()
# Where a system has signed members they are read as the contract has them, by their bits.
_COMMAND: Final = struct.Struct("<IIQQ" if ctypes.sizeof(c_void_p) == 8 else "<IIQI")


class CompiledSet:
    """The calls of a set that every abi has (contract.VirtualDeviceSet)."""

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method and give its HRESULT; None is a null pointer."""
        raise NotImplementedError

    def text(self, name: str | None) -> Any:
        """Give a name as the abi takes it."""
        raise NotImplementedError

    def waiting(self, timeout: int) -> int:
        """Give a time-out as the abi takes it."""
        raise NotImplementedError

    def device(self, address: int) -> VirtualDevice:
        """Give the device at an address."""
        raise NotImplementedError

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self.call("Create", self.text(name), structure(config))

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        if null_out:
            return Outcome(self.call("GetConfiguration", self.waiting(timeout), None))
        out = _bytes(_UNTOUCHED_CONFIG)
        code = self.call("GetConfiguration", self.waiting(timeout), out)
        return Outcome(code, VDConfig.unpack(bytes(out)))

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        if null_out:
            return Outcome(self.call("OpenDevice", self.text(name), None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self.call("OpenDevice", self.text(name), ctypes.byref(out))
        return Outcome(code, self.device(out.value) if out.value else None)

    def close(self) -> int:
        """Close."""
        return self.call("Close")

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self.call("SignalAbort")

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self.call("OpenInSecondary", self.text(name))

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        if null_out:
            return Outcome(self.call("GetBufferHandle", address, None))
        out = c_uint32(_UNTOUCHED_HANDLE)
        return Outcome(self.call("GetBufferHandle", address, ctypes.byref(out)), out.value)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        if null_out:
            return Outcome(self.call("MapBufferHandle", handle, None))
        out = c_void_p(OUT_UNTOUCHED)
        return Outcome(self.call("MapBufferHandle", handle, ctypes.byref(out)), out.value or 0)


class CompiledDevice:
    """The calls of a device (contract.VirtualDevice)."""

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method and give its HRESULT."""
        raise NotImplementedError

    def waiting(self, timeout: int) -> int:
        """Give a time-out as the abi takes it."""
        raise NotImplementedError

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """GetCommand; the record that it hands out stays where it is and is named by its address."""
        if null_out:
            return Outcome(self.call("GetCommand", self.waiting(timeout), None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self.call("GetCommand", self.waiting(timeout), ctypes.byref(out))
        if code != NOERROR or not out.value:
            return Outcome(code)
        return Outcome(code, Command(out.value, *_COMMAND.unpack(ctypes.string_at(out.value, _COMMAND.size))))

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """CompleteCommand."""
        return self.call("CompleteCommand", command, completion_code, bytes_transferred, position)


def structure(config: VDConfig | None) -> ctypes.Array[Any] | None:
    """Give a VDConfig as it lies in memory."""
    return None if config is None else _bytes(config.pack())


def _bytes(data: bytes) -> ctypes.Array[Any]:
    return (c_uint8 * len(data)).from_buffer_copy(data)
