"""RESTORE FILELISTONLY, HEADERONLY, LABELONLY and VERIFYONLY: what media say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import uuid5

from vdi_conformance.sqlserver.backups.job import StatementJob
from vdi_conformance.sqlserver.backups.reader import Wish
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.rowsets import answers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vdi_conformance.sqlserver.backups.label import Kind, Label
    from vdi_conformance.sqlserver.backups.media import Media
    from vdi_conformance.sqlserver.backups.reader import FamilyReader
    from vdi_conformance.sqlserver.databases.model import DatabaseFile
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import Asker
    from vdi_conformance.sqlserver.statements import RestoreStatement
    from vdi_conformance.tds.answers import Answer, Value

    Tell = Callable[[Answer], None]
    Values = Mapping[str, Value]

_TYPES: Final[Mapping[Kind, tuple[int, str]]] = {
    "database": (1, "DATABASE"),
    "log": (2, "TRANSACTION LOG"),
    "differential": (5, "DATABASE DIFFERENTIAL"),
}
_PRIMARY: Final = "PRIMARY"
"""The one group of files that there is, whose number is 1."""


class ListingJob(StatementJob):
    """One RESTORE that restores nothing."""

    def __init__(self, parts: ServerParts, statement: RestoreStatement, asker: Asker) -> None:
        super().__init__(parts, statement, asker)
        self._subject = statement.subject

    def perform(self, tell: Tell) -> None:
        """Read the media, and give the rows."""
        media = self.open_media()
        if self._subject == "verifyonly":
            self._verify(media, tell)
            return
        for answer in answers_of(self._subject, self._rows(media)):
            tell(answer)

    def _rows(self, media: Media) -> Sequence[Values]:
        wish = Wish(self.accepting(self._accept), self.progress.add, label_only=True)
        position = self.options.number("FILE")
        if self._subject == "headeronly" and position is None:
            sets = self.labels(media, wish)
            return [header_row(labels_of(one)[0], media, place) for place, one in enumerate(sets, 1)]
        label = labels_of(self.read(media, wish, position))[0]
        if self._subject == "headeronly":
            return [header_row(label, media, 1 if position is None else position)]
        return list(file_rows(label)) if self._subject == "filelistonly" else [label_row(label)]

    def _accept(self, label: Label) -> None:
        self.progress.total = label.size
        if "CHECKSUM" in self.options and not label.traits.has_checksums:
            raise refused(3187)

    def _verify(self, media: Media, tell: Tell) -> None:
        bears = "CONTINUE_AFTER_ERROR" in self.options
        wish = Wish(self.accepting(self._accept), self.progress.add, bears_damage=bears)
        position = self.options.number("FILE")
        self.document(self.read(media, wish, position), media.names[0])
        tell(message(3262, position=1 if position is None else position))


def labels_of(readers: Sequence[FamilyReader]) -> Sequence[Label]:
    """Give the labels of the families of one set."""
    return [reader.label for reader in readers if reader.label is not None]


def type_of(file: DatabaseFile) -> str:
    """Give the letter of a kind of file."""
    return "D" if file.kind == "data" else "L"


def file_rows(label: Label) -> Iterator[Values]:
    """Give the files of the database that was backed up."""
    for file, backed_up in ((one.file, one.backed_up) for one in label.source.files):
        is_data = file.kind == "data"
        yield {
            "LogicalName": file.name,
            "PhysicalName": file.path,
            "Type": type_of(file),
            "FileGroupName": _PRIMARY if is_data else None,
            "Size": max(file.size, backed_up),
            "FileId": file.file_id,
            "CreateLSN": file.create_lsn,
            "UniqueId": file.guid,
            "BackupSizeInBytes": backed_up,
            "FileGroupId": 1 if is_data else 0,
            "DifferentialBaseLSN": label.base.lsn if label.base is not None and is_data else None,
            "DifferentialBaseGUID": label.base.guid if label.base is not None and is_data else None,
            "IsReadOnly": label.source.is_read_only,
        }


def flags_of(label: Label) -> int:
    """Give the bits that stood for a backup set before columns did."""
    traits, source = label.traits, label.source
    bits = {
        2: traits.is_snapshot,
        4: source.is_read_only,
        8: source.access == "SINGLE_USER",
        16: traits.has_checksums,
        256: traits.leaves_restoring,
    }
    return sum(bit for bit, is_set in bits.items() if is_set)


def header_row(label: Label, media: Media, position: int) -> Values:
    """Give what a backup set says of itself; when it was finished its medium does not say."""
    source, covered = label.source, label.range
    number, description = _TYPES[label.kind]
    major, minor, build = label.writer.version
    return {
        "BackupName": label.name,
        "BackupDescription": label.description,
        "BackupType": number,
        "ExpirationDate": label.expires,
        "Position": position,
        "DeviceType": media.device_type,
        "UserName": label.writer.user,
        "ServerName": label.writer.server,
        "DatabaseName": source.name,
        "DatabaseCreationDate": source.created,
        "BackupSize": label.size,
        "FirstLSN": covered.first,
        "LastLSN": covered.last,
        "CheckpointLSN": covered.checkpoint,
        "DatabaseBackupLSN": covered.last_full,
        "BackupStartDate": label.started,
        "BackupFinishDate": label.started,
        "SoftwareVersionMajor": major,
        "SoftwareVersionMinor": minor,
        "SoftwareVersionBuild": build,
        "MachineName": label.writer.machine,
        "Flags": flags_of(label),
        "RecoveryModel": source.recovery.replace("_", "-"),
        "BackupTypeDescription": description,
        "BackupSetGUID": label.guid,
        "CompressedBackupSize": label.size,
        "LastValidRestoreTime": label.started,
        **_traits(label),
    }


def _traits(label: Label) -> Values:
    source, traits = label.source, label.traits
    return {
        "BindingID": source.identity.database,
        "RecoveryForkID": source.identity.fork,
        "Collation": source.collation,
        "FamilyGUID": source.identity.family,
        "IsSnapshot": traits.is_snapshot,
        "IsReadOnly": source.is_read_only,
        "IsSingleUser": source.access == "SINGLE_USER",
        "HasBackupChecksums": traits.has_checksums,
        "BeginsLogChain": label.range.begins_chain,
        "IsForceOffline": traits.leaves_restoring,
        "IsCopyOnly": traits.is_copy_only,
        "FirstRecoveryForkID": source.identity.fork,
        "DifferentialBaseLSN": None if label.base is None else label.base.lsn,
        "DifferentialBaseGUID": None if label.base is None else label.base.guid,
    }


def label_row(label: Label) -> Values:
    """Give what the first medium says of itself."""
    media = label.media
    return {
        "MediaName": media.name,
        "MediaSetId": media.guid,
        "FamilyCount": media.family_count,
        "FamilySequenceNumber": 1,
        "MediaFamilyId": uuid5(media.guid, "1"),
        "MediaDescription": media.description,
        "MediaDate": media.written,
    }
