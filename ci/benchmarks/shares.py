"""Where the CPU goes in a whole run on the emulator: the controller, the workers, and the processes that they start.

The run is an ordinary one, watched from outside through /proc (Linux): what processes of a kind have used is what they
themselves and whoever waited for them were charged with. What is added after -- goes to `vdi-conformance run`, such as
a selection.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NamedTuple

from vdi_conformance.evidence.files import read

assert sys.platform == "linux"

PAUSE: Final = 0.05
"""Seconds between two looks: what lives for less is seen by who waits for it."""
TICK: Final = os.sysconf("SC_CLK_TCK")


class Used(NamedTuple):
    """What the system has charged a process with, and those that it has waited for; times are seconds."""

    parent: int
    started: int
    own: float
    others: float
    others_faults: int


@dataclass
class Watched:
    """The processes of a run as they were seen last, and when the first line came."""

    began: float = field(default_factory=time.monotonic)
    first_line: float = 0.0
    seen: dict[int, Used] = field(default_factory=dict)
    servers: set[int] = field(default_factory=set)


def main() -> int:
    """Make the run, and print a line for each kind of process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=2, metavar="N", help="workers (default 2)")
    parser.add_argument("further", nargs="*", help="what else the run is told")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        evidence = Path(directory) / "evidence.jsonl"
        told = ["--adapter", "emulator", "-n", str(options.n), "--evidence", str(evidence), *options.further]
        watched, total, seconds = _watch([sys.executable, "-m", "vdi_conformance.cli", "run", *told])
        checks = read(evidence).checks
    requests = sum(one.requests.client + one.requests.statements + one.requests.steps for one in checks)
    ran = sum(one.verdict != "not applicable" for one in checks)
    print(
        f"{ran} checks in {seconds:.1f} s, {1000 * seconds / ran:.1f} ms each; "
        f"the first line came after {watched.first_line:.2f} s"
    )
    print(f"{requests} requests, {requests / ran:.0f} a check; CPU {total:.1f} s, {1000 * total / ran:.1f} ms a check")
    _print(watched, total)
    return 0


def _watch(command: list[str]) -> tuple[Watched, float, float]:
    watched = Watched()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        reader = threading.Thread(target=_listen, args=(run.stdout, watched))
        reader.start()
        while (ended := os.wait4(run.pid, os.WNOHANG))[0] == 0:
            _look(run.pid, watched)
            time.sleep(PAUSE)
        run.returncode = os.waitstatus_to_exitcode(ended[1])
        seconds = time.monotonic() - watched.began
        reader.join()
    return watched, ended[2].ru_utime + ended[2].ru_stime, seconds


def _listen(output: IO[str], watched: Watched) -> None:
    last = ""
    for line in output:
        watched.first_line = watched.first_line or time.monotonic() - watched.began
        last = line
    print(last, end="")


def _look(root: int, watched: Watched) -> None:
    """Note what all processes have used that come from this one."""
    names = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    everything = {int(name): used for name in names if (used := _used(name))}
    family = {root}
    for pid in sorted(everything, key=lambda pid: everything[pid].started):
        if everything[pid].parent in family:
            family.add(pid)
    for pid in family & everything.keys():
        watched.seen[pid] = everything[pid]
        if pid not in watched.servers and everything[pid].parent not in watched.servers and _is_fork_server(pid):
            watched.servers.add(pid)


def _used(pid: str) -> Used | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    user, system, others_user, others_system = (int(one) / TICK for one in fields[11:15])
    return Used(int(fields[1]), int(fields[19]), user + system, others_user + others_system, int(fields[8]))


def _is_fork_server(pid: int) -> bool:
    try:
        return b"starting.fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _print(watched: Watched, total: float) -> None:
    """Tell kinds apart by who comes from whom: the first process of a fork server is the adapter's background part."""
    controller = min(watched.seen, key=lambda pid: watched.seen[pid].started)
    workers = [pid for pid, used in watched.seen.items() if used.parent == controller and pid not in watched.servers]
    brokers = [first for server in watched.servers if (first := _first_child(server, watched)) is not None]
    kinds = {
        "controller": [controller],
        "workers, with collection and evidence": workers,
        "fork servers": sorted(watched.servers),
        "brokers": brokers,
    }
    left = total
    for title, pids in kinds.items():
        used = sum(watched.seen[pid].own for pid in pids)
        left -= used
        print(f"{title:<40} {len(pids):>6} {used:7.1f} s {100 * used / total:5.1f} %")
    faults = sum(watched.seen[pid].others_faults for pid in watched.servers)
    print(
        f"{'clients and servers (hosts)':<40} {'':>6} {left:7.1f} s {100 * left / total:5.1f} %, {faults} page faults"
    )


def _first_child(server: int, watched: Watched) -> int | None:
    children = [pid for pid, used in watched.seen.items() if used.parent == server]
    return min(children, key=lambda pid: watched.seen[pid].started, default=None)


if __name__ == "__main__":
    sys.exit(main())
