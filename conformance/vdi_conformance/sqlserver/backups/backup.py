"""BACKUP: a backup set is written, and noted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from vdi_conformance.sqlserver.backups.job import PROCESS, StatementJob
from vdi_conformance.sqlserver.backups.label import MediaSet, Traits, Writer
from vdi_conformance.sqlserver.backups.reporting import entry_of, of_backup, processed
from vdi_conformance.sqlserver.backups.taking import Wanted, after_backup, ready, taken
from vdi_conformance.sqlserver.backups.writing import Streams
from vdi_conformance.sqlserver.databases.activities import Busy
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.wellformed import wellformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vdi_conformance.sqlserver.backups.label import Kind, Label
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.sqlserver.databases.model import Database
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import Asker
    from vdi_conformance.sqlserver.statements import BackupStatement
    from vdi_conformance.tds.answers import Answer, Message

    Tell = Callable[[Answer], None]


class BackupJob(StatementJob):
    """One BACKUP."""

    def __init__(self, parts: ServerParts, statement: BackupStatement, asker: Asker) -> None:
        super().__init__(parts, statement, asker)
        self._name = statement.database
        self._is_log = statement.subject == "log"
        self._label: Label | None = None

    def explain(self) -> Sequence[Message]:
        """Say which backup failed."""
        return (message(3041, command=f"{self.words} {self._name}"),)

    def perform(self, tell: Tell) -> None:
        """Take the backup; nothing else backs up the same meanwhile (3023)."""
        media = self.open_media()
        if self._name.casefold() == "tempdb":
            raise refused(3147)
        name = self.parts.catalogue.get(self._name).name
        try:
            with media.held(), self.parts.activities.holding(name, "log backup" if self._is_log else "backup"):
                self._take(name, media, tell)
        except Busy as busy:
            raise refused(927 if busy.what == "restore" else 3023, database=name) from None

    @property
    def _kind(self) -> Kind:
        if self._is_log:
            return "log"
        return "differential" if "DIFFERENTIAL" in self.options else "database"

    def _take(self, name: str, media: Media, tell: Tell) -> None:
        options, parts = self.options, self.parts
        overwrites = "FORMAT" in options or "INIT" in options
        place = media.place(overwrites, "FORMAT" in options or "SKIP" in options)
        database = parts.catalogue.change(name, lambda one: ready(one, self._kind))
        wanted = self._wanted(place.media or self._new_media(len(media.names)))
        self._log_freeze(3197, name)
        media.write(self.sizes, "SNAPSHOT" in options, lambda *sizes: self._streams(database, wanted, *sizes))
        self._log_freeze(3198, name)
        label = self._label
        if label is None:
            raise ValueError("media that were written had a label")
        parts.catalogue.change(name, lambda one: after_backup(one, label))
        ended = parts.now()
        self._note(label, media, place.position, ended)
        for told in processed(self.words, label, name, place.position, wanted.started, ended):
            tell(told)

    def _streams(self, database: Database, wanted: Wanted, block_size: int, max_transfer_size: int) -> Streams:
        label, document = taken(database, wanted, block_size, max_transfer_size)
        self._label = label
        self.progress.total = label.size
        return Streams(label, document, self.progress.add)

    def _log_freeze(self, number: int, name: str) -> None:
        if "SNAPSHOT" in self.options:
            self.parts.error_log.tell(PROCESS, message(number, database=name))

    def _new_media(self, families: int) -> MediaSet:
        name, description = self.options.text("MEDIANAME"), self.options.text("MEDIADESCRIPTION")
        return MediaSet(uuid4(), families, self.parts.now(), name, description)

    def _wanted(self, media: MediaSet) -> Wanted:
        options, known = self.options, self.parts.identification
        started = self.parts.now()
        return Wanted(
            kind=self._kind,
            media=media,
            guid=uuid4(),
            writer=Writer(wellformed(self.asker.login), known.server_name, known.machine, known.version),
            started=started,
            traits=Traits(
                is_snapshot="SNAPSHOT" in options,
                is_copy_only="COPY_ONLY" in options,
                has_checksums="CHECKSUM" in options,
                leaves_restoring="NORECOVERY" in options,
            ),
            name=options.text("NAME"),
            description=options.text("DESCRIPTION"),
            expires=self._expiration(started),
        )

    def _expiration(self, started: datetime) -> datetime | None:
        days = self.options.number("RETAINDAYS")
        return self.options.time("EXPIREDATE") if days is None else started + timedelta(days=min(days, 99999))

    def _note(self, label: Label, media: Media, position: int, ended: datetime) -> None:
        """Keep the backup in msdb and in the error log."""
        self.parts.history.add_backup(entry_of(label, media, position, ended))
        self.parts.error_log.tell(PROCESS, of_backup(label, media, position))
