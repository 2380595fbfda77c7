"""What BACKUP and RESTORE have in common: options, media, and what is told where they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from vdi_conformance.emulator.stream import StreamError
from vdi_conformance.sqlserver.backups.media import MediaFailure
from vdi_conformance.sqlserver.backups.opening import opened, sizes_of
from vdi_conformance.sqlserver.backups.options import Options
from vdi_conformance.sqlserver.backups.progress import Progress
from vdi_conformance.sqlserver.backups.reader import document_of
from vdi_conformance.sqlserver.messages import message, refused, with_text
from vdi_conformance.sqlserver.seam import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.sqlserver.backups.label import Document, Label
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.sqlserver.backups.reader import FamilyReader, Wish
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import Asker
    from vdi_conformance.sqlserver.statements import BackupStatement, RestoreStatement
    from vdi_conformance.tds.answers import Answer, Message

    Tell = Callable[[Answer], None]

T = TypeVar("T")

PROCESS: Final = "Backup"
"""Who writes to the error log."""


class StatementJob:
    """One statement (backups.running.Job), whose first two words are `words`."""

    def __init__(self, parts: ServerParts, statement: BackupStatement | RestoreStatement, asker: Asker) -> None:
        self.parts = parts
        self.asker = asker
        self.words = f"{type(statement).__name__.removesuffix('Statement')} {statement.subject}".upper()
        self._statement = statement
        self._media: Media | None = None
        self._cancelled = False
        self._refusal: Refused | None = None

    def run(self, tell: Tell) -> None:
        """Run the statement; where it fails, say why."""
        try:
            self._require(tell)
        except Refused as refusal:
            self._fail(tell, refusal.messages)
        except MediaFailure as failure:
            self._fail(tell, failure.told, failure.logged)
        except OSError as error:
            text = f"The statement was aborted, since the server could not write its files: {error.strerror}."
            self._fail(tell, (message(3204, text=text),))

    def _require(self, tell: Tell) -> None:
        if self.asker.in_transaction:
            raise refused(3021)
        self.options = Options(self.words, self._statement.options)
        for one in self.options.ignored:
            tell(one)
        self.progress = Progress(tell, self.options.stats)
        self.perform(tell)

    def perform(self, tell: Tell) -> None:
        """Do what the statement says; what refuses it is Refused or MediaFailure."""
        raise NotImplementedError

    def explain(self) -> Sequence[Message]:
        """Give what the error log is told beside the reason where the statement fails."""
        return ()

    def cancel(self) -> None:
        """End soon."""
        self._cancelled = True
        if self._media is not None:
            self._media.cancel()

    def open_media(self) -> Media:
        """Give the media of the statement."""
        statement = self._statement
        self._media = media = opened(self.parts, statement.media, "SNAPSHOT" in self.options)
        self.sizes = sizes_of(self.options, statement.media)
        if self._cancelled:
            media.cancel()
        return media

    def accepting(self, accept: Callable[[Label], None]) -> Callable[[Label], None]:
        """Let the refusal of a label end the run of its devices, as whatever is wrong with a stream does."""

        def judge(label: Label) -> None:
            try:
                accept(label)
            except Refused as refusal:
                self._refusal = refusal
                raise StreamError(refusal.messages[-1].number, refusal.messages[-1].text) from refusal

        return judge

    def read(self, media: Media, wish: Wish, position: int | None) -> Sequence[FamilyReader]:
        """Read a backup set, the first one where no position is told."""
        snapshot = "SNAPSHOT" in self.options
        return self._read(lambda: media.read(self.sizes, snapshot, wish, 1 if position is None else position))

    def labels(self, media: Media, wish: Wish) -> Sequence[Sequence[FamilyReader]]:
        """Read the labels of every backup set."""
        return self._read(lambda: media.positions(self.sizes, wish))

    def document(self, readers: Sequence[FamilyReader], device: str) -> Document:
        """Put together what was read of tables."""
        try:
            return document_of(readers)
        except StreamError as error:
            raise Refused(
                with_text(error.number, f"The medium on device '{device}' cannot be used: {error}.")
            ) from error

    def _read(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except MediaFailure:
            if self._refusal is not None:
                raise self._refusal from None
            raise

    def _fail(self, tell: Tell, told: Sequence[Message], logged: Sequence[Message] = ()) -> None:
        for one in (*logged, *self.explain()):
            self.parts.error_log.tell(PROCESS, one)
        for one in told:
            tell(one)
        tell(message(3013, words=self.words))
