"""What goes on with which database or file, and what cannot go on at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Activity = Literal["backup", "log backup", "restore", "change"]


class Busy(Exception):
    """Something else goes on with the database; `what` is that."""

    def __init__(self, what: Activity) -> None:
        super().__init__(what)
        self.what = what


class Activities:
    """Backups of a database and of its log go together; anything else has a database for itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, Activity]] = set()

    @contextmanager
    def holding(self, name: str, activity: Activity) -> Iterator[None]:
        """Do something with a database or file, or raise Busy."""
        entry = (name.casefold(), activity)
        with self._lock:
            for taken, other in self._under_way:
                if taken == entry[0] and not _go_together(activity, other):
                    raise Busy(other)
            self._under_way.add(entry)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(entry)

    @contextmanager
    def alone(self, database: str, refusal: Callable[[], Exception]) -> Iterator[None]:
        """Change a database with nothing else going on; raise what `refusal` gives where there is."""
        try:
            with self.holding(database, "change"):
                yield
        except Busy:
            raise refusal() from None


def _go_together(one: Activity, other: Activity) -> bool:
    return {one, other} == {"backup", "log backup"}
