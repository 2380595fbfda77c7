"""What an expression may ask of the session that it runs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.sqlserver.language.plans import Plan
    from vdi_conformance.sqlserver.language.tree import Name
    from vdi_conformance.sqlserver.seam import Instance, Rows
    from vdi_conformance.tds.answers import Message, SqlType, Value


@dataclass
class Cell:
    """A variable: its type, and its value as it is now."""

    type: SqlType
    value: Value = None


class Surroundings(Protocol):
    """The session, and the server behind it."""

    @property
    def instance(self) -> Instance:
        """The server."""
        ...

    @property
    def session_id(self) -> int:
        """The id of the session."""
        ...

    @property
    def login(self) -> str:
        """Who has logged in."""
        ...

    @property
    def application(self) -> str:
        """The name of the program that has logged in."""
        ...

    @property
    def host(self) -> str:
        """The name of its computer."""
        ...

    @property
    def database(self) -> str:
        """The database that the session is in."""
        ...

    @property
    def globals(self) -> Mapping[str, int]:
        """Numbers of the session, by the name after @@ in capitals: TRANCOUNT, ERROR, ROWCOUNT ..."""
        ...

    @property
    def caught(self) -> Message | None:
        """The error that a CATCH block is about."""
        ...

    @property
    def options(self) -> Mapping[str, str]:
        """What SET has set, both in capitals."""
        ...

    def rows_of(self, name: Name) -> Rows:
        """Give a table or a view, or raise 208."""
        ...

    def lock_mode(self, resource: str) -> str:
        """Give the mode in which this session has an application lock, NoLock where it has none."""
        ...

    def may_lock(self, resource: str, mode: str) -> bool:
        """Tell whether this session could get an application lock now."""
        ...


@dataclass(frozen=True)
class Environment:
    """What a query knows besides its tables: the session, and the variables by their names in small letters."""

    session: Surroundings
    variables: dict[str, Cell] = field(default_factory=dict)
    common: Mapping[str, Plan] = field(default_factory=dict)
    """Queries that WITH has given names to, in small letters."""
