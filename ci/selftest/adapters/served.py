"""An adapter whose statements run on a SQL Server, and that has nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.contract import Adapter, Capabilities, Identity

if TYPE_CHECKING:
    from vdi_conformance.contract import StatementServer


class Served(Adapter):
    """Brings the server role alone."""

    def identity(self) -> Identity:
        """Say who answers."""
        return Identity("served", "1")

    def capabilities(self) -> Capabilities:
        """Declare a server that runs statements."""
        return Capabilities(server="statement")

    def statement_server(self) -> StatementServer:
        """Make the server that the environment tells of."""
        from vdi_conformance.adapters.tsql.server import statement_server

        return statement_server(self.environment)

    def server_version(self) -> str:
        """Ask that server."""
        from vdi_conformance.adapters.tsql.server import server_version

        return server_version()
