"""The abi of libsqlvdi.so: two C++ classes without virtual methods, called by their mangled names through ctypes.

Objects are what the header makes them, one private pointer each. Nothing is judged here: codes and out variables are
reported as they came. While a method runs, ctypes lets other threads go on.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int64, c_long, c_uint, c_ulong, c_void_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters.native import CompiledDevice, CompiledSet
from vdi_conformance.contract import Unavailable
from vdi_conformance.vdi.hresult import VD_E_NOTSUPPORTED, VD_E_PROTOCOL
from vdi_conformance.vdi.identifiers import LINUX_SET_CONSTRUCTOR, LINUX_SET_DESTRUCTOR
from vdi_conformance.vdi.methods import LINUX_SYMBOLS
from vdi_conformance.vdi.structures import INFINITE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.contract import VirtualDevice
    from vdi_conformance.vdi.structures import VDConfig

CODE_MASK: Final = 0xFFFFFFFF
NO_LIMIT: Final = -1
"""Any negative time-out waits without limit."""

_OBJECT_SIZE: Final = 8
_SET_ARGUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "Create": (c_char_p, c_void_p),
    "GetConfiguration": (c_long, c_void_p),
    "OpenDevice": (c_char_p, POINTER(c_void_p)),
    "Close": (),
    "SignalAbort": (),
    "OpenInSecondary": (c_char_p,),
    "GetBufferHandle": (c_void_p, POINTER(c_uint)),
    "MapBufferHandle": (c_int, POINTER(c_void_p)),
}
_DEVICE_ARGUMENTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "GetCommand": (c_long, POINTER(c_void_p)),
    "CompleteCommand": (c_void_p, c_int, c_ulong, c_int64),
}


class Library:
    """A loaded library with all functions that clients call; Unavailable where one is not there."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self.loaded = ctypes.CDLL(path)
        except OSError as error:
            raise Unavailable(f"the library {path} cannot be loaded ({error}): name another one") from error
        self.construct = self._function(LINUX_SET_CONSTRUCTOR, None)
        self.destroy = self._function(LINUX_SET_DESTRUCTOR, None)
        self.set_methods = self._methods(_SET_ARGUMENTS)
        self.device_methods = self._methods(_DEVICE_ARGUMENTS)

    def _methods(self, arguments: Mapping[str, tuple[Any, ...]]) -> dict[str, Callable[..., int]]:
        return {name: self._function(LINUX_SYMBOLS[name], c_int, *types) for name, types in arguments.items()}

    def _function(self, symbol: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        try:
            found = self.loaded[symbol]
        except AttributeError as error:
            raise Unavailable(
                f"the library {self._path} has no symbol {symbol}, so it is no libsqlvdi.so that is documented: "
                "name another one"
            ) from error
        found.restype = result
        found.argtypes = (c_void_p, *arguments)
        return found


class LibsqlvdiSet(CompiledSet):
    """One ClientVirtualDeviceSet."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._object = ctypes.create_string_buffer(_OBJECT_SIZE)
        self._this = ctypes.addressof(self._object)
        library.construct(self._this)

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method by its symbol."""
        return self._library.set_methods[method](self._this, *arguments) & CODE_MASK

    def text(self, name: str | None) -> bytes | None:
        """Give what a char* points to; lone surrogates, which no UTF-8 has, are passed on all the same."""
        return None if name is None else name.encode("utf-8", "surrogatepass")

    def waiting(self, timeout: int) -> int:
        """Give a time_t of milliseconds."""
        return _waiting(timeout)

    def device(self, address: int) -> VirtualDevice:
        """Give the device at an address."""
        return LibsqlvdiDevice(self._library, address)

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx, which this abi has for the default instance alone: no other can be asked for."""
        return VD_E_NOTSUPPORTED if instance else self.create(name, config)

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx, which this abi has for the default instance alone: no other has any set."""
        return VD_E_PROTOCOL if instance else self.open_in_secondary(name)

    def release(self) -> None:
        """Destroy the object."""
        self._library.destroy(self._this)


class LibsqlvdiDevice(CompiledDevice):
    """One ClientVirtualDevice."""

    def __init__(self, library: Library, this: int) -> None:
        self._methods = library.device_methods
        self._this = this

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method by its symbol."""
        return self._methods[method](self._this, *arguments) & CODE_MASK

    def waiting(self, timeout: int) -> int:
        """Give a time_t of milliseconds."""
        return _waiting(timeout)

    def release(self) -> None:
        """Leave the device alone: no document says that its client deletes it, and the samples never do."""


def _waiting(timeout: int) -> int:
    return NO_LIMIT if timeout == INFINITE else timeout
