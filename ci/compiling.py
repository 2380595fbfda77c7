"""Shared libraries from the sources of fixtures/native, each source compiled by itself, on all processors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from environment import ROOT, Unprepared, say

SOURCES: Final = ROOT / "fixtures" / "native"
COMMON: Final = (
    *("-std=c++17", "-I.", "-Werror", "-Wall", "-Wextra", "-Wpedantic"),
    *("-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wold-style-cast"),
)
_STAMP: Final = "made-from.txt"


class Library(NamedTuple):
    """A library: its file, its compiler, the directories of its sources, and what compiler and linker are told."""

    name: str
    compiler: str
    parts: tuple[str, ...]
    flags: tuple[str, ...]
    linked: tuple[str, ...]

    def build(self, directory: Path) -> Path:
        """Give the library of this checkout, built where it is not up to date; an Unprepared says why it cannot be."""
        library, stamp = directory / self.name, directory / _STAMP
        wanted = self._fingerprint()
        if not library.is_file() or not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            say(f"Building {library.relative_to(ROOT)}.")
            directory.mkdir(parents=True, exist_ok=True)
            stamp.unlink(missing_ok=True)
            self.make(SOURCES, library)
            stamp.write_text(wanted, encoding="utf-8")
        return library

    def make(self, root: Path, library: Path) -> None:
        """Compile every source below a directory and link the library, whatever there was before."""
        with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
            with ThreadPoolExecutor(os.cpu_count()) as workers:
                objects = list(workers.map(lambda source: self._compile(source, root, scratch), self._sources(root)))
            exports = [str(path) for part in self.parts for path in sorted((root / part).glob("*.def"))]
            made = Path(scratch) / self.name
            self._run(root, "-shared", "-o", str(made), *objects, *exports, *self.linked)
            made.replace(library)

    def _sources(self, root: Path) -> list[Path]:
        return sorted(path for part in self.parts for path in (root / part).glob("*.cpp"))

    def _compile(self, source: Path, root: Path, scratch: str) -> str:
        made = Path(scratch) / f"{source.parent.name}-{source.stem}.o"
        self._run(root, "-c", str(source.relative_to(root)), "-o", str(made))
        return str(made)

    def _run(self, root: Path, *arguments: str) -> None:
        if subprocess.run([self.compiler, *self.flags, *arguments], cwd=root, check=False).returncode:
            raise Unprepared(f"{self.name} could not be built: the lines above say why.")

    def _fingerprint(self) -> str:
        version = subprocess.run([self.compiler, "--version"], check=True, capture_output=True).stdout
        digest = hashlib.sha256(version + repr(self).encode())
        for path in sorted(path for part in self.parts for path in (SOURCES / part).iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()
