"""The built-in adapter of the client library that SQL Server on Linux brings, or of another one with its face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters.libsqlvdi import ClientDeviceSet, Library
from vdi_conformance.adapters.sqlserver import LibraryAdapter

if TYPE_CHECKING:
    from vdi_conformance.contract import Environment, VirtualDeviceSet

USUAL_LIBRARY: Final = Path("/opt/mssql/lib/libsqlvdi.so")


class SqlServer(LibraryAdapter):
    """Clients through libsqlvdi.so."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._loaded = Library(str(self.library))

    def usual_library(self) -> Path:
        """Give the place where the packages of SQL Server put it."""
        return USUAL_LIBRARY

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return ClientDeviceSet(self._loaded)
