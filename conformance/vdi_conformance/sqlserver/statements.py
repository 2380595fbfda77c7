"""BACKUP and RESTORE as values: what their T-SQL says, once its variables have their values."""

from __future__ import annotations

from typing import Literal, NamedTuple

DeviceKind = Literal["virtual", "disk", "url", "tape", "logical"]
BackupSubject = Literal["database", "log"]
RestoreSubject = Literal["database", "log", "filelistonly", "headeronly", "labelonly", "verifyonly"]


class Medium(NamedTuple):
    """A device that a statement names, such as VIRTUAL_DEVICE = 'name' or DISK = @path."""

    kind: DeviceKind
    name: str
    line: int = 1


class Option(NamedTuple):
    """One word after WITH, in capitals, and what it is given: MOVE has two values, FORMAT none."""

    name: str
    values: tuple[int | str | None, ...] = ()
    line: int = 1


class BackupStatement(NamedTuple):
    """BACKUP DATABASE or BACKUP LOG; `line` counts from 1 within the batch."""

    subject: BackupSubject
    database: str
    media: tuple[Medium, ...]
    options: tuple[Option, ...] = ()
    line: int = 1


class RestoreStatement(NamedTuple):
    """RESTORE of a database or a log, or of what a medium says of itself; `media` may be empty (WITH RECOVERY)."""

    subject: RestoreSubject
    database: str | None
    media: tuple[Medium, ...]
    options: tuple[Option, ...] = ()
    line: int = 1
