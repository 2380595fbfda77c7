"""A COM object that notes how it is called."""

from __future__ import annotations

import ctypes
import sys
from ctypes import c_uint32, c_uint64, c_void_p
from typing import TYPE_CHECKING, Any

from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable

SLOTS = 16

if sys.platform == "win32":
    prototype: Callable[..., Any] = ctypes.WINFUNCTYPE
else:
    prototype = ctypes.CFUNCTYPE


class Fake:
    """A COM object with 16 slots: one that is called notes its first five arguments and does what it was told."""

    def __init__(self, code: int = NOERROR, write: tuple[int, bytes] | None = None) -> None:
        self.called: list[tuple[int, tuple[int, ...]]] = []
        self._code = code
        self.write = write
        kind = prototype(c_uint32, c_void_p, *[c_uint64] * 5)
        self._functions = [kind(self._method(slot)) for slot in range(SLOTS)]
        addresses = [ctypes.cast(function, c_void_p).value for function in self._functions]
        self._vtable = (c_void_p * len(addresses))(*addresses)
        self._object = c_void_p(ctypes.addressof(self._vtable))
        self.address = ctypes.addressof(self._object)

    def _method(self, slot: int) -> Callable[..., int]:
        def method(this: int, *arguments: int) -> int:
            assert this == self.address
            self.called.append((slot, arguments))
            if self.write is not None:
                index, data = self.write
                ctypes.memmove(arguments[index], data, len(data))
            return self._code

        return method
