"""RESTORE of a database or its log: a backup set is read, and the database is what it says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.sqlserver.backups.history import RestoreEntry
from vdi_conformance.sqlserver.backups.job import PROCESS, StatementJob
from vdi_conformance.sqlserver.backups.reader import Wish
from vdi_conformance.sqlserver.backups.reporting import entry_of, of_restore, processed
from vdi_conformance.sqlserver.backups.restoring import (
    Request,
    completed,
    in_standby,
    left_restoring,
    planned,
    recovered,
)
from vdi_conformance.sqlserver.databases.activities import Busy
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.wellformed import wellformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vdi_conformance.sqlserver.backups.label import Kind, Label
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.sqlserver.databases.model import Database
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import Asker
    from vdi_conformance.sqlserver.statements import RestoreStatement
    from vdi_conformance.tds.answers import Answer

    Tell = Callable[[Answer], None]

_HISTORY_KINDS: Final[Mapping[Kind, str]] = {"database": "D", "differential": "I", "log": "L"}


class RestoreJob(StatementJob):
    """One RESTORE of a database or a log."""

    def __init__(self, parts: ServerParts, statement: RestoreStatement, asker: Asker) -> None:
        super().__init__(parts, statement, asker)
        self._of_log = statement.subject == "log"
        self._recovers_only = not statement.media
        self._name = statement.database or ""
        self._label: Label | None = None
        self._before: Database | None = None

    def perform(self, tell: Tell) -> None:
        """Restore, with the database for itself (3101, 3102)."""
        media = None if self._recovers_only else self.open_media()
        self._require_allowed()
        try:
            with self.parts.activities.holding(self._name, "restore"):
                if media is None:
                    self.parts.catalogue.change(self._name, recovered)
                    tell(message(3014, words=self.words, pages=0, seconds=0.001, rate=0.0))
                else:
                    self._restore(media, tell)
        except Busy:
            raise refused(3101, database=self._name) from None

    def _require_allowed(self) -> None:
        name = self._name.casefold()
        if name == "tempdb":
            raise refused(3147)
        if name == "master":
            raise refused(3108)
        if self.parts.catalogue.find(name) is None:
            return
        if self.asker.database.casefold() == name:
            raise refused(3102, database=self._name)
        if set(self.asker.sessions.using(self._name)) - {self.asker.session_id}:
            raise refused(3101, database=self._name)

    def _restore(self, media: Media, tell: Tell) -> None:
        options, parts, began = self.options, self.parts, self.parts.now()
        request, stop_at = self._request(media, began), options.time("STOPAT")
        self._before = parts.catalogue.find(self._name)
        wish = Wish(
            self.accepting(lambda label: self._accept(label, request)),
            self.progress.add,
            bears_damage="CONTINUE_AFTER_ERROR" in options,
            ignores_checksums="NO_CHECKSUM" in options,
        )
        position = options.number("FILE")
        readers = self.read(media, wish, position)
        document, label = self.document(readers, request.device), self._label
        if label is None:
            raise ValueError("media that were read had a label")
        database = parts.catalogue.change(self._name, lambda one: self._ended(completed(one, label, document, stop_at)))
        self._report(label, media, 1 if position is None else position, database, began, tell)
        if any(reader.is_damaged for reader in readers):
            tell(message(3184))

    def _request(self, media: Media, now: datetime) -> Request:
        options = self.options
        return Request(
            name=self._name,
            of_log=self._of_log,
            device=media.names[0],
            now=now,
            moves=options.moves,
            with_snapshot="SNAPSHOT" in options,
            with_checksums="CHECKSUM" in options,
            replaces="REPLACE" in options,
            stops="STOPAT" in options,
            user_of=self.parts.catalogue.user_of,
        )

    def _accept(self, label: Label, request: Request) -> None:
        """Let the database become what the set says, once its first label is there."""
        if self._label is not None:
            if label.guid != self._label.guid:
                raise StreamError(3241, "the devices hold streams of different backups")
            return
        self._begin(planned(label, request, self._before))
        self._label = label
        self.progress.total = label.size

    def _begin(self, database: Database) -> None:
        if self._before is None:
            self.parts.catalogue.add(lambda number: replace(database, database_id=number))
        else:
            self.parts.catalogue.change(self._name, lambda _: database)

    def _ended(self, database: Database) -> Database:
        """Give the database as the statement leaves it."""
        if "RESTRICTED_USER" in self.options:
            database = replace(database, access="RESTRICTED_USER")
        if "NORECOVERY" in self.options:
            return left_restoring(database)
        return in_standby(database) if "STANDBY" in self.options else recovered(database)

    def _report(
        self, label: Label, media: Media, position: int, database: Database, began: datetime, tell: Tell
    ) -> None:
        """Keep the restore in msdb and in the error log, and tell the client."""
        ended, options = self.parts.now(), self.options
        backup = self.parts.history.add_backup(entry_of(label, media, position, label.started))
        entry_of_restore = RestoreEntry(
            0,
            backup.number,
            ended,
            database.name,
            wellformed(self.asker.login),
            _HISTORY_KINDS[label.kind],
            replaces="REPLACE" in options,
            recovers="NORECOVERY" not in options,
            stop_at=options.time("STOPAT"),
            device_count=len(media.names),
        )
        self.parts.history.add_restore(entry_of_restore)
        self.parts.error_log.tell(PROCESS, of_restore(label, media, position, database.name))
        for told in processed(self.words, label, database.name, position, began, ended):
            tell(told)
