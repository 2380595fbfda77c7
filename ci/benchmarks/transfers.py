"""How fast the emulator moves a BACKUP, by the size of a transfer and the number of devices, beside bare things.

Each device is in a process of its own that does nothing with what it gets. Beside each figure stand memcpy of as much
in pieces of that size, and a bare pipe between two processes; all take turns in one run, and what is printed are
medians.
"""

import argparse
import ctypes
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, product
from multiprocessing.connection import Connection
from typing import Final

from emulated import emulator_session
from throughput import MIB, laid_out, serve
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession

SIZES: Final = (64 << 10, 1 << 20, 4 << 20)
DEVICES: Final = (1, 4, 16)
Measure = Callable[[], float]


def main() -> int:
    """Measure every combination and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", type=int, default=256, metavar="MIB", help="how much is moved each time (default 256)"
    )
    parser.add_argument("--turns", type=int, default=5, metavar="N", help="turns of each figure (default 5)")
    options = parser.parse_args()
    session = emulator_session()
    numbers = count()
    try:
        print("transfer  devices  BACKUP          memcpy          a bare pipe")
        for size, devices in product(SIZES, DEVICES):
            scenario = laid_out(options.size, devices, size)
            measures: tuple[Measure, ...] = (
                partial(_backup, session, scenario, numbers),
                partial(_copied, options.size * MIB, size),
                partial(_piped, options.size * MIB, size),
            )
            _print(size, devices, options.size / 1024, measures, options.turns)
    finally:
        session.close()
    return 0


def _print(size: int, devices: int, gib: float, measures: tuple[Measure, ...], turns: int) -> None:
    for measure in measures:
        measure()
    columns = zip(*([measure() for measure in measures] for _ in range(turns)), strict=True)
    backup, copied, piped = (statistics.median(column) for column in columns)
    print(
        f"{size >> 10:>5} KiB  {devices:>7}  {gib / backup:5.2f} GiB/s    "
        f"{gib / copied:5.1f}, 1/{backup / copied:<4.1f}     {gib / piped:5.2f}, 1/{backup / piped:.1f}"
    )


def _backup(session: WorkerSession, scenario: Scenario, numbers: Iterator[int]) -> float:
    testbed = Testbed(session, f"transfers {next(numbers)}")
    statement = testbed.backup(scenario)
    began = time.perf_counter()
    serve(statement, digest=False)
    seconds = time.perf_counter() - began
    statement.close()
    testbed.processes.end(orderly=True)
    return seconds


def _copied(total: int, size: int) -> float:
    area, target = ctypes.create_string_buffer(64 * MIB), ctypes.create_string_buffer(size)
    first = ctypes.addressof(area)
    ctypes.memset(first, 1, 64 * MIB)
    began = time.perf_counter()
    for offset in range(0, total, size):
        ctypes.memmove(target, first + offset % (64 * MIB), size)
    return time.perf_counter() - began


def _piped(total: int, size: int) -> float:
    reading, writing = multiprocessing.Pipe(duplex=False)
    buffer = bytearray(size)
    with reading, writing:
        writer = multiprocessing.get_context("spawn").Process(target=_write, args=(writing, total // size + 1, size))
        writer.start()
        reading.recv_bytes_into(buffer)  # the start of a process is no part of it
        began = time.perf_counter()
        for _ in range(total // size):
            reading.recv_bytes_into(buffer)
        seconds = time.perf_counter() - began
        writer.join()
    return seconds


def _write(writing: Connection, times: int, size: int) -> None:
    data = bytes(size)
    for _ in range(times):
        writing.send_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
