"""What the built-in adapters of SQL Server's own client libraries have in common, on every platform."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.contract import Adapter, Capabilities, Identity, Unavailable
from vdi_conformance.emulator.broker_protocol import ENDPOINT

if TYPE_CHECKING:
    from vdi_conformance.contract import Environment, StatementServer

LIBRARY_VARIABLE: Final = "VDI_SQLVDI_LIBRARY"
"""The environment variable that names the library."""
DIRECTORY_VARIABLE: Final = "VDI_EMULATOR_DIRECTORY"
"""The environment variable by which a library that is served by the emulator finds its broker."""


class LibraryAdapter(Adapter):
    """Clients through a library, and statements on the SQL Server that it belongs to."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        os.environ[DIRECTORY_VARIABLE] = _directory(environment)
        named = os.environ.get(LIBRARY_VARIABLE)
        self.named = Path(named).absolute() if named else None
        self.library = self.named or self.usual_library()
        if not self.library.is_file():
            raise Unavailable(
                f"there is no library {self.library}: install SQL Server, or name the library "
                f"(sqlserver:PATH, or the variable {LIBRARY_VARIABLE})"
            )

    def usual_library(self) -> Path:
        """Find the library that SQL Server brings; Unavailable where that cannot be told."""
        raise NotImplementedError

    def identity(self) -> Identity:
        """Say which library it is; a digest of its file tells it apart from others."""
        digest = hashlib.sha256(self.library.read_bytes()).hexdigest()
        return Identity(self.library.name, f"sha256:{digest[:16]}", library=str(self.library))

    def capabilities(self) -> Capabilities:
        """Declare nothing optional, since which instances there are is not known, and the server."""
        return Capabilities(server="statement")

    def statement_server(self) -> StatementServer:
        """Make a server that runs statements on a SQL Server."""
        from vdi_conformance.adapters.tsql.server import statement_server

        return statement_server(self.environment)

    def server_version(self) -> str:
        """Ask the SQL Server for its version and edition."""
        from vdi_conformance.adapters.tsql.server import server_version

        return server_version()


def _directory(environment: Environment) -> str:
    """Tell where a library that the emulator serves finds its broker: one of this run comes before one outside."""
    outside = os.environ.get(DIRECTORY_VARIABLE)
    return outside if outside and not (Path(environment.directory) / ENDPOINT).exists() else environment.directory
