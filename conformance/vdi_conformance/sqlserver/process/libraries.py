"""The stand-ins of a running emulator: built for those who use it, where that can be done."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.process.connections import LIBRARY
from vdi_conformance.standins.building import NotBuilt
from vdi_conformance.standins.targets import provide

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.sqlserver.process.connections import Connections
    from vdi_conformance.sqlserver.process.process import Wanted

BITS: Final = 64
"""Programs of Windows are taken for 64-bit ones; `emulator library --bits 32` builds for the others."""


def with_library(connections: Connections, wanted: Wanted, tell: Callable[[str], None]) -> Connections:
    """Name the library of the clients, and put programs of Windows beside the others where clients are such.

    One that the environment names already is left as it is. What cannot be built is told, and does without: a client
    may bring a library of its own.
    """
    named = os.environ.get(LIBRARY)
    if named and not wanted.for_windows:
        return connections._replace(library=Path(named).absolute())
    if platform.system() == "Windows":
        return connections
    try:
        library, *_ = provide(connections.programs, BITS if wanted.for_windows else None, tell)
        return connections._replace(library=library)
    except NotBuilt as reason:
        tell(f"There is no stand-in library for clients: {str(reason)[:1].lower()}{str(reason)[1:]}")
        return connections
