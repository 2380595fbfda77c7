"""The built-in adapter of the client library that SQL Server on Windows brings, or of another one with its face."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import com
from vdi_conformance.adapters.sqlserver import LIBRARY_VARIABLE, LibraryAdapter
from vdi_conformance.adapters.sqlvdi_com import ClientDeviceSet
from vdi_conformance.contract import Unavailable
from vdi_conformance.vdi.identifiers import CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET, IID_CLIENT_VIRTUAL_DEVICE_SET2

if sys.platform == "win32":
    import winreg

if TYPE_CHECKING:
    from vdi_conformance.contract import VirtualDeviceSet

_CLASS: Final = CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET


class SqlServer(LibraryAdapter):
    """Clients through COM: the class that is registered, or that of a library which is named."""

    def usual_library(self) -> Path:
        """Find the library that is registered for the class."""
        return Path(_registered())

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        if self.named is None:
            return ClientDeviceSet(com.create(_CLASS, IID_CLIENT_VIRTUAL_DEVICE_SET2))
        return ClientDeviceSet(com.create_from(str(self.named), _CLASS, IID_CLIENT_VIRTUAL_DEVICE_SET2))


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
