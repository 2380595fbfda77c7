"""What an emulated SQL Server consists of, for whatever works with several parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.sqlserver.backups.history import History
    from vdi_conformance.sqlserver.databases.activities import Activities
    from vdi_conformance.sqlserver.databases.catalogue import Catalogue
    from vdi_conformance.sqlserver.error_log import ErrorLog
    from vdi_conformance.sqlserver.places import Places


@dataclass(frozen=True)
class Identification:
    """Which server it is; `instance` is the name of a named instance, None of the default one."""

    machine: str
    instance: str | None
    version: tuple[int, int, int]

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives."""
        return self.machine if self.instance is None else f"{self.machine}\\{self.instance}"


@dataclass(frozen=True)
class ServerParts:
    """The parts. `make_server` makes the server's side of one virtual device set, `now` gives the local time.

    `activities` tells what goes on with which database, `written_files` with which file of a backup.
    """

    identification: Identification
    catalogue: Catalogue
    activities: Activities
    written_files: Activities
    history: History
    error_log: ErrorLog
    places: Places
    make_server: Callable[[], EmulatorServer]
    now: Callable[[], datetime]
