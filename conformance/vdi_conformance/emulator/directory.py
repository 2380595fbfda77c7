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
PRIVATE: Final = 0o600
"""Who may read what tells of a listener: its owner."""
_FOR_ALL: Final = 0o666
_FOR_GROUP: Final = 0o640
_READABLE: Final = 0o644


class MachineDirectory:
    """The directory as the one broker has it that lives there; Unavailable where that cannot be.

    `taken` is the highest number of an area that a dead broker left and a process still maps, which only Windows
    minds (0: there is none). A `group` may use what is in it.
    """

    def __init__(self, directory: str, group: int | None = None) -> None:
        self._path = Path(directory)
        self._group = group
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

    def leave(self) -> None:
        """Delete all that would still be taken for a broker's, and the memory that nobody maps; let others have it."""
        self._clear()
        self._lock.close()

    def delete(self, areas: Iterable[int]) -> None:
        """Delete areas; on Windows that must wait until nobody maps them."""
        self._garbage += [area_file(str(self._path), area) for area in areas]
        self._garbage = [path for path in self._garbage if not _deleted(path)]

    def let_in(self) -> None:
        """Let those connect who may, whatever the mask of this process: the group, whoever root starts, or the owner.

        Which of several accounts may do what is decided by the broker, whom the system tells the account of each.
        """
        if self._group is not None:
            hand_to(self._group, Path(self.socket), AREA_MODE)
        elif sys.platform != "win32":
            Path(self.socket).chmod(_FOR_ALL if _serves_others() else PRIVATE)

    def give(self, areas: Iterable[tuple[int, Account]]) -> None:
        """Let an area belong to the account that its set belongs to."""
        if sys.platform != "win32":
            for area, owner in areas:
                path = area_file(str(self._path), area)
                with contextlib.suppress(FileNotFoundError):
                    if self._group is not None:
                        hand_to(self._group, path, AREA_MODE)
                        continue
                    if owner.user != os.geteuid():
                        os.chown(path, owner.user, owner.group)
                    path.chmod(AREA_MODE)

    def publish(self, place: str | int, secret: str) -> None:
        """Tell this user's processes where the broker listens, and the group's; others only what is no secret."""
        mode = _READABLE if _serves_others() and not secret else PRIVATE
        publish(self._path / ENDPOINT, place, secret, mode, self._group)


def publish(path: Path, place: str | int, secret: str, mode: int = PRIVATE, group: int | None = None) -> None:
    """Write where something listens into a file, whole at once, for its owner, or for a group besides."""
    unfinished = path.with_name(_unfinished(path.name))
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, PRIVATE)) as file:
        file.write(encode((place, secret)))
    unfinished.chmod(mode)
    if group is not None:
        hand_to(group, unfinished, _FOR_GROUP)
    unfinished.replace(path)


def hand_to(group: int, path: Path, mode: int) -> None:
    """Let a group use a file."""
    if sys.platform != "win32":
        os.chown(path, -1, group)
        path.chmod(mode)


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
