"""The built-in adapter of the client library that SQL Server on Windows brings, or of another one with its abi."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import com
from vdi_conformance.adapters.sqlserver import LIBRARY_VARIABLE, LibraryAdapter
from vdi_conformance.adapters.sqlvdi_com import SqlvdiSet
from vdi_conformance.contract import Unavailable
from vdi_conformance.vdi.identifiers import CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET, IID_CLIENT_VIRTUAL_DEVICE_SET2

if sys.platform == "win32":
    import winreg

if TYPE_CHECKING:
    from vdi_conformance.contract import Capabilities, Environment, NativeAbi, ScriptedServer, VirtualDeviceSet

SERVER_VARIABLE: Final = "VDI_SQLVDI_SERVER"
"""The environment variable that is `scripted` where the server's interfaces of the library are to be used too."""

_CLASS: Final = CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET


class SqlServer(LibraryAdapter):
    """Clients through COM: the class that is registered, or that of a library which is named."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._path = str(self.named) if self.named else None

    def usual_library(self) -> Path:
        """Find the library that is registered for the class."""
        return Path(_registered())

    def capabilities(self) -> Capabilities:
        """Declare the classes too, and the scripted server where that was asked for."""
        asked = os.environ.get(SERVER_VARIABLE)
        if asked not in (None, "", "scripted"):
            raise Unavailable(f"{SERVER_VARIABLE} is {asked!r}: say scripted, or leave it out")
        return replace(super().capabilities(), native_abi="com", server="scripted" if asked else "statement")

    def scripted_server(self) -> ScriptedServer:
        """Make a server for one set, by the server's interfaces of the library."""
        from vdi_conformance.adapters.sqlvdi_server import server_set

        return server_set(self._path)

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return SqlvdiSet(com.create(_CLASS, IID_CLIENT_VIRTUAL_DEVICE_SET2, self._path))

    def native_abi(self) -> NativeAbi:
        """Give the library."""
        return com.ComLibrary(ctypes.CDLL(str(self.library), winmode=com.ALTERED_SEARCH_PATH), self._path)


def _registered() -> str:
    """Find the library that is registered for the class."""
    if sys.platform == "win32":
        key = f"CLSID\\{{{_CLASS}}}\\InprocServer32"
        try:
            return os.path.expandvars(winreg.QueryValue(winreg.HKEY_CLASSES_ROOT, key))
        except FileNotFoundError:
            pass
    raise Unavailable(
        f"no COM class {{{_CLASS}}} is registered for {8 * com.POINTER_SIZE}-bit programs here: install SQL Server "
        f"or register its sqlvdi.dll (regsvr32), or name a library (sqlserver:PATH, or the variable {LIBRARY_VARIABLE})"
    )
