"""CREATE, ALTER and DROP DATABASE, and who may go to which database."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.databases.alteration import EXCLUSIVE, altered
from vdi_conformance.sqlserver.databases.definition import Birthplace, new_database, system_databases
from vdi_conformance.sqlserver.databases.model import require_open
from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.seam import ModifyName, Refused, SetOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vdi_conformance.sqlserver.databases.model import Database
    from vdi_conformance.sqlserver.parts import ServerParts
    from vdi_conformance.sqlserver.seam import Asker, Change, DatabaseInfo, FileSpec
    from vdi_conformance.tds.answers import Message


class Administration:
    """What is done with whole databases."""

    def __init__(self, parts: ServerParts, seed: int) -> None:
        self._parts = parts
        self._seed = seed

    def begin(self, offered: Iterable[tuple[str, int]]) -> None:
        """Make what is not there from an earlier start: databases of the server's own, and those of a size in bytes."""
        place = self._place()
        for one in system_databases(place):
            self._add_missing(one.name, partial(_numbered, one))
        for name, size in offered:
            self._add_missing(name, partial(_offered, name, place, size))

    def _add_missing(self, name: str, make: Callable[[int], Database]) -> None:
        if self._parts.catalogue.find(name) is None:
            self._parts.catalogue.add(make)

    def use(self, name: str, asker: Asker) -> DatabaseInfo:
        """Look whether a session may go to a database."""
        found = self._parts.catalogue.get(name)
        require_open(found)
        if found.access == "SINGLE_USER" and self._others(found.name, asker):
            raise refused(924, database=found.name)
        return found.info

    def create(self, name: str, files: Sequence[FileSpec], collation: str | None) -> Iterable[Message]:
        """Make a database; its files need places that no other one has."""
        self._parts.catalogue.add(lambda number: self._made(name, number, files, collation))
        self._parts.error_log.write("Server", f"Starting up database '{name}'.")
        return ()

    def _made(self, name: str, number: int, files: Sequence[FileSpec], collation: str | None) -> Database:
        made = new_database(name, number, self._place(), files, collation)
        for file in made.files:
            owner = self._parts.catalogue.user_of(file.path)
            if owner is not None and owner.name.casefold() != name.casefold():
                raise Refused(message(1834, path=file.path, database=owner.name), message(1802))
        return made

    def alter(self, name: str, change: Change, asker: Asker) -> Iterable[Message]:
        """Change a database; some changes want it alone, or end the sessions that are in the way."""
        try:
            return self._alter(name, change, asker)
        except Refused as refusal:
            raise Refused(*refusal.messages, message(5069)) from refusal

    def _alter(self, name: str, change: Change, asker: Asker) -> Iterable[Message]:
        found = self._parts.catalogue.find(name)
        if found is None:
            raise refused(5011, database=name)
        self._make_way(found, change, asker)
        told: tuple[Message, ...] = ()

        def how(database: Database) -> Database:
            nonlocal told
            database, told = altered(database, change)
            return database

        with self._parts.activities.alone(found.name, lambda: refused(5030, database=found.name)):
            self._parts.catalogue.change(found.name, how)
        return told

    def _make_way(self, database: Database, change: Change, asker: Asker) -> None:
        others = self._others(database.name, asker)
        if not others:
            return
        if isinstance(change, SetOption) and change.rolls_back:
            for session in others:
                asker.sessions.end(session)
        elif database.access == "SINGLE_USER":
            raise refused(5064, database=database.name)
        elif isinstance(change, ModifyName) or (isinstance(change, SetOption) and change.option.upper() in EXCLUSIVE):
            raise refused(5070, database=database.name)

    def drop(self, name: str, asker: Asker) -> Iterable[Message]:
        """Drop a database that nobody is in."""
        found = self._parts.catalogue.find(name)
        if found is None:
            raise refused(3701, kind="database", name=name)
        if found.is_system:
            raise refused(3708, database=found.name)
        if asker.sessions.using(found.name) or asker.database.casefold() == found.name.casefold():
            raise refused(3702, database=found.name)
        with self._parts.activities.alone(found.name, lambda: refused(3702, database=found.name)):
            self._parts.catalogue.remove(found.name)
        return ()

    @staticmethod
    def _others(name: str, asker: Asker) -> set[int]:
        return set(asker.sessions.using(name)) - {asker.session_id}

    def _place(self) -> Birthplace:
        return Birthplace(self._seed, self._parts.now(), self._parts.places.data_path)


def _numbered(database: Database, number: int) -> Database:
    return replace(database, database_id=number)


def _offered(name: str, place: Birthplace, size: int, number: int) -> Database:
    """Make a database that can be restored over itself without more ado, as its recovery model is SIMPLE."""
    return replace(new_database(name, number, place, size=size), recovery="SIMPLE")
