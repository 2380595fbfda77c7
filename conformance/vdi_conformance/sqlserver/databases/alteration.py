"""ALTER DATABASE: what a change makes of a database; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from vdi_conformance.sqlserver.databases.model import Database, with_recovery
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.seam import Change, ModifyFile, ModifyName, SetCollation, SetOption, UserAccess

if TYPE_CHECKING:
    from vdi_conformance.sqlserver.seam import RecoveryModel
    from vdi_conformance.tds.answers import Message

_ACCESS: Final = ("SINGLE_USER", "RESTRICTED_USER", "MULTI_USER")
_READING: Final = {"READ_ONLY": True, "READ_WRITE": False}
EXCLUSIVE: Final = ("SINGLE_USER", "RESTRICTED_USER", "OFFLINE", "READ_ONLY", "READ_WRITE")
"""Options that wait for other sessions, or end them."""
_NEVER: Final = {
    "master": ("RECOVERY", "OFFLINE", "READ_ONLY", *_ACCESS),
    "tempdb": ("RECOVERY", "OFFLINE", "READ_ONLY", *_ACCESS),
}
"""What cannot be set in databases of the server's own."""

Altered = tuple[Database, tuple["Message", ...]]


def altered(database: Database, change: Change) -> Altered:
    """Give the database after a change, and what is told of it."""
    if database.state == "RESTORING":
        raise refused(5052)
    if isinstance(change, SetOption):
        return _set(database, change)
    if isinstance(change, SetCollation):
        return replace(database, collation=change.collation), ()
    if isinstance(change, ModifyName):
        told = message(5021, kind="database", name=change.new_name)
        return replace(database, name=change.new_name), (told,)
    return _modify_file(database, change)


def _set(database: Database, change: SetOption) -> Altered:
    option = change.option.upper()
    if option in _NEVER.get(database.name.casefold(), ()):
        raise refused(5058, option=option, database=database.name)
    if option == "RECOVERY":
        return with_recovery(database, cast("RecoveryModel", change.value.upper())), ()
    if option in _ACCESS:
        return replace(database, access=cast("UserAccess", option)), ()
    if option in ("ONLINE", "OFFLINE"):
        return replace(database, state="ONLINE" if option == "ONLINE" else "OFFLINE"), ()
    if option in _READING:
        return replace(database, is_read_only=_READING[option]), ()
    return database, (message(0, option=option),)


def _modify_file(database: Database, change: ModifyFile) -> Altered:
    file = database.file(change.name)
    if file is None:
        raise refused(5041, file=change.name)
    told: tuple[Message, ...] = ()
    modified = replace(file, path=change.path or file.path, size=max(change.size or 0, file.size))
    if change.new_name is not None:
        if database.file(change.new_name) not in (None, file):
            raise refused(1828, file=change.new_name)
        modified = replace(modified, name=change.new_name)
        told = (message(5021, kind="file", name=change.new_name),)
    files = tuple(modified if one.file_id == file.file_id else one for one in database.files)
    return replace(database, files=files), told
