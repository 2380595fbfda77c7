"""A broker's directory: one living broker has it, and what a dead one left in it is cleared away first."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from vdi_conformance.contract import Unavailable
from vdi_conformance.emulator.accounts import SUPERUSER
from vdi_conformance.emulator.broker_protocol import ENDPOINT, encode
from vdi_conformance.emulator.observing import WATCHED
from vdi_conformance.emulator.segments import area_file, area_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.emulator.accounts import Account

if sys.platform == "win32":
    import msvcrt

    def _is_alone(descriptor: int) -> bool:
        """Lock a file for as long as this process lives; False where another one has."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _is_alone(descriptor: int) -> bool:
        """Lock a file for as long as this process lives; False where another one has."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


LOCK: Final = "broker.lock"
"""Whoever has it locked lives: unlike a number of a process, a lock ends with its process and is nobody else's."""
SOCKET: Final = "broker.socket"
AREA_MODE: Final = 0o660
"""Who may map an area: its owner and the owner's first group."""
_FOR_ALL: Final = 0o666
_READABLE: Final = 0o644


class MachineDirectory:
    """The directory as the one broker has it that lives there; Unavailable where that cannot be.

    `taken` is the highest number of an area that a dead broker left and a process still maps, which only Windows
    minds (0: there is none).
    """

    def __init__(self, directory: str) -> None:
        self._path = Path(directory)
        self._garbage: list[Path] = []
        try:
            self._lock = (self._path / LOCK).open("ab")
            if not _is_alone(self._lock.fileno()):
                self._lock.close()
                raise Unavailable(f"A broker runs in {directory} already: end it first, or take another directory")
            self.taken = self._clear()
        except OSError as error:
            _unusable(directory, error)

    @property
    def socket(self) -> str:
        """Where a Unix socket has its place."""
        return str(self._path / SOCKET)

    def _clear(self) -> int:
        """Delete what only a dead broker can have left."""
        for name in (ENDPOINT, _unfinished(ENDPOINT), SOCKET, WATCHED):
            (self._path / name).unlink(missing_ok=True)
        areas = [area for area in map(area_of, self._path.iterdir()) if area is not None]
        self.delete(areas)
        return max((area_of(path) or 0 for path in self._garbage), default=0)

    def delete(self, areas: Iterable[int]) -> None:
        """Delete areas; on Windows that must wait until nobody maps them."""
        self._garbage += [area_file(str(self._path), area) for area in areas]
        self._garbage = [path for path in self._garbage if not _deleted(path)]

    def let_in_others(self) -> None:
        """Let processes of other accounts connect, where there can be some in the directory: those that root starts.

        Which of them may do what is decided by the broker, whom the system tells the account of each.
        """
        if _serves_others():
            os.chmod(self.socket, _FOR_ALL)  # noqa: PTH101 - there is no such method on Windows

    def give(self, areas: Iterable[tuple[int, Account]]) -> None:
        """Let an area belong to the account that its set belongs to."""
        if sys.platform != "win32":
            for area, owner in areas:
                path = area_file(str(self._path), area)
                with contextlib.suppress(FileNotFoundError):
                    if owner.user != os.geteuid():
                        os.chown(path, owner.user, owner.group)
                    path.chmod(AREA_MODE)

    def publish(self, place: str | int, secret: str) -> None:
        """Tell this user's processes, all at once, where the broker listens; others only what is no secret."""
        unfinished = self._path / _unfinished(ENDPOINT)
        mode = _READABLE if _serves_others() and not secret else 0o600
        with open(unfinished, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(encode((place, secret)))
        unfinished.chmod(mode)
        unfinished.replace(self._path / ENDPOINT)


def _serves_others() -> bool:
    return sys.platform != "win32" and os.geteuid() == SUPERUSER.user


def _unfinished(name: str) -> str:
    return f"{name}.new"


def _unusable(directory: str, error: OSError) -> NoReturn:
    raise Unavailable(
        f"No broker can run in {directory} ({error.strerror}): name one that is there and can be written to"
    ) from error


def _deleted(path: Path) -> bool:
    """Delete a file; False where it is there still."""
    with contextlib.suppress(PermissionError):
        path.unlink(missing_ok=True)
        return True
    return False
