"""Shows a VDI client library to vdi-conformance; this file is yours, change what differs in your library.

It expects the ABI of libsqlvdi.so: two C++ classes without virtual methods, reached by their mangled names. Each
method makes one call and reports what came back, untouched: the suite judges it, this file must not. The rules
for adapters are in the first lines of `vdi_conformance/contract.py`.
"""

import ctypes
from collections.abc import Callable
from typing import Any, cast

from vdi_conformance.contract import (
    OUT_UNTOUCHED,
    Adapter,
    Capabilities,
    Command,
    Identity,
    Outcome,
    Unavailable,
    VirtualDevice,
    VirtualDeviceSet,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_NOTSUPPORTED
from vdi_conformance.vdi.methods import LINUX_SYMBOLS
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_64, VDConfig

# 1. Change these.
LIBRARY = "/opt/mssql/lib/libsqlvdi.so"
NAME = "skeleton"
VERSION = "unknown"
VENDOR = ""

# 2. Change these where your library has other names.
CONSTRUCTOR = "_ZN22ClientVirtualDeviceSetC1Ev"
DESTRUCTOR = "_ZN22ClientVirtualDeviceSetD1Ev"
# The class holds one pointer; some room beyond it does no harm.
OBJECT_SIZE = 64

CONFIG_SIZE = len(VDConfig().pack())
UNTOUCHED_32 = OUT_UNTOUCHED & 0xFFFFFFFF


class SkeletonAdapter(Adapter):
    """What the suite asks for; one object of this class lives in each process."""

    # The version of vdi_conformance/contract.py that this file was written for.
    contract_version = "1.0"

    def identity(self) -> Identity:
        """Say who is under test: it stands in every report."""
        return Identity(name=NAME, version=VERSION, vendor=VENDOR, library=LIBRARY)

    def capabilities(self) -> Capabilities:
        """Declare what is optional. What is declared must be served."""
        return Capabilities(named_instances=False, null_out_pointers=True, server="none")

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object; called again for each set of a process."""
        return DeviceSet(loaded(LIBRARY))

    # 3. Checks need a server that issues the commands. The built-in emulator serves its own clients only, so
    # give your library the one that it belongs to: derive `statement_server` from the contract, let its `execute`
    # run BACKUP or RESTORE ... VIRTUAL_DEVICE over your database driver, and declare server="statement" above.


class DeviceSet:
    """One ClientVirtualDeviceSet."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._object = ctypes.create_string_buffer(OBJECT_SIZE)
        self._this = ctypes.c_void_p(ctypes.addressof(self._object))
        function(library, CONSTRUCTOR, None)(self._this)

    def create(self, name: str | None, config: VDConfig | None) -> int:
        """Create."""
        return self._call("Create", text(name), packed(config))

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        """CreateEx, which this ABI does not have: only the default instance can be asked for."""
        return self.create(name, config) if instance is None else VD_E_NOTSUPPORTED

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """GetConfiguration."""
        if null_out:
            return Outcome(self._call("GetConfiguration", waiting(timeout), None))
        out = ctypes.create_string_buffer(UNTOUCHED_32.to_bytes(4, "little") * (CONFIG_SIZE // 4), CONFIG_SIZE)
        code = self._call("GetConfiguration", waiting(timeout), out)
        return Outcome(code, VDConfig.unpack(out.raw))

    def open_device(self, name: str | None, null_out: bool = False) -> Outcome[VirtualDevice]:
        """OpenDevice."""
        if null_out:
            return Outcome(self._call("OpenDevice", text(name), None))
        out = ctypes.c_void_p(OUT_UNTOUCHED)
        code = self._call("OpenDevice", text(name), ctypes.byref(out))
        return Outcome(code, Device(self._library, out.value) if out.value else None)

    def close(self) -> int:
        """Close."""
        return self._call("Close")

    def signal_abort(self) -> int:
        """SignalAbort."""
        return self._call("SignalAbort")

    def open_in_secondary(self, name: str | None) -> int:
        """OpenInSecondary."""
        return self._call("OpenInSecondary", text(name))

    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        """OpenInSecondaryEx, which this ABI does not have either."""
        return self.open_in_secondary(name) if instance is None else VD_E_NOTSUPPORTED

    def get_buffer_handle(self, address: int, null_out: bool = False) -> Outcome[int]:
        """GetBufferHandle."""
        if null_out:
            return Outcome(self._call("GetBufferHandle", ctypes.c_void_p(address), None))
        out = ctypes.c_uint32(UNTOUCHED_32)
        code = self._call("GetBufferHandle", ctypes.c_void_p(address), ctypes.byref(out))
        return Outcome(code, out.value)

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        """MapBufferHandle."""
        if null_out:
            return Outcome(self._call("MapBufferHandle", ctypes.c_uint32(handle), None))
        out = ctypes.c_void_p(OUT_UNTOUCHED)
        code = self._call("MapBufferHandle", ctypes.c_uint32(handle), ctypes.byref(out))
        return Outcome(code, out.value or 0)

    def release(self) -> None:
        """Destroy the object."""
        function(self._library, DESTRUCTOR, None)(self._this)

    def _call(self, method: str, *arguments: Any) -> int:
        return cast("int", function(self._library, LINUX_SYMBOLS[method], ctypes.c_uint32)(self._this, *arguments))


class Device:
    """One ClientVirtualDevice."""

    def __init__(self, library: ctypes.CDLL, this: int) -> None:
        self._library = library
        self._this = ctypes.c_void_p(this)

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """GetCommand; the record that it hands out stays where it is and is named by its address."""
        if null_out:
            return Outcome(self._call("GetCommand", waiting(timeout), None))
        out = ctypes.c_void_p(OUT_UNTOUCHED)
        code = self._call("GetCommand", waiting(timeout), ctypes.byref(out))
        if code != NOERROR or not out.value:
            return Outcome(code)
        record = ctypes.string_at(out.value, VDC_COMMAND_64.size)
        number, size, position, buffer = VDC_COMMAND_64.unpack(record)
        return Outcome(code, Command(out.value, number, size, position & 0xFFFFFFFFFFFFFFFF, buffer))

    def complete_command(self, command: int, completion_code: int, bytes_transferred: int, position: int) -> int:
        """CompleteCommand."""
        return self._call(
            "CompleteCommand",
            ctypes.c_void_p(command),
            ctypes.c_uint32(completion_code),
            ctypes.c_ulong(bytes_transferred),
            ctypes.c_uint64(position),
        )

    def release(self) -> None:
        """Give the device up; with this ABI it belongs to its set."""

    def _call(self, method: str, *arguments: Any) -> int:
        symbol = LINUX_SYMBOLS[method]
        return cast("int", function(self._library, symbol, ctypes.c_uint32)(self._this, *arguments))


def loaded(path: str) -> ctypes.CDLL:
    """Load the library; where that cannot be, the run says so in one sentence, and judges nothing."""
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise Unavailable(f"the library {path} cannot be loaded ({error}): correct LIBRARY in {__file__}") from error


def function(library: ctypes.CDLL, symbol: str, result: type[ctypes.c_uint32] | None) -> Callable[..., int | None]:
    """Find a function of the library; while it runs, ctypes lets other threads go on."""
    try:
        found = library[symbol]
    except AttributeError:
        raise Unavailable(f"the library {LIBRARY} has no function {symbol}: correct its name in {__file__}") from None
    found.restype = result
    return found


def text(name: str | None) -> bytes | None:
    """Turn a string into what a char* points to; None is a null pointer."""
    return None if name is None else name.encode()


def packed(config: VDConfig | None) -> ctypes.Array[ctypes.c_char] | None:
    """Turn a configuration into the structure; None is a null pointer."""
    return None if config is None else ctypes.create_string_buffer(config.pack(), CONFIG_SIZE)


def waiting(timeout: int) -> ctypes.c_long:
    """Turn a time-out into a time_t in milliseconds, of which a negative one is infinite."""
    return ctypes.c_long(-1 if timeout == INFINITE else timeout)
