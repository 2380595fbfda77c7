"""What a machine is kept busy with beside a run: `python load.py KIND`, until it is ended or alone.

`processor` computes without end; `memory` goes through more memory than caches hold and writes it to a file, which it
syncs.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KINDS: Final = ("processor", "processor", "memory")
"""What runs at once."""
MEMORY: Final = 64 << 20
BLOCK: Final = 1 << 20
FILES_OF: Final = 16
"""After so many blocks a file is synced, and begun anew."""


def processor() -> None:
    """Compute a bit."""
    hashlib.sha256(bytes(BLOCK)).hexdigest()
    sum(number * number for number in range(20_000))


def memory() -> None:
    """Write through memory and a file once."""
    area = bytearray(MEMORY)
    with tempfile.TemporaryFile() as file:
        for number, start in enumerate(range(0, MEMORY, BLOCK)):
            area[start : start + BLOCK] = bytes([number & 0xFF]) * BLOCK
            file.write(area[start : start + BLOCK])
            if number % FILES_OF == FILES_OF - 1:
                os.fsync(file.fileno())
                file.seek(0)


WORK: Final[Mapping[str, Callable[[], None]]] = {"processor": processor, "memory": memory}


@contextmanager
def kept_busy() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep the machine busy with one process for each of KINDS, and give them."""
    processes = []
    with ExitStack() as stack:
        for kind in KINDS:
            process = subprocess.Popen([sys.executable, __file__, kind], stdin=subprocess.PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
            processes.append(process)
        yield processes


def main(kind: str) -> None:
    """Work until whoever started this is gone, which is seen by the end of standard input."""
    from threading import Thread

    left_alone = Thread(target=sys.stdin.read, daemon=True)
    left_alone.start()
    while left_alone.is_alive():
        WORK[kind]()


if __name__ == "__main__":
    main(sys.argv[1])
