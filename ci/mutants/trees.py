"""Copies of the package, one a worker, in which single modules of the emulator are replaced, and runs in them."""

from __future__ import annotations

import ast
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from environment import ROOT, clean_variables
from mutants.mutation_judge import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGE: Final = ROOT / "conformance" / "vdi_conformance"
EMULATOR: Final = PACKAGE / "emulator"
LIMIT: Final = 400.0
"""Seconds after which a run is ended from outside; every wait of the suite has a shorter limit of its own."""
LINES: Final = 1000
"""More lines than a module may have: how far the marks of two modules lie apart."""
_HITS: Final = "VDI_MUTATION_HITS"


class Judgement(NamedTuple):
    """How a run ended: its exit code (None: ended from outside), the check that failed, and what else was seen."""

    exit_code: int | None
    failed: str | None
    others: dict[str, str]
    reached: dict[str, list[int]]
    seconds: dict[str, float]


class Tree:
    """One copy of the package."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._emulator = directory / "vdi_conformance" / "emulator"
        shutil.copytree(PACKAGE, directory / "vdi_conformance")
        shutil.copy2(Path(__file__).with_name("mutation_judge.py"), directory)
        self._hits: Path | None = None
        self._waiting: _Waiting | None = None

    def replace(self, module: str, code: str) -> None:
        """Put other code in the place of a module; no process may take the one that was compiled before."""
        (self._emulator / f"{module}.py").write_text(code, encoding="utf-8")
        for compiled in (self._emulator / "__pycache__").glob(f"{module}.*.pyc"):
            compiled.unlink()

    def restore(self, module: str) -> None:
        """Put the original back."""
        self.replace(module, (EMULATOR / f"{module}.py").read_text(encoding="utf-8"))

    def mark(self, modules: Sequence[str]) -> None:
        """Let each statement of these modules leave a mark when it runs."""
        self._hits = self._directory / "hits"
        self._hits.write_bytes(bytes(LINES * len(modules)))
        for number, module in enumerate(modules):
            self.replace(module, marking((EMULATOR / f"{module}.py").read_text(encoding="utf-8"), number * LINES))

    def run(self, checks: Sequence[str] | None) -> Judgement:
        """Run the suite on the emulator, or some checks of it in an order, up to the first that fails."""
        order, verdict = self._directory / "order.json", self._directory / "verdict.json"
        verdict.unlink(missing_ok=True)
        told = {"checks": checks, "verdict": str(verdict), "hits": str(self._hits) if self._hits else None}
        order.write_text(json.dumps(told), encoding="utf-8")
        exit_code = self._plain_run(order) if sys.platform == "win32" else self._forked_run(order)
        found = json.loads(verdict.read_text(encoding="utf-8")) if verdict.exists() else {}
        return Judgement(
            exit_code, found.get("failed"), found.get("others", {}), found.get("reached", {}), found.get("seconds", {})
        )

    def close(self) -> None:
        """End the run that waits for orders."""
        if self._waiting is not None:
            self._waiting.end()

    def _plain_run(self, order: Path) -> int | None:
        with self._start(str(order)) as process:
            try:
                return process.wait(LIMIT)
            except BaseException as error:
                process.kill()
                if isinstance(error, subprocess.TimeoutExpired):
                    return None
                raise

    def _forked_run(self, order: Path) -> int | None:
        if self._waiting is None:
            self._waiting = _Waiting(self._start)
        return self._waiting.run(order)

    def _start(self, told: str, descriptors: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        variables = clean_variables() | {"PYTHONPATH": str(self._directory), VARIABLE: told}
        if self._hits:
            variables[_HITS] = str(self._hits)
        command = [sys.executable, "-m", "vdi_conformance.cli", "run", "--adapter", "emulator"]
        with (self._directory / "output.txt").open("wb") as output:
            return subprocess.Popen(
                [*command, "--", "-p", "mutation_judge", "-q"],
                cwd=self._directory,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=descriptors,
            )


class _Waiting:
    """A run that has collected its checks and forks at each order (Linux)."""

    def __init__(self, start: Callable[[str, Sequence[int]], subprocess.Popen[bytes]]) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        self._process = start(f"{orders},{answers}", (orders, answers))
        os.close(orders)
        os.close(answers)

    def run(self, order: Path) -> int | None:
        """Let a fork carry an order out, and give its exit code; None where it had to be ended."""
        os.write(self._orders, f"{order}\n".encode())
        fork = self._answer(LIMIT)
        assert fork is not None
        exit_code = self._answer(LIMIT)
        if exit_code is None and sys.platform != "win32":
            os.kill(fork, signal.SIGKILL)
            self._answer(LIMIT)
        return exit_code

    def end(self) -> None:
        """Send no more orders."""
        os.close(self._orders)
        self._process.wait(LIMIT)
        os.close(self._answers)

    def _answer(self, seconds: float) -> int | None:
        ready, _, _ = select.select([self._answers], [], [], seconds)
        if not ready:
            return None
        answer = b""
        while not answer.endswith(b"\n"):
            part = os.read(self._answers, 1)
            if not part:
                raise RuntimeError("the run that waits for orders has ended: see output.txt in its tree")
            answer += part
        return int(answer)


def marking(text: str, first: int) -> str:
    """Give a module in which each statement of a function marks its line, from number `first` on."""
    tree = ast.parse(text)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for node in ast.walk(function):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    setattr(node, field, _marked(block, first))
    future = max(
        (
            number
            for number, node in enumerate(tree.body)
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ),
        default=-1,
    )
    opening = ast.parse(
        f"import mmap as _mmap, os as _os\n"
        f"with open(_os.environ[{_HITS!r}], 'r+b') as _file:\n    _hits = _mmap.mmap(_file.fileno(), 0)\n"
    )
    # The docstring stays first, and so does what is imported from the future.
    tree.body[max(future + 1, 1) : max(future + 1, 1)] = opening.body
    return ast.unparse(ast.fix_missing_locations(tree))


def _marked(block: list[ast.stmt], first: int) -> list[ast.stmt]:
    marked: list[ast.stmt] = []
    for statement in block:
        is_mark = getattr(statement, "is_mark", False)
        if not is_mark and not (marked and getattr(marked[-1], "is_mark", False)) and not _is_text(statement):
            mark = ast.parse(f"_hits[{first + statement.lineno}] = 1").body[0]
            mark.is_mark = True  # type: ignore[attr-defined]
            marked.append(mark)
        marked.append(statement)
    return marked


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
