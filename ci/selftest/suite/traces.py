"""Finds what a run has on the machine: processes by a mark in their environment, and their private directories."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MARK = "VDI_SELFTEST_MARK"


@dataclass(frozen=True)
class Traces:
    """The processes of a marked run, and the private directories that they had open."""

    processes: frozenset[int]
    directories: frozenset[str]


class MarkedRun:
    """A run of the suite in a process group of its own, whose processes can be told from all others."""

    def __init__(self, evidence: Path, *options: str) -> None:
        self._evidence = evidence
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        command = [sys.executable, "-m", "vdi_conformance.cli", "run", "--evidence", str(evidence), *options]
        self.process = subprocess.Popen(
            command,
            cwd=evidence.parent,
            env=os.environ | {name: value},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for_checks(self, count: int) -> None:
        """Wait until so many checks have ended."""
        wait_until(lambda: self._recorded() > count, 30)

    def interrupt(self) -> int:
        """Send Ctrl-C to the group as a terminal does, and give the exit code."""
        if sys.platform != "win32":
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)

    def traces(self) -> Traces:
        """Look for everything that carries the mark."""
        found = {int(entry.name): entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()}
        ours = {pid: entry for pid, entry in found.items() if self._mark.encode() in _bytes(entry / "environ")}
        return Traces(frozenset(ours), frozenset(_directories(list(ours.values()))))

    def _recorded(self) -> int:
        # The command tries whether the file can be written, and takes it away again: it may come and go.
        return _bytes(self._evidence).count(b"\n")


def _directories(processes: list[Path]) -> set[str]:
    """Private directories, by the sockets in them that these processes hold."""
    inodes = {link for process in processes for link in _links(process / "fd") if link.startswith("socket:")}
    sockets = (line.split() for line in Path("/proc/net/unix").read_text().splitlines())
    paths = {fields[7] for fields in sockets if len(fields) == 8 and f"socket:[{fields[6]}]" in inodes}
    return {str(Path(path).parent) for path in paths if not path.startswith("@")}


def _links(directory: Path) -> list[str]:
    try:
        return [str(entry.readlink()) for entry in directory.iterdir()]
    except OSError:
        return []


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until it is so, or time is up."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
    return True


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
