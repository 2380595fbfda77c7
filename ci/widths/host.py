"""The host of the stand-in libsqlvdi.so in a Python that has nothing installed: `host.py DIRECTORY`.

The directory has a file for each address layout; a host holds the lock of the one that it has.
"""

import contextlib
import fcntl
import sys
from pathlib import Path
from typing import BinaryIO, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance"))

from vdi_conformance.host.child.entry import spawned_main

ADAPTER: Final = "vdi_conformance.adapters.sqlserver_linux:SqlServer"
_held: Final[list[BinaryIO]] = []


def take_slot(directory: Path) -> int:
    """Take the lowest slot that no live host has; 0, which is no layout of its own, when all are taken."""
    for number in sorted(int(path.name) for path in directory.iterdir()):
        file = (directory / str(number)).open("rb")
        if _lock(file):
            _held.append(file)
            return number
        file.close()
    return 0


def _lock(file: BinaryIO) -> bool:
    """Lock a file for as long as it is open, unless another one has it locked."""
    if sys.platform != "win32":
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


if __name__ == "__main__":
    spawned_main(ADAPTER, take_slot(Path(sys.argv[1])))
