"""The stand-in sqlvdi.dll, built from fixtures/native for 64-bit Windows."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Final

from environment import Unprepared
from native import SOURCES, WARNINGS

if TYPE_CHECKING:
    from pathlib import Path

_COMPILER: Final = "x86_64-w64-mingw32-g++"
_PARTS: Final = ("core", "windows")
_FLAGS: Final = (
    *("-std=c++17", "-O2", "-I.", "-DUNICODE", "-D_WIN32_WINNT=0x0A00", "-Werror", *WARNINGS),
    *("-shared", "-static", "-s"),
)
_LIBRARIES: Final = ("-lws2_32", "-lole32", "-luuid", "-ladvapi32")
_STAMP: Final = "made-from.txt"


def build(directory: Path) -> Path:
    """Give the library, built where it is not up to date."""
    library, stamp = directory / "sqlvdi.dll", directory / _STAMP
    wanted = _fingerprint(sorted(path for part in _PARTS for path in (SOURCES / part).iterdir()))
    if library.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return library
    directory.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    make(SOURCES, library)
    stamp.write_text(wanted, encoding="utf-8")
    return library


def make(root: Path, library: Path) -> None:
    """Build the library from the sources below a directory, whatever there was before."""
    sources = sorted(path for part in _PARTS for path in (root / part).iterdir() if path.suffix in (".cpp", ".def"))
    compiled = [str(path.relative_to(root)) for path in sources]
    command = [_COMPILER, *_FLAGS, "-o", str(library), *compiled, *_LIBRARIES]
    if subprocess.run(command, cwd=root, check=False).returncode:
        raise Unprepared("The stand-in could not be built for Windows: the lines above say why.")


def _fingerprint(sources: list[Path]) -> str:
    version = subprocess.run([_COMPILER, "--version"], check=True, capture_output=True).stdout
    digest = hashlib.sha256(version + repr((_FLAGS, _LIBRARIES)).encode())
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
