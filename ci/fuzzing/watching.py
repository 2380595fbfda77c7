"""Sees what a process writes: files and directories outside of the one that it may use, and processes that it starts.

Python's audit hooks tell of each before it happens, and there is no way to take one back: the one here is idle but
while a directory is watched.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fuzzing.target import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OF_PATHS: Final = {
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown"), slice(0, 1)),
    **dict.fromkeys(("os.rename", "os.link"), slice(0, 2)),
    "os.symlink": slice(1, 2),
}
"""What changes files, and which of its arguments are their paths."""
_OF_PROCESSES: Final = frozenset(
    {"os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "subprocess.Popen"}
)
_SHOWN: Final = 40
_NO_FILES: Final = (os.devnull,)


class Wrote(Broken):
    """Something outside of the directory was about to be changed."""


class Watch:
    """What was seen while a directory is watched; the act itself is refused."""

    def __init__(self, directory: Path) -> None:
        self._root = os.path.realpath(directory)
        self._seen: list[str] = []
        self._is_looking = False

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look while something runs, and raise what was seen, also where somebody has caught what refused it."""
        self._is_looking = True
        try:
            yield
        finally:
            self._is_looking = False
            seen, self._seen = self._seen, []
        if seen:
            raise Wrote(seen[0])

    def take(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at an event."""
        if not self._is_looking:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING:
                self._need_inside("open for writing", path)
        elif event in _OF_PATHS:
            for path in arguments[_OF_PATHS[event]]:
                self._need_inside(event, path)
        elif event in _OF_PROCESSES:
            self._refuse(event)

    def _need_inside(self, event: str, path: Any) -> None:
        if isinstance(path, int):
            return
        name = os.fsdecode(path)
        if name not in _NO_FILES and not os.path.realpath(name).startswith(f"{self._root}{os.sep}"):
            self._refuse(f"{event}: {name[-_SHOWN:]!r}")

    def _refuse(self, seen: str) -> None:
        self._seen.append(seen)
        raise Wrote(seen)


_hear: Callable[[str, tuple[Any, ...]], None] | None = None
_is_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _hear is not None:
        _hear(event, arguments)


@contextmanager
def watching(directory: Path) -> Iterator[Watch]:
    """Watch a directory: while the watch is looking, nothing outside of it can be written."""
    global _hear, _is_hooked
    watch = Watch(directory)
    if not _is_hooked:
        sys.addaudithook(_hook)
        _is_hooked = True
    _hear = watch.take
    try:
        yield watch
    finally:
        _hear = None
