"""COM as far as a client of VDI needs it: objects by their vtables, through ctypes, with nothing translated on the way.

A method is looked up in the vtable at each call, as a compiled client does, and its HRESULT is given as a number. While
it runs, ctypes lets other threads go on. References are counted by nobody but the caller.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_uint32, c_void_p
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.adapters.compiled import CompiledLibrary, perform, prototype
from vdi_conformance.contract import OUT_UNTOUCHED, Outcome, Unavailable
from vdi_conformance.vdi.hresult import failed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.contract import Apartment, Argument

POINTER_SIZE: Final = ctypes.sizeof(c_void_p)
_IID_CLASS_FACTORY: Final = "00000001-0000-0000-c000-000000000046"
_RELEASE: Final = 2
_CREATE_INSTANCE: Final = 3
_IN_PROCESS_SERVER: Final = 1
_APARTMENTS: Final[dict[Apartment, int]] = {"multithreaded": 0, "single": 2}
ALTERED_SEARCH_PATH: Final = 0x8


def guid(text: str) -> ctypes.Array[Any]:
    """Give an identifier as it lies in memory."""
    return (ctypes.c_uint8 * 16).from_buffer_copy(uuid.UUID(text).bytes_le)


class ComMethod:
    """A method of an interface: its slot in the vtable, and the types of its arguments without the object itself."""

    def __init__(self, slot: int, *arguments: Any) -> None:
        self._slot = slot
        self._prototype = prototype(c_uint32, c_void_p, *arguments)

    def __call__(self, this: int, *arguments: Any) -> int:
        """Call the method of the object at that address, and give the HRESULT."""
        vtable = c_void_p.from_address(this).value or 0
        function = c_void_p.from_address(vtable + self._slot * POINTER_SIZE).value
        return perform(self._prototype(function), this, *arguments)


def methods(slots: Mapping[str, int], **arguments: tuple[Any, ...]) -> dict[str, ComMethod]:
    """Give the methods of an interface by their names, with the types of their arguments."""
    return {name: ComMethod(slots[name], *types) for name, types in arguments.items()}


release: Final = ComMethod(_RELEASE)
_create_instance: Final = ComMethod(_CREATE_INSTANCE, c_void_p, c_void_p, c_void_p)


_entered = threading.local()

if sys.platform == "win32":
    _ole: Final = ctypes.WinDLL("ole32")
    _ole.CoInitializeEx.argtypes = (c_void_p, c_uint32)
    _ole.CoInitializeEx.restype = c_uint32
    _ole.CoCreateInstance.argtypes = (c_void_p, c_void_p, c_uint32, c_void_p, c_void_p)
    _ole.CoCreateInstance.restype = c_uint32

    def enter(apartment: Apartment = "multithreaded") -> None:
        """Have the calling thread in an apartment, in which it stays."""
        if not getattr(_entered, "done", False):
            code = _ole.CoInitializeEx(None, _APARTMENTS[apartment])
            if failed(code):
                raise Unavailable(f"this thread cannot enter an apartment of COM: {name_of(code)}")
            _entered.done = True

    def instance(clsid: str, iid: str, library: str | None = None) -> Outcome[int]:
        """Ask for an object of a class that is registered, or is that of a library which need not be."""
        enter()
        out = c_void_p(OUT_UNTOUCHED)
        if library is None:
            code = _ole.CoCreateInstance(guid(clsid), None, _IN_PROCESS_SERVER, guid(iid), ctypes.byref(out))
            return Outcome(code, out.value or 0)
        factory = c_void_p()
        code = _class_object(library)(guid(clsid), guid(_IID_CLASS_FACTORY), ctypes.byref(factory))
        if failed(code) or not factory.value:
            return Outcome(code, 0)
        code = _create_instance(factory.value, None, guid(iid), ctypes.byref(out))
        release(factory.value)
        return Outcome(code, out.value or 0)

    def _class_object(library: str) -> Callable[..., int]:
        try:
            found = ctypes.WinDLL(library, winmode=ALTERED_SEARCH_PATH).DllGetClassObject
        except (OSError, AttributeError) as error:
            raise Unavailable(f"{library} is no library with a COM class ({error}): name another one") from error
        found.argtypes = (c_void_p, c_void_p, c_void_p)
        found.restype = c_uint32
        return found

else:

    def enter(apartment: Apartment = "multithreaded") -> None:
        """Do nothing: there are no apartments here."""

    def instance(clsid: str, iid: str, library: str | None = None) -> Outcome[int]:
        """Refuse: there is no COM here."""
        of = f" of {library}" if library else ""
        raise Unavailable(f"an object of the class {{{clsid}}}{of} with {{{iid}}} can be made on Windows alone")


def create(clsid: str, iid: str, library: str | None = None) -> int:
    """Make an object, and give its address; Unavailable where that cannot be."""
    code, address = instance(clsid, iid, library)
    if failed(code) or not address:
        of = f" in {library}" if library else ""
        raise Unavailable(f"no object of the class {{{clsid}}}{of} could be made: {name_of(code)}")
    return address


class ComLibrary(CompiledLibrary):
    """A library with COM classes; `path` names it where its classes need not be registered."""

    def __init__(self, loaded: ctypes.CDLL, path: str | None) -> None:
        super().__init__(loaded)
        self._path = path

    def create_instance(self, clsid: str, iid: str, apartment: Apartment) -> Outcome[int]:
        """Ask for an object; a single-threaded apartment is that of a thread which does nothing else."""
        # This thread stays in the multithreaded one, so that its objects have an apartment for as long as they live.
        enter()
        if apartment == "multithreaded":
            return instance(clsid, iid, self._path)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._in, apartment, clsid, iid).result()

    def _in(self, apartment: Apartment, clsid: str, iid: str) -> Outcome[int]:
        enter(apartment)
        return instance(clsid, iid, self._path)

    def call(self, function: int, arguments: tuple[Argument, ...]) -> int:
        """Call a function at an address from the multithreaded apartment."""
        enter()
        return super().call(function, arguments)
