"""What is told of a statement that succeeded: to its client, to msdb, and to the error log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid5

from vdi_conformance.sqlserver.backups.history import BackupEntry, Device
from vdi_conformance.sqlserver.databases.lsn import with_colons
from vdi_conformance.sqlserver.databases.model import PAGE, pages
from vdi_conformance.sqlserver.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vdi_conformance.sqlserver.backups.label import Label
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.tds.answers import Message

_MEGABYTE: Final = 1 << 20
_SHORTEST: Final = 0.001
_BACKED_UP: Final = {"database": 18264, "log": 18265, "differential": 18270}
_RESTORED: Final = {"database": 18267, "log": 18268, "differential": 18269}


def page_count(label: Label) -> int:
    """Say how many pages a backup has."""
    return sum(pages(one.backed_up) for one in label.source.files)


def processed(
    words: str, label: Label, database: str, position: int, began: datetime, ended: datetime
) -> Iterator[Message]:
    """Tell a client of the pages of each file, and of the success."""
    for one in label.source.files:
        if one.backed_up or one.file.kind == "log":
            count, file = pages(one.backed_up), one.file.name
            yield message(4035, pages=count, database=database, file=file, position=position)
    total, seconds = page_count(label), max((ended - began).total_seconds(), _SHORTEST)
    yield message(3014, words=words, pages=total, seconds=seconds, rate=total * PAGE / _MEGABYTE / seconds)


def entry_of(label: Label, media: Media, position: int, finished: datetime) -> BackupEntry:
    """Give what msdb notes of a backup, whose number it finds itself."""
    families = [uuid5(label.media.guid, str(number)) for number in range(1, len(media.names) + 1)]
    devices = tuple(map(Device, media.names, families))
    return BackupEntry(0, label, finished, position, media.device_type, devices, page_count(label))


def of_backup(label: Label, media: Media, position: int) -> Message:
    """Tell the error log of a backup."""
    return _logged(_BACKED_UP[label.kind], label.source.name, label, media, position)


def of_restore(label: Label, media: Media, position: int, database: str) -> Message:
    """Tell the error log of a restore."""
    return _logged(_RESTORED[label.kind], database, label, media, position)


def _logged(number: int, database: str, label: Label, media: Media, position: int) -> Message:
    devices = ", ".join(f"'{name}'" for name in media.names)
    return message(
        number,
        database=database,
        created=f"{label.source.created:%Y/%m/%d(%H:%M:%S)}",
        pages=page_count(label),
        first=with_colons(label.range.first),
        last=with_colons(label.range.last),
        count=len(media.names),
        devices=f"FILE={position}, TYPE={media.type_name}: {{{devices}}}",
    )
