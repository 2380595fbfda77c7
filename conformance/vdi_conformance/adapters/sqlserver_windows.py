"""The built-in adapter of the client library that SQL Server on Windows brings, or of another one with its face."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import com
from vdi_conformance.adapters.sqlvdi_com import ClientDeviceSet
from vdi_conformance.contract import Adapter, Capabilities, Identity, Unavailable
from vdi_conformance.vdi.identifiers import CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET, IID_CLIENT_VIRTUAL_DEVICE_SET2

if sys.platform == "win32":
    import winreg

if TYPE_CHECKING:
    from vdi_conformance.contract import Environment, VirtualDeviceSet

LIBRARY_VARIABLE: Final = "VDI_SQLVDI_LIBRARY"
"""The environment variable that names a library to be used whether it is registered or not."""
DIRECTORY_VARIABLE: Final = "VDI_EMULATOR_DIRECTORY"
"""The environment variable by which a library that is served by the emulator finds its machine."""
_CLASS: Final = CLSID_MSSQL_CLIENT_VIRTUAL_DEVICE_SET


class SqlServer(Adapter):
    """Clients through COM: the class that is registered, or that of a library which is named."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        os.environ[DIRECTORY_VARIABLE] = environment.directory
        named = os.environ.get(LIBRARY_VARIABLE)
        self._named = str(Path(named).absolute()) if named else None
        self._library = Path(self._named or _registered())
        if not self._library.is_file():
            raise Unavailable(
                f"there is no library {self._library}: install SQL Server, or name the library "
                f"(sqlserver:PATH, or the variable {LIBRARY_VARIABLE})"
            )

    def identity(self) -> Identity:
        """Say which library it is; a digest of its file tells it apart from others."""
        digest = hashlib.sha256(self._library.read_bytes()).hexdigest()
        return Identity(self._library.name, f"sha256:{digest[:16]}", library=str(self._library))

    def capabilities(self) -> Capabilities:
        """Declare nothing optional: which instances there are is not known."""
        return Capabilities()

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        if self._named is None:
            return ClientDeviceSet(com.create(_CLASS, IID_CLIENT_VIRTUAL_DEVICE_SET2))
        return ClientDeviceSet(com.create_from(self._named, _CLASS, IID_CLIENT_VIRTUAL_DEVICE_SET2))


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
