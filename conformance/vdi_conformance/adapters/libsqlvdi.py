"""The face of libsqlvdi.so: two C++ classes without virtual methods, called by their mangled names through ctypes.

Objects are what the header makes them, one private pointer each. Nothing is judged here: codes and out variables are
reported as they came. While a method runs, ctypes lets other threads go on.
"""

from __future__ import annotations

import ctypes
import struct
from ctypes import POINTER, c_char_p, c_int, c_int64, c_uint, c_uint8, c_ulong, c_void_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.contract import OUT_UNTOUCHED, Command, Outcome, Unavailable
from vdi_conformance.vdi.hresult import NOERROR, VD_E_NOTSUPPORTED, VD_E_PROTOCOL
from vdi_conformance.vdi.identifiers import (
    LINUX_DEVICE_SYMBOLS,
    LINUX_SET_CONSTRUCTOR,
    LINUX_SET_DESTRUCTOR,
    LINUX_SET_SYMBOLS,
)
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.contract import VirtualDevice

CODE_MASK: Final = 0xFFFFFFFF
NO_LIMIT: Final = -1
"""Any negative time-out waits without limit."""

_UNTOUCHED_HANDLE: Final = OUT_UNTOUCHED & 0xFFFFFFFF
_UNTOUCHED_CONFIG: Final = VDConfig(*[_UNTOUCHED_HANDLE] * len(VDConfig._fields)).pack()
_OBJECT_SIZE: Final = 8
_COMMAND: Final = struct.Struct("<IIQQ")
_SET_ARGUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "Create": (c_char_p, c_void_p),
    "GetConfiguration": (c_int64, c_void_p),
    "OpenDevice": (c_char_p, POINTER(c_void_p)),
    "Close": (),
    "SignalAbort": (),
    "OpenInSecondary": (c_char_p,),
    "GetBufferHandle": (c_void_p, POINTER(c_uint)),
    "MapBufferHandle": (c_int, POINTER(c_void_p)),
}
_DEVICE_ARGUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "GetCommand": (c_int64, POINTER(c_void_p)),
    "CompleteCommand": (c_void_p, c_int, c_ulong, c_int64),
}


class Library:
    """A loaded library with all functions that clients call; Unavailable where one is not there."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._loaded = ctypes.CDLL(path)
        except OSError as error:
            raise Unavailable(f"the library {path} cannot be loaded ({error}): name another one") from error
        self.construct = self._function(LINUX_SET_CONSTRUCTOR, None)
        self.destroy = self._function(LINUX_SET_DESTRUCTOR, None)
        self.set_methods = self._methods(LINUX_SET_SYMBOLS, _SET_ARGUMENTS)
        self.device_methods = self._methods(LINUX_DEVICE_SYMBOLS, _DEVICE_ARGUMENTS)

    def _methods(
        self, symbols: Mapping[str, str], arguments: Mapping[str, tuple[Any, ...]]
    ) -> dict[str, Callable[..., int]]:
        return {name: self._function(symbol, c_int, *arguments[name]) for name, symbol in symbols.items()}

    def _function(self, symbol: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        try:
            found = self._loaded[symbol]
        except AttributeError as error:
            raise Unavailable(
                f"the library {self._path} has no symbol {symbol}, so it is no libsqlvdi.so that is documented: "
                "name another one"
            ) from error
        found.restype = result
        found.argtypes = (c_void_p, *arguments)
        return found


class ClientDeviceSet:
    """One ClientVirtualDeviceSet (contract.VirtualDeviceSet)."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._object = ctypes.create_string_buffer(_OBJECT_SIZE)
        self._this = ctypes.addressof(self._object)
        library.construct(self._this)

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self._call("Create", _text(name), None if config is None else _structure(config.pack()))

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx, which this face has for the default instance alone: no other can be asked for."""
        return VD_E_NOTSUPPORTED if instance else self.create(name, config)

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        if null_out:
            return Outcome(self._call("GetConfiguration", _waiting(timeout), None))
        out = _structure(_UNTOUCHED_CONFIG)
        code = self._call("GetConfiguration", _waiting(timeout), out)
        return Outcome(code, VDConfig.unpack(bytes(out)))

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        if null_out:
            return Outcome(self._call("OpenDevice", _text(name), None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self._call("OpenDevice", _text(name), ctypes.byref(out))
        return Outcome(code, ClientDevice(self._library, out.value) if out.value else None)

    def close(self) -> int:
        """Close."""
        return self._call("Close")

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._call("SignalAbort")

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self._call("OpenInSecondary", _text(name))

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx, which this face has for the default instance alone: no other has any set."""
        return VD_E_PROTOCOL if instance else self.open_in_secondary(name)

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        if null_out:
            return Outcome(self._call("GetBufferHandle", address, None))
        out = c_uint(_UNTOUCHED_HANDLE)
        return Outcome(self._call("GetBufferHandle", address, ctypes.byref(out)), out.value)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        if null_out:
            return Outcome(self._call("MapBufferHandle", handle, None))
        out = c_void_p(OUT_UNTOUCHED)
        return Outcome(self._call("MapBufferHandle", handle, ctypes.byref(out)), out.value or 0)

    def release(self) -> None:
        """Destroy the object."""
        self._library.destroy(self._this)

    def _call(self, method: str, *arguments: Any) -> int:
        return self._library.set_methods[method](self._this, *arguments) & CODE_MASK


class ClientDevice:
    """One ClientVirtualDevice (contract.VirtualDevice)."""

    def __init__(self, library: Library, this: int) -> None:
        self._methods = library.device_methods
        self._this = this

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """GetCommand; the record that it hands out stays where it is and is named by its address."""
        if null_out:
            return Outcome(self._call("GetCommand", _waiting(timeout), None))
        out = c_void_p(OUT_UNTOUCHED)
        code = self._call("GetCommand", _waiting(timeout), ctypes.byref(out))
        if code != NOERROR or not out.value:
            return Outcome(code)
        # The members are signed here; the contract has the bits of Windows, whose members are not.
        number, size, position, buffer = _COMMAND.unpack(ctypes.string_at(out.value, _COMMAND.size))
        return Outcome(code, Command(out.value, number, size, position, buffer))

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """CompleteCommand."""
        return self._call("CompleteCommand", command, completion_code, bytes_transferred, position)

    def release(self) -> None:
        """Leave the device alone: no document says that its client deletes it, and the samples never do."""

    def _call(self, method: str, *arguments: Any) -> int:
        return self._methods[method](self._this, *arguments) & CODE_MASK


def _text(name: str | None) -> bytes | None:
    """Give what a char* points to; lone surrogates, which no UTF-8 has, are passed on all the same."""
    return None if name is None else name.encode("utf-8", "surrogatepass")


def _structure(data: bytes) -> ctypes.Array[Any]:
    return (c_uint8 * len(data)).from_buffer_copy(data)


def _waiting(timeout: int) -> int:
    """Turn a time-out into a time_t of milliseconds."""
    return NO_LIMIT if timeout == INFINITE else timeout
