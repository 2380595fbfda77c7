"""What hosts, checks and the emulator cost, each beside the bare thing it is made of, as ratios of one run.

Everything is pinned to one CPU where the system allows it. Each figure and its measure take turns, so that a noisy
moment meets both; what is printed are medians, and the median of the ratios turn by turn.
"""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from check import timed_check
from emulated import emulator_session
from throughput import MIB, laid_out, serve
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.host.messages.memory import AllocateMemory, ReadMemory
from vdi_conformance.host.process import Host

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps(json.loads(line)), flush=True)
"""
FORKS = """
import os, sys, time
import ctypes, json, threading
for line in sys.stdin:
    began = time.perf_counter()
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    print(time.perf_counter() - began, flush=True)
"""
CALLS_A_TURN = 50
DEVICES = 4
MIB_A_TURN = 256

Measure = Callable[[], float]


class Pair(NamedTuple):
    """A figure and its measure, both in milliseconds; `wanted` is the highest ratio that is good, if there is one."""

    title: str
    measure: str
    taken: Measure
    beside: Measure
    wanted: str = ""


def main() -> None:
    """Take every pair in turns and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40, metavar="N", help="turns of each pair (default 40)")
    turns = parser.parse_args().turns
    session = emulator_session(cpu=0)
    try:
        with _child(ECHO) as echo, _child(FORKS) as forks:
            for pair in _pairs(session, echo, forks):
                _print(pair, turns)
    finally:
        session.close()


def _pairs(session: WorkerSession, echo: "subprocess.Popen[str]", forks: "subprocess.Popen[str]") -> Iterator[Pair]:
    host = session.launch("client", "round trips")
    address = host.call(AllocateMemory(size=4096)).address
    plain, labelled = ReadMemory(address=address, size=1), ReadMemory(address=address, size=1, thread="label")
    bare = "a JSON echo over a pipe"
    yield Pair("round trip of a host", bare, lambda: _calls(host, plain), lambda: _echoes(echo), "2")
    yield Pair("the same, with a thread label", bare, lambda: _calls(host, labelled), lambda: _echoes(echo), "3")
    yield Pair(
        "a fresh host", "a fork of a warm process", lambda: _hosts(session, 1), lambda: 1000 * float(_ask(forks))
    )
    numbers = iter(range(1_000_000))
    check = "the starts of its three processes"
    yield Pair("a whole check", check, lambda: timed_check(session, next(numbers)), lambda: _hosts(session, 3))
    yield Pair(
        f"a BACKUP of {MIB_A_TURN} MiB, digested", "memcpy of as much", lambda: _backup(session, numbers), _copier()
    )


def _print(pair: Pair, turns: int) -> None:
    pair.taken()
    pair.beside()
    times = [(pair.taken(), pair.beside()) for _ in range(turns)]
    taken, beside = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(one / other for one, other in times)
    wanted = f" (at most {pair.wanted})" if pair.wanted else ""
    print(f"{pair.title}: {taken:.3f} ms, {ratio:.1f} times {pair.measure} ({beside:.3f} ms){wanted}")


@contextmanager
def _child(program: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-I", "-S", "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child
        assert child.stdin is not None
        child.stdin.close()


def _ask(child: "subprocess.Popen[str]", line: str = "") -> str:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()
    return child.stdout.readline()


def _timed(what: Callable[[], object], times: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(times):
        what()
    return 1000 * (time.perf_counter() - began) / times


def _calls(host: Host, request: ReadMemory) -> float:
    return _timed(lambda: host.call(request), CALLS_A_TURN)


def _echoes(child: "subprocess.Popen[str]") -> float:
    message = {"jsonrpc": "2.0", "id": 1, "method": "memory.read", "params": {"address": "0x7f0000000000", "size": 1}}
    return _timed(lambda: json.loads(_ask(child, json.dumps(message))), CALLS_A_TURN)


def _hosts(session: WorkerSession, count: int) -> float:
    def start_and_end() -> None:
        hosts = [session.launch("client", f"host {number}") for number in range(count)]
        for host in hosts:
            _ = host.initialized
            host.end_input()
        for host in hosts:
            host.finish()

    return _timed(start_and_end)


def _backup(session: WorkerSession, numbers: Iterator[int]) -> float:
    testbed = Testbed(session, f"throughput {next(numbers)}")
    statement = testbed.backup(laid_out(MIB_A_TURN, DEVICES, MIB))
    milliseconds = _timed(lambda: serve(statement))
    statement.close()
    testbed.processes.end(orderly=True)
    return milliseconds


def _copier() -> Measure:
    """Copy more memory than a cache holds, in pieces of a transfer, as the BACKUP moves it."""
    area, target = ctypes.create_string_buffer(MIB_A_TURN * MIB), ctypes.create_string_buffer(MIB)
    first = ctypes.addressof(area)
    ctypes.memset(first, 1, MIB_A_TURN * MIB)

    def copy() -> None:
        for start in range(first, ctypes.addressof(area) + MIB_A_TURN * MIB, MIB):
            ctypes.memmove(target, start, MIB)

    return lambda: _timed(copy)


if __name__ == "__main__":
    main()
