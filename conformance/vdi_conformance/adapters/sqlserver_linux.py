"""The built-in adapter of the client library that SQL Server on Linux brings, or of another one with its abi."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters.compiled import CompiledLibrary
from vdi_conformance.adapters.libsqlvdi import Library, LibsqlvdiSet
from vdi_conformance.adapters.sqlserver import LibraryAdapter

if TYPE_CHECKING:
    from vdi_conformance.contract import Capabilities, Environment, NativeAbi, VirtualDeviceSet

USUAL_LIBRARY: Final = Path("/opt/mssql/lib/libsqlvdi.so")


class SqlServer(LibraryAdapter):
    """Clients through libsqlvdi.so."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        # The shared objects of a set get this process's mask, and a server of another account must write to them.
        os.umask(0)
        self._loaded = Library(str(self.library))

    def usual_library(self) -> Path:
        """Give the place where the packages of SQL Server put it."""
        return USUAL_LIBRARY

    def capabilities(self) -> Capabilities:
        """Declare the symbols too."""
        return replace(super().capabilities(), native_abi="libsqlvdi")

    def native_abi(self) -> NativeAbi:
        """Give the library."""
        return CompiledLibrary(self._loaded.loaded)

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return LibsqlvdiSet(self._loaded)
