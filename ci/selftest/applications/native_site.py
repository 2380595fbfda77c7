"""Applications of the table over the stand-in libsqlvdi.so: `native_site.py LIBRARY DIRECTORY APPLICATION ...`.

Each has this process for its own, so what it breaks is printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from selftest.applications.sites import JudgedSite, application_named
from vdi_conformance.adapters.libsqlvdi import Library, LibsqlvdiSet


class NativeProcess:
    """The process itself, in the place of any."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def device_set(self) -> LibsqlvdiSet:
        """Make a client object."""
        return LibsqlvdiSet(self._library)

    def die(self) -> None:
        """End."""
        os._exit(1)


class NativeSite(JudgedSite):
    """A judged site whose clients use the library."""

    def __init__(self, directory: Path, library: str) -> None:
        super().__init__(directory)
        self._library = Library(library)

    def process(self) -> NativeProcess:
        """Give this process."""
        return NativeProcess(self._library)


def start(library: str, directory: str, *names: str) -> None:
    """Judge each application, and tell what it broke."""
    os.environ["VDI_EMULATOR_DIRECTORY"] = directory
    site = NativeSite(Path(directory), library)
    ledgers = {name: site.judged(application_named(name)).ledger for name in names}
    sys.stdout.write(
        f"{json.dumps({name: [sorted(ledger.broken), sorted(ledger.met)] for name, ledger in ledgers.items()})}\n"
    )
    site.threads.shutdown()


if __name__ == "__main__":
    start(*sys.argv[1:])
