"""Build the stand-in libsqlvdi.so from fixtures/native: `python3 ci/native.py [--sanitize]`.

It is built where sources, flags or compiler have changed, and its path is printed. `--sanitize` builds it with
AddressSanitizer and UndefinedBehaviorSanitizer, whose findings end a process.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from environment import FAILED, ROOT, Unprepared, say

SOURCES = ROOT / "fixtures" / "native"
BUILT = ROOT / "build" / "native"
LIBRARY = "libsqlvdi.so"
STAMP = "made-from.txt"
PARTS = ("core", "posix", "linux")
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wold-style-cast")
FLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-pthread", "-I.", "-Werror", *WARNINGS)


class Variant(NamedTuple):
    """A way to build the library."""

    name: str
    flags: tuple[str, ...]


PLAIN = Variant("plain", ("-O2",))
SANITIZED = Variant(
    "sanitized", ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
)


def build(variant: Variant) -> Path:
    """Give the library, built where it is not up to date; Unprepared says in one sentence why that cannot be."""
    if platform.system() != "Linux":
        raise Unprepared(f"The stand-in {LIBRARY} is built on Linux alone: run this there.")
    command = compiler()
    directory = BUILT / variant.name
    library, stamp = directory / LIBRARY, directory / STAMP
    wanted = _fingerprint(command, variant)
    if not library.is_file() or not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        say(f"Building {library.relative_to(ROOT)}.")
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            make(SOURCES, variant, Path(scratch)).replace(library)
        stamp.write_text(wanted, encoding="utf-8")
    return library


def compiler() -> str:
    """Give the path of the C++ compiler."""
    named = os.environ.get("CXX", "g++")
    found = shutil.which(named)
    if found is None:
        raise Unprepared(f"There is no C++ compiler {named} here: install it, or name another in the variable CXX.")
    return found


def _fingerprint(command: str, variant: Variant) -> str:
    version = subprocess.run([command, "--version"], check=True, capture_output=True).stdout
    digest = hashlib.sha256(version + repr((FLAGS, variant)).encode())
    for path in sorted(path for part in PARTS for path in (SOURCES / part).iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def make(root: Path, variant: Variant, scratch: Path) -> Path:
    """Compile every source below a directory and link the library, whatever there was before."""
    compiling = [compiler(), *FLAGS, *variant.flags]

    def compiled(source: Path) -> Path:
        made = scratch / f"{source.parent.name}-{source.stem}.o"
        _run([*compiling, "-c", str(source.relative_to(root)), "-o", str(made)], root)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        objects = list(workers.map(compiled, sorted(path for part in PARTS for path in (root / part).glob("*.cpp"))))
    library = scratch / LIBRARY
    _run([*compiling, "-shared", "-Wl,--no-undefined", "-o", str(library), *map(str, objects)], root)
    return library


def _run(command: list[str], root: Path) -> None:
    if subprocess.run(command, cwd=root, check=False).returncode:
        raise Unprepared("The stand-in could not be built: the lines above say why.")


def start(arguments: list[str]) -> int:
    """Obey the command line."""
    try:
        say(str(build(SANITIZED if "--sanitize" in arguments else PLAIN).relative_to(ROOT)))
    except Unprepared as reason:
        say(str(reason))
        return FAILED
    return 0


if __name__ == "__main__":
    raise SystemExit(start(sys.argv[1:]))
