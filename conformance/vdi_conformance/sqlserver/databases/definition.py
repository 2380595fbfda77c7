"""New databases: their files, and what is in them at first; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from vdi_conformance.sqlserver.databases.model import COLLATION, SYSTEM, Database, DatabaseFile, Identity
from vdi_conformance.sqlserver.messages import refused
from vdi_conformance.sqlserver.seam import FileSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_EMPTY: Final = 64 * 1024
"""What a database holds in which nobody has put anything, in bytes."""
_FILE_SIZE: Final = 8 * 1024 * 1024
"""How large a new file is, in bytes."""
_SUFFIXES: Final = {"data": (".mdf", ".ndf"), "log": ("_log.ldf", "_log.ldf")}


@dataclass(frozen=True)
class Birthplace:
    """Where new databases come from: the server's seed, the time, and the beginning of the paths of their files."""

    seed: int
    now: datetime
    data_path: str


def new_database(
    name: str,
    database_id: int,
    place: Birthplace,
    files: Sequence[FileSpec] = (),
    collation: str | None = None,
    size: int = _EMPTY,
) -> Database:
    """Make a database that holds so many bytes, with the two usual files where none are named."""
    digest = hashlib.sha256(f"{place.seed}/{name.casefold()}".encode("utf-8", "surrogatepass")).digest()
    guid = uuid4()
    return Database(
        name=name,
        database_id=database_id,
        seed=int.from_bytes(digest[:7], "big"),
        size=size,
        created=place.now,
        identity=Identity(guid, guid, uuid4()),
        files=_files(name, place.data_path, _with_both_kinds(name, files)),
        recovery="FULL",
        collation=collation or COLLATION,
    )


def system_databases(place: Birthplace) -> tuple[Database, ...]:
    """Make the databases that every server has."""
    made = (new_database(name, number, place) for number, name in enumerate(SYSTEM, 1))
    return tuple(one if one.name == "model" else replace(one, recovery="SIMPLE") for one in made)


def _with_both_kinds(name: str, files: Sequence[FileSpec]) -> Sequence[FileSpec]:
    kinds = {one.kind for one in files}
    data = () if "data" in kinds else (FileSpec("data", name),)
    log = () if "log" in kinds else (FileSpec("log", f"{name}_log"),)
    return (*data, *files, *log)


def _files(name: str, data_path: str, specs: Sequence[FileSpec]) -> tuple[DatabaseFile, ...]:
    """Number the files as a server does: the first data file is 1, the first log file 2."""
    data = [one for one in specs if one.kind == "data"]
    logs = [one for one in specs if one.kind == "log"]
    ordered = (data[0], logs[0], *data[1:], *logs[1:])
    names = [one.name.casefold() for one in ordered]
    for spec in ordered:
        if names.count(spec.name.casefold()) > 1:
            raise refused(1828, file=spec.name)
    return tuple(
        DatabaseFile(
            number,
            spec.kind,
            spec.name,
            spec.path or f"{data_path}{name if number < 3 else spec.name}{_SUFFIXES[spec.kind][number > 2]}",
            uuid4(),
            max(spec.size or 0, _FILE_SIZE),
        )
        for number, spec in enumerate(ordered, 1)
    )
