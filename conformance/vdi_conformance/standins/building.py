"""Libraries and programs from the C++ sources, each source compiled by itself, on all processors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PACKAGED: Final = Path(__file__).parent / "native"
_OF_A_CHECKOUT: Final = Path(__file__).parents[3] / "fixtures" / "native"
SOURCES: Final = _PACKAGED if _PACKAGED.is_dir() else _OF_A_CHECKOUT
"""Where the sources are: in the package, or where a checkout has them."""
COMMON: Final = (
    *("-std=c++17", "-I.", "-Werror", "-Wall", "-Wextra", "-Wpedantic"),
    *("-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wold-style-cast"),
)
SHARED: Final = "-shared"
_STAMP: Final = "{}.made-from.txt"


class NotBuilt(Exception):
    """It cannot be built here; the text is one sentence with the remedy."""


def say_nothing(_: str) -> None:
    """Take what is told of a build, and drop it."""


@dataclass(frozen=True)
class Target:
    """A library or program: its file, its compiler, its sources, and what compiler and linker are told.

    A source is a file, or a directory of which all is taken.
    """

    name: str
    compiler: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    linked: tuple[str, ...]

    def build(self, directory: Path, tell: Callable[[str], None] = say_nothing) -> Path:
        """Give the file, built where it is not up to date; NotBuilt says why it cannot be."""
        made, stamp = directory / self.name, directory / _STAMP.format(self.name)
        wanted = self._fingerprint()
        if not made.is_file() or not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            tell(f"Building {made}.")
            try:
                directory.mkdir(parents=True, exist_ok=True)
                stamp.unlink(missing_ok=True)
            except OSError as error:
                raise NotBuilt(f"{directory} cannot be written ({error.strerror}): name another directory.") from error
            self.make(SOURCES, made)
            stamp.write_text(wanted, encoding="utf-8")
        return made

    def make(self, root: Path, made: Path) -> None:
        """Compile every source below a directory and link them, whatever there was before."""
        with tempfile.TemporaryDirectory(dir=made.parent) as scratch:
            with ThreadPoolExecutor(os.cpu_count()) as workers:
                objects = list(workers.map(lambda source: self._compile(source, root, scratch), self._found(root)))
            exports = [str(path) for path in self._paths(root, "*.def")]
            linked = Path(scratch) / self.name
            self._run(root, "-o", str(linked), *objects, *exports, *self.linked)
            linked.replace(made)

    def _found(self, root: Path) -> list[Path]:
        return self._paths(root, "*.cpp")

    def _paths(self, root: Path, pattern: str) -> list[Path]:
        places = [root / source for source in self.sources]
        return sorted(path for place in places for path in (place.glob(pattern) if place.is_dir() else ())) + [
            place for place in places if place.match(pattern)
        ]

    def _compile(self, source: Path, root: Path, scratch: str) -> str:
        made = Path(scratch) / f"{source.parent.name}-{source.stem}.o"
        self._run(root, "-c", str(source.relative_to(root)), "-o", str(made))
        return str(made)

    def _run(self, root: Path, *arguments: str) -> None:
        try:
            code = subprocess.run([self.compiler, *self.flags, *arguments], cwd=root, check=False).returncode
        except OSError as error:
            raise NotBuilt(f"The compiler {self.compiler} cannot be started ({error.strerror}): install it.") from error
        if code:
            raise NotBuilt(f"{self.name} could not be built: the lines above say why.")

    def _fingerprint(self) -> str:
        """Say in one line what a file must have been made from to be usable as it is."""
        try:
            version = subprocess.run([self.compiler, "--version"], check=True, capture_output=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise NotBuilt(f"There is no C++ compiler {self.compiler} here: install it.") from error
        digest = hashlib.sha256(version + repr(self).encode())
        rooms = {
            (SOURCES / source) if (SOURCES / source).is_dir() else (SOURCES / source).parent for source in self.sources
        }
        for path in sorted(path for room in rooms for path in room.iterdir() if path.is_file()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()
