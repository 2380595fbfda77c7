"""One target in a process of its own, which may hang, crash or run out of memory without taking anything with it.

The process writes each input into a file that both have mapped before it tries it, so that the one that it never came
back from is known.
"""

from __future__ import annotations

import json
import mmap
import signal
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fuzzing.corpus import examples_of
from fuzzing.mutation import LONGEST
from fuzzing.trying import Defect, Figures, attempt, inputs_of, shrunk
from fuzzing.watching import watching

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzzing.target import Target

BUSY: Final = 30
"""Seconds of a processor after which the system ends the process; not on Windows."""
HUNG: Final = 600.0
"""Seconds without an input's end, after which it has none: a crowded machine may let a process wait for long."""
MEMORY: Final = 1 << 30
"""Bytes that a process may have beside those that it has when its reader is open."""
_HEAD: Final = struct.Struct("<QQ")
"""How many inputs have begun, and the length of the last."""
_GLANCE: Final = 0.2


class Measured(NamedTuple):
    """What came of a target: figures, seconds, and how many bytes of memory it took (None: not measured here)."""

    figures: Figures
    seconds: float
    memory: int | None


class _Mailbox:
    """The file that tells which input is tried."""

    def __init__(self, path: Path) -> None:
        size = _HEAD.size + 2 * LONGEST
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)

    def put(self, number: int, data: bytes) -> None:
        """Tell of the next input."""
        self._map[_HEAD.size : _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._map, 0, number, len(data))

    def look(self) -> tuple[int, bytes]:
        """Give how many inputs have begun, and the last one."""
        number, size = _HEAD.unpack_from(self._map)
        return number, self._map[_HEAD.size : _HEAD.size + size]

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


# What the process itself does


def serve(target: Target, inputs: int, seed: int, directory: Path, most: float = 0) -> None:
    """Try so many inputs, for at most so many seconds (0: without a limit), and print what came of them."""
    sys.dont_write_bytecode = True
    examples = examples_of(target)
    place = directory / "home"
    place.mkdir()
    mailbox = _Mailbox(directory / "mailbox")
    figures = Figures()
    with target.opened(place) as read:
        # What is imported or compiled on the way belongs to no input.
        for data in examples[:20]:
            with suppress(Exception):
                read(data)
        before = _peak()
        _limit_memory()
        with watching(place) as watch:
            began = time.monotonic()
            for number, data in enumerate(inputs_of(target, examples, seed, inputs), start=1):
                mailbox.put(number, data)
                _limit_processor()
                started = time.process_time()
                figures.take(attempt(read, watch, data), time.process_time() - started)
                if most and time.monotonic() - began > most:
                    break
            seconds = time.monotonic() - began
            figures.defects = {
                kind: shrunk(defect, lambda data: attempt(read, watch, data))
                for kind, defect in figures.defects.items()
            }
    peak = _peak()
    memory = None if before is None or peak is None else peak - before
    sys.stdout.write(json.dumps(_told(Measured(figures, seconds, memory))) + "\n")


def _limit_processor() -> None:
    """Have the system end this process where the next input keeps it busy for too long."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + BUSY, hard))


def _limit_memory() -> None:
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if sys.platform == "win32":

    def _peak() -> int | None:
        return None
else:

    def _peak() -> int | None:
        """Give the most memory that this process has had, in bytes; None where that is not known."""
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _told(measured: Measured) -> dict[str, Any]:
    figures = measured.figures
    return {
        **{name: getattr(figures, name) for name in ("accepted", "refused", "slowest", "broken")},
        "defects": [[one.kind, one.account, one.data.hex()] for one in figures.defects.values()],
        "seconds": measured.seconds,
        "memory": measured.memory,
    }


def _read(told: dict[str, Any]) -> Measured:
    found = [Defect(kind, account, bytes.fromhex(data)) for kind, account, data in told["defects"]]
    counts = {name: told[name] for name in ("accepted", "refused", "slowest", "broken")}
    return Measured(Figures(**counts, defects={one.kind: one for one in found}), told["seconds"], told["memory"])


# What whoever started it does


def tried(command: Sequence[str], progress: Callable[[int], None], patience: float = HUNG) -> Measured:
    """Run a process that serves, which is told its directory last; `progress` hears how many inputs have begun.

    It is ended where an input has no end for so many seconds of patience.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name, tempfile.TemporaryFile() as output:
        directory = Path(name)
        mailbox = _Mailbox(directory / "mailbox")
        with subprocess.Popen([*command, name], stdout=output) as process:
            try:
                hung = _watched(process, mailbox, progress, patience)
            finally:
                process.kill()
        number, data = mailbox.look()
        mailbox.close()
        output.seek(0)
        lines = output.read().splitlines()
        if process.returncode == 0 and not hung and lines:
            return _read(json.loads(lines[-1]))
    how = f"no end within {patience:g} seconds" if hung else _ending(process.returncode)
    figures = Figures(refused=max(0, number - 1), broken=1)
    figures.defects[how] = Defect(how, f"{how}, at input {number}", data)
    return Measured(figures, time.monotonic() - began, None)


def _ending(code: int) -> str:
    if sys.platform != "win32" and code == -signal.SIGXCPU:
        return "too long on a processor"
    return f"the process ended with {code}"


def _watched(
    process: subprocess.Popen[bytes], mailbox: _Mailbox, progress: Callable[[int], None], patience: float
) -> bool:
    """Wait for its end; true where it came to none."""
    seen, since = -1, time.monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GLANCE)
            return False
        number, _ = mailbox.look()
        if number != seen:
            seen, since = number, time.monotonic()
            progress(number)
        elif number and time.monotonic() - since > patience:
            return True
