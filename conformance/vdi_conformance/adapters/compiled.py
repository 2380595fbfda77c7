"""Compiled code as it is: exported names, and functions that are called at their addresses."""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import c_uint32, c_uint64, c_void_p
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vdi_conformance.contract import NativeAbi

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.contract import Apartment, Argument, Outcome

if sys.platform == "win32":
    prototype: Final[Callable[..., Any]] = ctypes.WINFUNCTYPE
else:
    prototype: Final[Callable[..., Any]] = ctypes.CFUNCTYPE

_ACCESS_VIOLATION: Final = 0xC0000005
_KINDS: Final[dict[int, Any]] = {4: c_uint32, 8: c_uint64}


def perform(function: Callable[..., int], *arguments: Any) -> int:
    """Call compiled code; where it crashes, this process ends as any other client would have."""
    try:
        return function(*arguments)
    except OSError as error:
        _crash(error)


def _crash(error: OSError) -> NoReturn:
    """Make an end of what ctypes makes an exception of on Windows."""
    os.write(2, f"the library crashed: {error}\n".encode())
    if sys.platform == "win32":
        ctypes.windll.kernel32.TerminateProcess(c_void_p(-1), _ACCESS_VIOLATION)
    os.abort()


class CompiledLibrary(NativeAbi):
    """A library that is loaded (contract.NativeAbi)."""

    def __init__(self, loaded: ctypes.CDLL) -> None:
        self._loaded = loaded

    def symbol(self, name: str) -> int | None:
        """Find an exported name."""
        try:
            return ctypes.cast(self._loaded[name], c_void_p).value
        except AttributeError:
            return None

    def create_instance(self, clsid: str, iid: str, apartment: Apartment) -> Outcome[int]:
        """Refuse: this is no library with COM classes."""
        raise NotImplementedError

    def call(self, function: int, arguments: tuple[Argument, ...]) -> int:
        """Call a function at an address."""
        called = prototype(c_uint32, *(_KINDS[argument.size] for argument in arguments))(function)
        return perform(called, *(argument.value for argument in arguments))
