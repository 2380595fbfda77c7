"""The abi of sqlvdi.dll: the interfaces of a client object and of its devices, called by their vtables.

Nothing is judged here: codes and out variables are reported as they came.
"""

from __future__ import annotations

from ctypes import c_uint32, c_uint64, c_void_p, c_wchar_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters import com
from vdi_conformance.adapters.native import CompiledDevice, CompiledSet, structure
from vdi_conformance.vdi.methods import SLOTS

if TYPE_CHECKING:
    from vdi_conformance.contract import VirtualDevice
    from vdi_conformance.vdi.structures import VDConfig


_SET: Final = com.methods(
    SLOTS,
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
_DEVICE: Final = com.methods(
    SLOTS,
    GetCommand=(c_uint32, c_void_p),
    CompleteCommand=(c_void_p, c_uint32, c_uint32, c_uint64),
)


class SqlvdiSet(CompiledSet):
    """An IClientVirtualDeviceSet2 at an address."""

    def __init__(self, this: int) -> None:
        self._this = this

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method by its slot."""
        com.enter()
        return _SET[method](self._this, *arguments)

    def text(self, name: str | None) -> str | None:
        """Give a name as it is: ctypes makes a LPCWSTR of it."""
        return name

    def waiting(self, timeout: int) -> int:
        """Give milliseconds, or INFINITE, as they are."""
        return timeout

    def device(self, address: int) -> VirtualDevice:
        """Give the device at an address."""
        return SqlvdiDevice(address)

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx."""
        return self.call("CreateEx", instance, name, structure(config))

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx."""
        return self.call("OpenInSecondaryEx", instance, name)

    def release(self) -> None:
        """Release."""
        com.enter()
        com.release(self._this)


class SqlvdiDevice(CompiledDevice):
    """An IClientVirtualDevice at an address."""

    def __init__(self, this: int) -> None:
        self._this = this

    def call(self, method: str, *arguments: Any) -> int:
        """Call a method by its slot."""
        com.enter()
        return _DEVICE[method](self._this, *arguments)

    def waiting(self, timeout: int) -> int:
        """Give milliseconds, or INFINITE, as they are."""
        return timeout

    def release(self) -> None:
        """Release."""
        com.enter()
        com.release(self._this)
