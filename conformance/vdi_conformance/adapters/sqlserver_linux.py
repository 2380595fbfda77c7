"""The built-in adapter of the client library that SQL Server on Linux brings, or of another one with its face."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters.libsqlvdi import ClientDeviceSet, Library
from vdi_conformance.contract import Adapter, Capabilities, Identity, Unavailable

if TYPE_CHECKING:
    from vdi_conformance.contract import Environment, StatementServer, VirtualDeviceSet

LIBRARY_VARIABLE: Final = "VDI_SQLVDI_LIBRARY"
"""The environment variable that names the library."""
USUAL_LIBRARY: Final = "/opt/mssql/lib/libsqlvdi.so"
DIRECTORY_VARIABLE: Final = "VDI_EMULATOR_DIRECTORY"
"""The environment variable by which a library that is served by the emulator finds its machine."""


class SqlServer(Adapter):
    """Clients through libsqlvdi.so."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        os.environ[DIRECTORY_VARIABLE] = environment.directory
        self._path = Path(os.environ.get(LIBRARY_VARIABLE) or USUAL_LIBRARY).absolute()
        if not self._path.is_file():
            raise Unavailable(
                f"there is no library {self._path}: install SQL Server, or name the library "
                f"(sqlserver:PATH, or the variable {LIBRARY_VARIABLE})"
            )
        self._library = Library(str(self._path))

    def identity(self) -> Identity:
        """Say which library it is: its file has no version that could be asked for, so a digest tells it apart."""
        digest = hashlib.sha256(self._path.read_bytes()).hexdigest()
        return Identity(self._path.name, f"sha256:{digest[:16]}", library=str(self._path))

    def capabilities(self) -> Capabilities:
        """Declare nothing optional, since the library has no instance names, and the server that it belongs to."""
        return Capabilities(server="statement")

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        return ClientDeviceSet(self._library)

    def statement_server(self) -> StatementServer:
        """Make a server that runs statements on a SQL Server."""
        from vdi_conformance.adapters.tsql.server import statement_server

        return statement_server(self.environment)
