"""What msdb keeps of backups and restores, in a file that grows by a line for each."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from vdi_conformance.sqlserver.backups.label import Label
from vdi_conformance.sqlserver.databases.contents import LocalTime
from vdi_conformance.sqlserver.databases.store import Unusable
from vdi_conformance.sqlserver.databases.store import replace as replace_file
from vdi_conformance.untrusted import decoding


@dataclass(frozen=True)
class Device:
    """A device of a backup, and the media family that is on it."""

    name: str
    family: UUID


@dataclass(frozen=True)
class BackupEntry:
    """A backup that was made, or met by a restore first: a row of backupset, and what belongs to it."""

    number: int
    label: Label
    finished: LocalTime
    position: int
    device_type: int
    devices: tuple[Device, ...]
    pages: int


@dataclass(frozen=True)
class RestoreEntry:
    """A restore, of the backup of that number."""

    number: int
    backup: int
    when: LocalTime
    database: str
    user: str
    kind: str
    replaces: bool
    recovers: bool
    stop_at: LocalTime | None
    device_count: int


@dataclass(frozen=True)
class _Line:
    """One line of the file."""

    backup: BackupEntry | None = None
    restore: RestoreEntry | None = None


_LINES: Final = msgspec.json.Decoder(_Line)


class History:
    """Backups and restores in their order; safe to use from every thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._backups: list[BackupEntry] = []
        self._restores: list[RestoreEntry] = []
        self._next = 1
        for line in _lines_of(path):
            self._take(line)

    def backups(self) -> Sequence[BackupEntry]:
        """Give all backups."""
        with self._lock:
            return tuple(self._backups)

    def restores(self) -> Sequence[RestoreEntry]:
        """Give all restores."""
        with self._lock:
            return tuple(self._restores)

    def add_backup(self, entry: BackupEntry) -> BackupEntry:
        """Note a backup, under a number of its own; one of the same set that is there already is given instead."""
        with self._lock:
            for known in self._backups:
                if known.label.guid == entry.label.guid:
                    return known
            numbered = replace(entry, number=self._next)
            self._append(_Line(backup=numbered))
            return numbered

    def add_restore(self, entry: RestoreEntry) -> None:
        """Note a restore, under a number of its own."""
        with self._lock:
            self._append(_Line(restore=replace(entry, number=self._next)))

    def forget(self, database: str | None, before: datetime | None) -> None:
        """Forget the backups of a database, those that ended before a time, or both, and the restores of them."""

        def is_meant(entry: BackupEntry) -> bool:
            named = database is None or entry.label.source.name.casefold() == database.casefold()
            return named and (before is None or entry.finished < before)

        with self._lock:
            gone = {entry.number for entry in self._backups if is_meant(entry)}
            restores = [entry for entry in self._restores if not self._is_gone(entry, gone, database, before)]
            if not gone and len(restores) == len(self._restores):
                return
            self._restores = restores
            self._backups = [entry for entry in self._backups if entry.number not in gone]
            kept = [*(_Line(backup=one) for one in self._backups), *(_Line(restore=one) for one in self._restores)]
            replace_file(self._path, b"".join(msgspec.json.encode(line) + b"\n" for line in kept))

    @staticmethod
    def _is_gone(entry: RestoreEntry, gone: set[int], database: str | None, before: datetime | None) -> bool:
        to_it = database is not None and before is None and entry.database.casefold() == database.casefold()
        return to_it or entry.backup in gone

    def _append(self, line: _Line) -> None:
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
        self._take(line)

    def _take(self, line: _Line) -> None:
        if line.backup is not None:
            self._backups.append(line.backup)
            self._next = max(self._next, line.backup.number + 1)
        if line.restore is not None:
            self._restores.append(line.restore)
            self._next = max(self._next, line.restore.number + 1)


def _lines_of(path: Path) -> Sequence[_Line]:
    """Read the file; a line without an end was being written when its server was killed, and is cut off."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        replace_file(path, whole)
    try:
        return [decoding.json(line, _LINES) for line in whole.splitlines()]
    except decoding.Unreadable as error:
        raise Unusable(f"{path} cannot be read ({error}): delete it, or take another directory") from error
