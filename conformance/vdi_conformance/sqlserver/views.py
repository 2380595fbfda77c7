"""The server's own views and tables: of databases, of their files, and of the backups that msdb knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.backups.listing import flags_of, type_of
from vdi_conformance.sqlserver.databases.model import PAGE, pages
from vdi_conformance.sqlserver.rowsets import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from uuid import UUID

    from vdi_conformance.sqlserver.backups.history import BackupEntry
    from vdi_conformance.sqlserver.backups.label import Kind
    from vdi_conformance.sqlserver.databases.model import Database, DatabaseFile
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import DatabaseState, RecoveryModel, Rows, UserAccess
    from vdi_conformance.tds.answers import Value

    Found = Iterator[Mapping[str, Value]]

_STATES: Final[Mapping[DatabaseState, int]] = {"ONLINE": 0, "RESTORING": 1, "OFFLINE": 6}
_RECOVERIES: Final[Mapping[RecoveryModel, int]] = {"FULL": 1, "BULK_LOGGED": 2, "SIMPLE": 3}
_ACCESSES: Final[Mapping[UserAccess, int]] = {"MULTI_USER": 0, "SINGLE_USER": 1, "RESTRICTED_USER": 2}
_LETTERS: Final[Mapping[Kind, str]] = {"database": "D", "differential": "I", "log": "L"}
_TABLES: Final = 20
_COLUMNS: Final = 50
"""sys.all_columns has so many columns in so many tables: queries join it to itself for numbers."""


def view(parts: ServerParts, database: str, schema: str, name: str) -> Rows | None:
    """Find a view as one in a database sees it."""
    place = (schema.casefold(), name.casefold())
    if place[0] == "sys" and place[1] in _OF_THE_SYSTEM:
        kind, make = _OF_THE_SYSTEM[place[1]]
        return rows_of(kind, make(parts))
    if place == ("dbo", "sysdatabases") and database.casefold() == "master":
        return rows_of("sysdatabases", _old_databases(parts))
    if place == ("sys", "database_files"):
        found = parts.catalogue.find(database)
        return rows_of("sys.database_files", () if found is None else _files(found))
    if database.casefold() == "msdb" and place[0] == "dbo" and place[1] in _OF_MSDB:
        return rows_of(place[1], _OF_MSDB[place[1]](parts))
    return None


def _databases(parts: ServerParts) -> Found:
    for one in parts.catalogue.all():
        waits = one.recovery != "SIMPLE" and one.log.backed_up_to is not None
        yield {
            "name": one.name,
            "database_id": one.database_id,
            "create_date": one.created,
            "collation_name": one.collation,
            "user_access": _ACCESSES[one.access],
            "user_access_desc": one.access,
            "is_read_only": one.info.is_read_only,
            "state": _STATES[one.state],
            "state_desc": one.state,
            "is_in_standby": one.is_in_standby,
            "recovery_model": _RECOVERIES[one.recovery],
            "recovery_model_desc": one.recovery,
            "log_reuse_wait": 2 if waits else 0,
            "log_reuse_wait_desc": "LOG_BACKUP" if waits else "NOTHING",
        }


def _old_databases(parts: ServerParts) -> Found:
    """Give the databases as servers did before there was sys.databases; `status` has the bits that clients look at."""
    for one in parts.catalogue.all():
        bits = {
            0x8: one.recovery == "SIMPLE",
            0x20: one.state == "RESTORING",
            0x200: one.state == "OFFLINE",
            0x400: one.info.is_read_only,
            0x1000: one.access == "SINGLE_USER",
        }
        yield {
            "name": one.name,
            "dbid": one.database_id,
            "status": sum(bit for bit, is_set in bits.items() if is_set),
            "status2": 0,
            "crdate": one.created,
            "filename": one.files[0].path,
        }


def _file_groups(_parts: ServerParts) -> Found:
    yield {}


def _nothing(_parts: ServerParts) -> Found:
    yield from ()


def _recovery_status(parts: ServerParts) -> Found:
    for one in parts.catalogue.all():
        yield {
            "database_id": one.database_id,
            "database_guid": one.identity.database,
            "family_guid": one.identity.family,
            "last_log_backup_lsn": one.log.backed_up_to,
            "recovery_fork_guid": one.identity.fork,
        }


def _master_files(parts: ServerParts) -> Found:
    for database in parts.catalogue.all():
        for row in _files(database):
            yield {"database_id": database.database_id, **row}


def _files(database: Database) -> Found:
    for file in database.files:
        is_data, base = file.kind == "data", database.base
        yield {
            "file_id": file.file_id,
            "file_guid": file.guid,
            "type": 0 if is_data else 1,
            "type_desc": "ROWS" if is_data else "LOG",
            "data_space_id": 1 if is_data else 0,
            "name": file.name,
            "physical_name": file.path,
            "size": pages(size_of(database, file)),
            "create_lsn": file.create_lsn,
            "differential_base_lsn": base.lsn if base is not None and is_data else None,
            "differential_base_guid": base.guid if base is not None and is_data else None,
            "differential_base_time": base.when if base is not None and is_data else None,
            "redo_start_lsn": database.log.redo if database.state == "RESTORING" else None,
        }


def size_of(database: Database, file: DatabaseFile) -> int:
    """Say how large a file is at least, in bytes: what the database holds lies in the first, a page for each row."""
    if file.file_id != 1:
        return file.size
    return max(file.size, database.size + PAGE * sum(len(table.rows) for table in database.tables))


def _all_columns(_parts: ServerParts) -> Found:
    for table in range(1, _TABLES + 1):
        for column in range(1, _COLUMNS + 1):
            yield {"object_id": table, "name": f"column_{column}", "column_id": column}


def _media_numbers(parts: ServerParts) -> Mapping[UUID, int]:
    """Number the media sets as they came."""
    guids = dict.fromkeys(entry.label.media.guid for entry in parts.history.backups())
    return {guid: number for number, guid in enumerate(guids, 1)}


def _backup_sets(parts: ServerParts) -> Found:
    numbers = _media_numbers(parts)
    for entry in parts.history.backups():
        yield {"media_set_id": numbers[entry.label.media.guid], **_described(entry)}


def _described(entry: BackupEntry) -> Mapping[str, Value]:
    label, source, covered = entry.label, entry.label.source, entry.label.range
    major, minor, build = label.writer.version
    return {
        "backup_set_id": entry.number,
        "backup_set_uuid": label.guid,
        "last_family_number": label.media.family_count,
        "position": entry.position,
        "expiration_date": label.expires,
        "name": label.name,
        "description": label.description,
        "user_name": label.writer.user,
        "software_major_version": major,
        "software_minor_version": minor,
        "software_build_version": build,
        "first_lsn": covered.first,
        "last_lsn": covered.last,
        "checkpoint_lsn": covered.checkpoint,
        "database_backup_lsn": covered.last_full,
        "database_creation_date": source.created,
        "backup_start_date": label.started,
        "backup_finish_date": entry.finished,
        "type": _LETTERS[label.kind],
        "backup_size": label.size,
        "database_name": source.name,
        "server_name": label.writer.server,
        "machine_name": label.writer.machine,
        "flags": flags_of(label),
        "collation_name": source.collation,
        "recovery_model": source.recovery.replace("_", "-"),
        **_traits(entry),
    }


def _traits(entry: BackupEntry) -> Mapping[str, Value]:
    label, source = entry.label, entry.label.source
    return {
        "is_snapshot": label.traits.is_snapshot,
        "is_readonly": source.is_read_only,
        "is_single_user": source.access == "SINGLE_USER",
        "has_backup_checksums": label.traits.has_checksums,
        "begins_log_chain": label.range.begins_chain,
        "is_force_offline": label.traits.leaves_restoring,
        "is_copy_only": label.traits.is_copy_only,
        "first_recovery_fork_guid": source.identity.fork,
        "last_recovery_fork_guid": source.identity.fork,
        "database_guid": source.identity.database,
        "family_guid": source.identity.family,
        "differential_base_lsn": None if label.base is None else label.base.lsn,
        "differential_base_guid": None if label.base is None else label.base.guid,
        "compressed_backup_size": label.size,
        "last_valid_restore_time": label.started,
    }


def _media_sets(parts: ServerParts) -> Found:
    numbers = _media_numbers(parts)
    media = {entry.label.media.guid: entry.label.media for entry in parts.history.backups()}
    for one in media.values():
        yield {
            "media_set_id": numbers[one.guid],
            "media_uuid": one.guid,
            "media_family_count": one.family_count,
            "name": one.name,
            "description": one.description,
        }


def _media_families(parts: ServerParts) -> Found:
    numbers = _media_numbers(parts)
    first = {entry.label.media.guid: entry for entry in reversed(parts.history.backups())}
    for guid, number in numbers.items():
        entry = first[guid]
        for family, device in enumerate(entry.devices, 1):
            yield {
                "media_set_id": number,
                "family_sequence_number": family,
                "media_family_id": device.family,
                "physical_device_name": device.name,
                "device_type": entry.device_type,
                "physical_block_size": entry.label.block_size,
            }


def _backup_files(parts: ServerParts) -> Found:
    for entry in parts.history.backups():
        for file, size in ((one.file, one.backed_up) for one in entry.label.source.files):
            yield {
                "backup_set_id": entry.number,
                "filegroup_name": "PRIMARY" if file.kind == "data" else None,
                "file_number": file.file_id,
                "backed_up_page_count": pages(size),
                "file_type": type_of(file),
                "file_size": max(file.size, size),
                "logical_name": file.name,
                "physical_name": file.path,
                "create_lsn": file.create_lsn,
                "file_guid": file.guid,
                "backup_size": size,
            }


def _restores(parts: ServerParts) -> Found:
    for one in parts.history.restores():
        yield {
            "restore_history_id": one.number,
            "restore_date": one.when,
            "destination_database_name": one.database,
            "user_name": one.user,
            "backup_set_id": one.backup,
            "restore_type": one.kind,
            "replace": one.replaces,
            "recovery": one.recovers,
            "stop_at": one.stop_at,
            "device_count": one.device_count,
        }


_OF_THE_SYSTEM: Final[Mapping[str, tuple[str, Callable[[ServerParts], Found]]]] = {
    "databases": ("sys.databases", _databases),
    "master_files": ("sys.master_files", _master_files),
    "database_recovery_status": ("sys.database_recovery_status", _recovery_status),
    "all_columns": ("sys.all_columns", _all_columns),
    "sysdatabases": ("sysdatabases", _old_databases),
    "filegroups": ("sys.filegroups", _file_groups),
    "backup_devices": ("sys.backup_devices", _nothing),
}
_OF_MSDB: Final[Mapping[str, Callable[[ServerParts], Found]]] = {
    "backupset": _backup_sets,
    "backupmediaset": _media_sets,
    "backupmediafamily": _media_families,
    "backupfile": _backup_files,
    "restorehistory": _restores,
}
