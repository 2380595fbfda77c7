"""The face of sqlvdi.dll: the interfaces of a client object and of its devices, called by their vtables.

Nothing is judged here: codes and out variables are reported as they came.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import c_uint8, c_uint32, c_uint64, c_void_p, c_wchar_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters import com
from vdi_conformance.contract import OUT_UNTOUCHED, Command, Outcome
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.identifiers import DEVICE_SLOTS, SET_SLOTS
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.contract import VirtualDevice

_UNTOUCHED_HANDLE: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_UNTOUCHED_CONFIG: Final = VDConfig(*[_UNTOUCHED_HANDLE] * len(VDConfig._fields)).pack()
_COMMAND: Final = struct.Struct("<IIQQ" if ctypes.sizeof(c_void_p) == 8 else "<IIQI")


def _methods(slots: Mapping[str, int], **arguments: tuple[Any, ...]) -> dict[str, com.Method]:
    return {name: com.Method(slots[name], *types) for name, types in arguments.items()}


_SET: Final = _methods(
    SET_SLOTS,
    Release=(),
    Create=(c_wchar_p, c_void_p),
    GetConfiguration=(c_uint32, c_void_p),
    OpenDevice=(c_wchar_p, c_void_p),
    Close=(),
    SignalAbort=(),
    OpenInSecondary=(c_wchar_p,),
    GetBufferHandle=(c_void_p, c_void_p),
    MapBufferHandle=(c_uint32, c_void_p),
    CreateEx=(c_wchar_p, c_wchar_p, c_void_p),
    OpenInSecondaryEx=(c_wchar_p, c_wchar_p),
)
_DEVICE: Final = _methods(
    DEVICE_SLOTS,
    Release=(),
    GetCommand=(c_uint32, c_void_p),
    CompleteCommand=(c_void_p, c_uint32, c_uint32, c_uint64),
)


class ClientDeviceSet:
    """An IClientVirtualDeviceSet2 at an address (contract.VirtualDeviceSet)."""

    def __init__(self, this: int) -> None:
        self._this = this

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self._call("Create", name, _structure(config))

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx."""
        return self._call("CreateEx", instance, name, _structure(config))

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        if null_out:
            return Outcome(self._call("GetConfiguration", timeout, None))
        out = _bytes(_UNTOUCHED_CONFIG)
        code = self._call("GetConfiguration", timeout, out)
        return Outcome(code, VDConfig.unpack(bytes(out)))

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        if null_out:
            return Outcome(self._call("OpenDevice", name, None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self._call("OpenDevice", name, ctypes.byref(out))
        return Outcome(code, ClientDevice(out.value) if out.value else None)

    def close(self) -> int:
        """Close."""
        return self._call("Close")

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._call("SignalAbort")

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self._call("OpenInSecondary", name)

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx."""
        return self._call("OpenInSecondaryEx", instance, name)

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        if null_out:
            return Outcome(self._call("GetBufferHandle", address, None))
        out = c_uint32(_UNTOUCHED_HANDLE)
        return Outcome(self._call("GetBufferHandle", address, ctypes.byref(out)), out.value)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        if null_out:
            return Outcome(self._call("MapBufferHandle", handle, None))
        out = c_void_p(OUT_UNTOUCHED)
        return Outcome(self._call("MapBufferHandle", handle, ctypes.byref(out)), out.value or 0)

    def release(self) -> None:
        """Release."""
        self._call("Release")

    def _call(self, method: str, *arguments: Any) -> int:
        com.enter()
        return _SET[method](self._this, *arguments)


class ClientDevice:
    """An IClientVirtualDevice at an address (contract.VirtualDevice)."""

    def __init__(self, this: int) -> None:
        self._this = this

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """GetCommand; the record that it hands out stays where it is and is named by its address."""
        if null_out:
            return Outcome(self._call("GetCommand", timeout, None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self._call("GetCommand", timeout, ctypes.byref(out))
        if code != NOERROR or not out.value:
            return Outcome(code)
        return Outcome(code, Command(out.value, *_COMMAND.unpack(ctypes.string_at(out.value, _COMMAND.size))))

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """CompleteCommand."""
        return self._call("CompleteCommand", command, completion_code, bytes_transferred, position)

    def release(self) -> None:
        """Release."""
        self._call("Release")

    def _call(self, method: str, *arguments: Any) -> int:
        com.enter()
        return _DEVICE[method](self._this, *arguments)


def _structure(config: VDConfig | None) -> ctypes.Array[Any] | None:
    return None if config is None else _bytes(config.pack())


def _bytes(data: bytes) -> ctypes.Array[Any]:
    return (c_uint8 * len(data)).from_buffer_copy(data)
