"""The databases of one server: found, kept and changed, one change after the other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from vdi_conformance.sqlserver.databases.model import Database
from vdi_conformance.sqlserver.databases.store import Store
from vdi_conformance.sqlserver.messages import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Catalogue:
    """Every database under its name, in whatever case; safe to use from every thread."""

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, Database)
        self._lock = threading.RLock()
        self._databases = {one.name.casefold(): one for one in self._store}

    def all(self) -> Sequence[Database]:
        """Give every database, by its number."""
        with self._lock:
            return sorted(self._databases.values(), key=lambda one: one.database_id)

    def find(self, name: str) -> Database | None:
        """Give a database."""
        with self._lock:
            return self._databases.get(name.casefold())

    def get(self, name: str) -> Database:
        """Give a database, or refuse with 911."""
        found = self.find(name)
        if found is None:
            raise refused(911, database=name)
        return found

    def add(self, make: Callable[[int], Database]) -> Database:
        """Keep a new database, made for the lowest free number; 1801 where there is one of its name."""
        with self._lock:
            taken = {one.database_id for one in self._databases.values()}
            made = make(next(number for number in range(1, len(taken) + 2) if number not in taken))
            if self.find(made.name) is not None:
                raise refused(1801, database=made.name)
            self._keep(made)
            return made

    def change(self, name: str, how: Callable[[Database], Database]) -> Database:
        """Change a database that is there; another name is part of what may change."""
        with self._lock:
            before = self.get(name)
            changed = how(before)
            if changed.name.casefold() != before.name.casefold() and self.find(changed.name) is not None:
                raise refused(1801, database=changed.name)
            del self._databases[before.name.casefold()]
            self._keep(changed)
            return changed

    def remove(self, name: str) -> None:
        """Forget a database that is there."""
        with self._lock:
            removed = self._databases.pop(name.casefold())
            self._store.remove(removed.database_id)

    def user_of(self, path: str) -> Database | None:
        """Find the database that has a file at a path."""
        wanted = path.casefold()
        return next((one for one in self.all() for file in one.files if file.path.casefold() == wanted), None)

    def _keep(self, database: Database) -> None:
        self._databases[database.name.casefold()] = database
        self._store.put(database.database_id, database)
