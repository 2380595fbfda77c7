"""A SQL Server around another one: it counts how statements end, and its sessions end when the server dies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.answers import Message, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.sqlserver.process.counts import Counts
    from vdi_conformance.sqlserver.process.switches import Lives
    from vdi_conformance.tds.answers import Answer, Login, Parameter, Session, SqlService

_ENDED: Final = Message(596, "The session cannot go on, since the server has ended.", severity=21)


class WatchedService:
    """Passes everything on to a SQL Server (tds.answers.SqlService)."""

    def __init__(self, inner: SqlService, counts: Counts, lives: Lives) -> None:
        self._inner = inner
        self._counts = counts
        self._lives = lives

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives."""
        return self._inner.server_name

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server."""
        return self._inner.version

    def log_in(self, login: Login) -> Session:
        """Give a session."""
        return _WatchedSession(self._inner.log_in(login), self._counts, self._lives)


class _WatchedSession:
    """Passes everything on to a session (tds.answers.Session)."""

    def __init__(self, inner: Session, counts: Counts, lives: Lives) -> None:
        self._inner = inner
        self._counts = counts
        self._lives = lives
        self._deaths = lives.deaths

    @property
    def database(self) -> str:
        """The name of the database that the session is in."""
        return self._inner.database

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run a batch."""
        return self._watched(self._inner.batch(text, parameters))

    def call(self, procedure: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Run a procedure."""
        return self._watched(self._inner.call(procedure, parameters))

    def _watched(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        for answer in answers:
            if self._lives.deaths != self._deaths:
                self._counts.add("statements")
                self._counts.add("failed")
                self._counts.add_error(_ENDED.number)
                yield _ENDED
                return
            if isinstance(answer, Message) and answer.is_error:
                self._counts.add_error(answer.number)
            elif isinstance(answer, StatementEnd):
                self._counts.add("statements")
                self._counts.add("failed", int(answer.failed))
            yield answer

    def begin(self) -> int:
        """Begin a transaction."""
        return self._inner.begin()

    def commit(self) -> None:
        """End it."""
        self._inner.commit()

    def roll_back(self) -> None:
        """End it, and undo it."""
        self._inner.roll_back()

    def cancel(self) -> None:
        """Let the request that runs end."""
        self._inner.cancel()

    def reset(self) -> None:
        """Go back to what the session was after its login."""
        self._inner.reset()

    def close(self) -> None:
        """End the session."""
        self._inner.close()
