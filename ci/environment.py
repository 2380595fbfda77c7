"""The virtual environment `.venv` of a checkout: made from the lock, reused while nothing has changed.

`python3 ci/environment.py` makes it; the other scripts do so themselves.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
INTERRUPTED = 2
FAILED = 3
STAMP = "made-by-ci.txt"
LOCK = "ci/requirements.lock"
LEAKING = ("PYTHONPATH", "PYTHONHOME", "MYPYPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
SLOWING = ("PYTHONDONTWRITEBYTECODE",)
"""Without its caches every process compiles every module, and pytest rewrites it, again and again."""


class Unprepared(Exception):
    """The environment could not be made; the text says why and what to do."""


def main(job: Callable[[Path, list[str]], int], arguments: list[str]) -> int:
    """Prepare `.venv`, hand its interpreter and the arguments to the job, and give the exit code."""
    try:
        return job(prepare(), arguments)
    except Unprepared as reason:
        say(str(reason))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def say(text: str) -> None:
    """Print one line at once, whatever the encoding of the terminal."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def clean_variables() -> dict[str, str]:
    """Give the environment variables without those that would mix other code or options into a run, or slow it."""
    variables = {name: value for name, value in os.environ.items() if name not in LEAKING + SLOWING}
    return variables | {"PYTHONUTF8": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def prepare(root: Path = ROOT) -> Path:
    """Give the interpreter of `.venv`, which is made or made anew first where it does not fit the lock."""
    if sys.version_info < OLDEST_PYTHON:
        raise Unprepared(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: start it with a newer one."
        )
    directory = root / ".venv"
    with alone(root / ".venv.lock"):
        wanted = fingerprint(root)
        if _stamp(directory) != wanted:
            _make(root, directory, wanted)
    return _interpreter(directory)


def fingerprint(root: Path) -> str:
    """Say in one line what an environment must have been made from to be usable as it is."""
    digest = hashlib.sha256()
    for part in (sys.version, sys.base_prefix, str(root)):
        digest.update(part.encode() + b"\0")
    for name in (LOCK, "pyproject.toml"):
        digest.update((root / name).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def is_newer_than_the_sources(evidence: Path) -> bool:
    """Tell whether a run has ended since anything was changed that it depends on."""
    rooms = (ROOT / "conformance", ROOT / "fixtures")
    sources = (path for room in rooms for kind in ("*.py", "*.tsv", "*.json") for path in room.rglob(kind))
    return evidence.is_file() and evidence.stat().st_mtime > max(path.stat().st_mtime for path in sources)


def tool(python: Path, name: str) -> str:
    """Give the path of a console script beside the interpreter."""
    return str(python.with_name(f"{name}.exe" if os.name == "nt" else name))


def call(command: Sequence[str]) -> int:
    """Run a command in the checkout on this terminal; Ctrl-C is left to it, so that it can tidy up."""
    with subprocess.Popen(command, cwd=ROOT, env=clean_variables()) as process:
        return wait(process)


def wait(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> int:
    """Wait for a process that gets Ctrl-C itself."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _make(root: Path, directory: Path, wanted: str) -> None:
    say("Making .venv from ci/requirements.lock; this happens once, and again when the lock changes.")
    _clear(directory)
    variables = clean_variables()
    # Where `.venv` itself is activated, sys.executable has just been deleted.
    interpreter = getattr(sys, "_base_executable", sys.executable)
    install = [str(_interpreter(directory)), "-m", "pip", "install", "--quiet", "--no-input"]
    steps = {
        "make a virtual environment": [interpreter, "-m", "venv", str(directory)],
        # The lock names whatever is needed: nothing is to be worked out, which takes as long as to install it.
        "install the lock": [*install, *("--require-hashes", "--only-binary=:all:", "--no-deps"), "-r", LOCK],
        "install the project": [*install, "--no-deps", "--no-build-isolation", "--editable", "."],
    }
    for what, command in steps.items():
        code = subprocess.run(command, cwd=root, env=variables, check=False).returncode
        if code:
            raise Unprepared(f"Could not {what} (exit code {code}): see the lines above; the next start begins afresh.")
    finished = directory / f"{STAMP}.new"
    finished.write_text(wanted, encoding="utf-8")
    finished.replace(directory / STAMP)


def _clear(directory: Path) -> None:
    """Empty the directory and mark it as ours and unfinished; never touch one that is not ours."""
    directory.mkdir(exist_ok=True)
    if _stamp(directory) is None and any(directory.iterdir()):
        raise Unprepared(f"{directory} was not made by this script: move it away, then start again.")
    (directory / STAMP).write_text("", encoding="utf-8")
    try:
        for entry in directory.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != STAMP:
                entry.unlink()
    except OSError as error:
        raise Unprepared(f"{directory} cannot be emptied ({error}): end what uses it, then start again.") from error


def _stamp(directory: Path) -> str | None:
    try:
        return (directory / STAMP).read_text(encoding="utf-8")
    except OSError:
        return None


def _interpreter(directory: Path) -> Path:
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file: only one script at a time makes or uses what it stands for."""
    with path.open("a+b") as file:
        if not _try_lock(file.fileno()):
            say(f"Waiting for another script that holds {path}.")
            while not _try_lock(file.fileno(), wait=True):
                pass
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, wait: bool = False) -> bool:
        # LK_LOCK gives up after ten seconds; the caller asks again.
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int, wait: bool = False) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


if __name__ == "__main__":
    raise SystemExit(main(lambda *_: 0, sys.argv[1:]))
