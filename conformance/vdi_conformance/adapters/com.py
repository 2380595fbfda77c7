"""COM as far as a client of VDI needs it: objects by their vtables, through ctypes, with nothing translated on the way.

A method is looked up in the vtable at each call, as a compiled client does, and its HRESULT is given as a number. While
it runs, ctypes lets other threads go on. References are counted by nobody but the caller.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import uuid
from ctypes import c_uint32, c_void_p
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vdi_conformance.contract import Unavailable
from vdi_conformance.vdi.hresult import failed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform == "win32":
    _prototype: Final[Callable[..., Any]] = ctypes.WINFUNCTYPE
else:
    _prototype: Final[Callable[..., Any]] = ctypes.CFUNCTYPE

POINTER_SIZE: Final = ctypes.sizeof(c_void_p)
_IID_CLASS_FACTORY: Final = "00000001-0000-0000-c000-000000000046"
_RELEASE: Final = 2
_CREATE_INSTANCE: Final = 3
_ACCESS_VIOLATION: Final = 0xC0000005
_IN_PROCESS_SERVER: Final = 1
_MULTITHREADED: Final = 0
_ALTERED_SEARCH_PATH: Final = 0x8


def guid(text: str) -> ctypes.Array[Any]:
    """Give an identifier as it lies in memory."""
    return (ctypes.c_uint8 * 16).from_buffer_copy(uuid.UUID(text).bytes_le)


class Method:
    """A method of an interface: its slot in the vtable, and the types of its arguments without the object itself."""

    def __init__(self, slot: int, *arguments: Any) -> None:
        self._slot = slot
        self._prototype = _prototype(c_uint32, c_void_p, *arguments)

    def __call__(self, this: int, *arguments: Any) -> int:
        """Call the method of the object at that address, and give the HRESULT."""
        vtable = c_void_p.from_address(this).value or 0
        function = c_void_p.from_address(vtable + self._slot * POINTER_SIZE).value
        try:
            code: int = self._prototype(function)(this, *arguments)
        except OSError as error:
            _crash(error)
        return code


release: Final = Method(_RELEASE)
_create_instance: Final = Method(_CREATE_INSTANCE, c_void_p, c_void_p, c_void_p)


def _crash(error: OSError) -> NoReturn:
    """End as the library would have ended any other client: ctypes makes an exception of its crash on Windows."""
    os.write(2, f"the library crashed: {error}\n".encode())
    if sys.platform == "win32":
        ctypes.windll.kernel32.TerminateProcess(c_void_p(-1), _ACCESS_VIOLATION)
    os.abort()


_entered = threading.local()

if sys.platform == "win32":
    _ole: Final = ctypes.WinDLL("ole32")
    _ole.CoInitializeEx.argtypes = (c_void_p, c_uint32)
    _ole.CoInitializeEx.restype = c_uint32
    _ole.CoCreateInstance.argtypes = (c_void_p, c_void_p, c_uint32, c_void_p, c_void_p)
    _ole.CoCreateInstance.restype = c_uint32

    def enter() -> None:
        """Have the calling thread in the multithreaded apartment, in which it stays."""
        if not getattr(_entered, "done", False):
            code = _ole.CoInitializeEx(None, _MULTITHREADED)
            if failed(code):
                raise Unavailable(f"this thread cannot call COM from the multithreaded apartment: {name_of(code)}")
            _entered.done = True

    def create(clsid: str, iid: str) -> int:
        """Make an object of a class that is registered, and give its address."""
        enter()
        out = c_void_p()
        code = _ole.CoCreateInstance(guid(clsid), None, _IN_PROCESS_SERVER, guid(iid), ctypes.byref(out))
        return _made(code, out, f"of the class {{{clsid}}}")

    def create_from(library: str, clsid: str, iid: str) -> int:
        """Make an object of a class of a library that need not be registered, and give its address."""
        enter()
        try:
            get_class_object = ctypes.WinDLL(library, winmode=_ALTERED_SEARCH_PATH).DllGetClassObject
        except (OSError, AttributeError) as error:
            raise Unavailable(f"{library} is no library with a COM class ({error}): name another one") from error
        get_class_object.argtypes = (c_void_p, c_void_p, c_void_p)
        get_class_object.restype = c_uint32
        factory, out = c_void_p(), c_void_p()
        code = get_class_object(guid(clsid), guid(_IID_CLASS_FACTORY), ctypes.byref(factory))
        place = _made(code, factory, f"of the class {{{clsid}}} in {library}")
        code = _create_instance(place, None, guid(iid), ctypes.byref(out))
        release(place)
        return _made(code, out, f"of the class {{{clsid}}} in {library}")

else:

    def enter() -> None:
        """Do nothing: there are no apartments here."""

    def create(clsid: str, iid: str) -> int:
        """Refuse: there is no COM here."""
        raise Unavailable(f"an object of the class {{{clsid}}} with {{{iid}}} can be made on Windows alone")

    def create_from(library: str, clsid: str, iid: str) -> int:
        """Refuse: there is no COM here."""
        raise Unavailable(f"{library} can be loaded on Windows alone, for {{{clsid}}} and {{{iid}}}")


def _made(code: int, out: c_void_p, what: str) -> int:
    if failed(code) or not out.value:
        raise Unavailable(f"no object {what} could be made: {name_of(code)}")
    return out.value
