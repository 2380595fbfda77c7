"""A pytest plugin inside each run: executes chosen checks in a chosen order, and ends the run at the first failure.

An order is the name of a JSON file with `checks` (their ids in order, or null for all), `verdict` (the file to write)
and `hits`: null, or the file of marks of an emulator that marks each statement which runs. The variable
VDI_MUTATION_JUDGE is one order, or two numbers `IN,OUT` of pipes (Linux): then the run stops when the checks are
collected, and for each order that comes in a fork of it goes on to the end. That spares each mutant the start of a run,
and no process that has seen the emulator lives before the fork: hosts are started by a process of their own.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from vdi_conformance.pytest_plugin.checks import check_id, id_of_node
from vdi_conformance.pytest_plugin.phases import phase_of

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE: Final = "VDI_MUTATION_JUDGE"
_ENOUGH_ERRORS: Final = 25
_DATA_LIMIT: Final = 2 << 30
_FILES_LIMIT: Final = 4 << 30


class Judge:
    """What one run is told, and what it tells."""

    def __init__(self) -> None:
        self._order: dict[str, Any] = {}
        self._failed: str | None = None
        self._others: dict[str, str] = {}
        self._executed: set[str] = set()
        self._reached: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._marks: mmap.mmap | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Take the order, and execute what it chose, in its order."""
        self._order = json.loads(Path(_next_order()).read_text(encoding="utf-8"))
        if self._order["hits"]:
            with Path(self._order["hits"]).open("r+b") as file:
                self._marks = mmap.mmap(file.fileno(), 0)
        if self._order["checks"] is not None:
            place = {check: number for number, check in enumerate(self._order["checks"])}
            chosen = [item for item in session.items if check_id(item) in place]
            session.items = sorted(chosen, key=lambda item: place[check_id(item)])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note which statements were reached by the check, in any process."""
        if self._marks is not None:
            self._marks[:] = bytes(len(self._marks))
        result = yield
        if self._marks is not None:
            self._reached[check_id(item)] = [number for number, mark in enumerate(self._marks[:]) if mark]
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how checks ended."""
        check = id_of_node(report.nodeid)
        self._executed.add(check)
        self._seconds[check] = self._seconds.get(check, 0.0) + report.duration
        phase = phase_of(report)
        if phase is None or phase.verdict == "passed":
            return
        if phase.verdict == "failed":
            self._failed = self._failed or check
        else:
            self._others[check] = phase.verdict

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """End the run after this check where it is decided, or where nothing but errors come."""
        errors = sum(verdict == "error" for verdict in self._others.values())
        if self._failed is not None:
            item.session.shouldfail = f"{self._failed} failed"
        elif errors > _ENOUGH_ERRORS:
            item.session.shouldfail = "errors alone"

    def pytest_sessionfinish(self) -> None:
        """Write what was found."""
        found = {
            "failed": self._failed,
            "others": self._others,
            "executed": len(self._executed),
            "reached": self._reached,
            "seconds": self._seconds,
        }
        Path(self._order["verdict"]).write_text(json.dumps(found), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Take the order; nothing that a mutant does may fill the machine."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_DATA_LIMIT, _DATA_LIMIT))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_FILES_LIMIT, _FILES_LIMIT))
    config.pluginmanager.register(Judge(), "vdi-mutation-judge")


def _next_order() -> str:
    told = os.environ[VARIABLE]
    return told if sys.platform == "win32" or "," not in told else _forked(*map(int, told.split(",")))


def _forked(orders: int, answers: int) -> str:
    """Stay here, and return in a fork for each order that comes."""
    if sys.platform != "win32":
        with open(orders, encoding="utf-8") as lines:
            for line in lines:
                process = os.fork()
                if process == 0:
                    os.close(answers)
                    return line.strip()
                os.write(answers, f"{process}\n".encode())
                _, status = os.waitpid(process, 0)
                os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    raise NotImplementedError
