"""What the user says about the server: environment variables, which every process of a run inherits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.adapters.tsql.refusal import NotRunnable

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTION: Final = "VDI_SQLSERVER_CONNECTION"
DATABASE: Final = "VDI_SQLSERVER_DATABASE"


class SqlSettings(NamedTuple):
    """How to reach the server, and which database of the user's BACKUP reads (None: a disposable one)."""

    connection: str
    database: str | None

    def __repr__(self) -> str:
        """Show the settings without the connection string, which may hold a password."""
        return f"SqlSettings(database={self.database!r})"


def settings_of(variables: Mapping[str, str]) -> SqlSettings:
    """Read the settings; without a connection string it is a NotRunnable."""
    connection = variables.get(CONNECTION, "").strip()
    if not connection:
        raise NotRunnable(
            f"there is no server to run statements on: set {CONNECTION} to its connection string, "
            "such as Server=localhost;Trusted_Connection=yes;TrustServerCertificate=yes, "
            "or name another server (--server)"
        )
    return SqlSettings(connection, variables.get(DATABASE) or None)
