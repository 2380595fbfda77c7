"""The mutation tool in an environment of its own, since it brings two dozen packages that nothing else here needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from environment import ROOT, clean_variables
from mutants.ledger import RESULTS, Mutant, digest
from mutants.trees import EMULATOR

if TYPE_CHECKING:
    from rich.console import Console

HERE: Final = Path(__file__).parent
CONFIG: Final = HERE / "mutants.toml"
LOCK: Final = HERE / "requirements.lock"
_ENVIRONMENT: Final = RESULTS.with_name("tool")
_MUTANTS: Final = RESULTS.with_name("mutants.jsonl")
_STAMP: Final = "made-from.txt"


def modules() -> list[str]:
    """Name the modules that are mutated."""
    named: list[str] = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["modules"]
    return named


def generate(console: Console) -> list[Mutant]:
    """Give all mutants, made anew where the emulator, the configuration or the generator has changed."""
    sources = [EMULATOR / f"{module}.py" for module in modules()]
    now = digest([CONFIG, LOCK, HERE / "generate.py", *sources])
    known = _MUTANTS.read_text(encoding="utf-8").splitlines() if _MUTANTS.exists() else [""]
    if known[0] != now:
        python = _environment(console)
        console.print("Listing the mutants, which takes a minute.")
        made = subprocess.run(
            [str(python), str(HERE / "generate.py"), str(CONFIG), str(EMULATOR)],
            env=clean_variables(),
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
        known = [now, *made.stdout.splitlines()]
        _MUTANTS.write_text("\n".join(known), encoding="utf-8")
    return [Mutant.from_line(line) for line in known[1:]]


def _environment(console: Console) -> Path:
    """Give the interpreter of the tool's environment, which is made where the lock or the interpreter is another."""
    python = _ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = _ENVIRONMENT / _STAMP
    wanted = f"{sys.version} {digest([LOCK])}"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        console.print(f"Making an environment for the mutation tool from {LOCK.relative_to(ROOT)}.")
        install = ["install", "--quiet", "--require-hashes", "--prefer-binary", "-r", str(LOCK)]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)],
            [str(python), "-m", "pip", *install],
        ):
            subprocess.run(command, env=clean_variables(), check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python
