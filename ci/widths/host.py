"""The host of the stand-in libsqlvdi.so in a Python that has nothing installed: `host.py DIRECTORY`.

The directory has a file for each address layout; a host holds the lock of the one that it has.
"""

import fcntl
import sys
from pathlib import Path
from typing import BinaryIO, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))

from vdi_conformance.host.child.entry import spawned_main

assert sys.platform != "win32", "libsqlvdi.so is a library of Linux"

ADAPTER: Final = "vdi_conformance.adapters.sqlserver_linux:SqlServer"
_held: Final[list[BinaryIO]] = []


def take_slot(directory: Path) -> int:
    """Take the lowest slot that no live host has; 0, which is no layout of its own, when all are taken."""
    for number in sorted(int(path.name) for path in directory.iterdir()):
        file = (directory / str(number)).open("rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            _held.append(file)
            return number
    return 0


if __name__ == "__main__":
    spawned_main(ADAPTER, take_slot(Path(sys.argv[1])))
