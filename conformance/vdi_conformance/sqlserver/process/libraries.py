"""The stand-ins of a running emulator: built for those who use it, where that can be done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.process.programs import PROGRAMS
from vdi_conformance.standins.building import NotBuilt
from vdi_conformance.standins.targets import cache, for_linux, for_windows, tool_for_windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.sqlserver.process.connections import Connections
    from vdi_conformance.sqlserver.process.process import Wanted


def with_library(
    connections: Connections, wanted: Wanted, has_command: bool, tell: Callable[[str], None]
) -> Connections:
    """Name the library of the clients, and put programs of Windows beside the others where clients are such.

    What cannot be built is told, and does without: a client may bring a library of its own.
    """
    if sys.platform == "win32" or not (has_command or wanted.for_windows):
        return connections
    try:
        if not wanted.for_windows:
            return connections._replace(library=for_linux().build(cache() / "linux", tell))
        for name in PROGRAMS:
            made = tool_for_windows(name).build(cache() / "windows", tell)
            (connections.programs / made.name).write_bytes(made.read_bytes())
        return connections._replace(library=for_windows().build(cache() / "windows", tell))
    except NotBuilt as reason:
        tell(f"There is no stand-in library for clients: {str(reason)[:1].lower()}{str(reason)[1:]}")
        return connections
