"""The command `vdi-conformance` with a small SQL Server in place of the emulated one: a dozen words are its T-SQL.

`python faked.py emulator ...`. PRINT and SELECT tell something, FAIL is an error, WAIT lasts until it is cancelled,
FATAL ends the session, and BACKUP and RESTORE go over virtual devices as always.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from vdi_conformance.cli import main
from vdi_conformance.contract import Database, Statement, Unavailable
from vdi_conformance.emulator.statement import EmulatorStatementServer
from vdi_conformance.sqlserver.process import wiring
from vdi_conformance.tds.answers import Column, Columns, LoginRefused, Message, Row, SqlType, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.sqlserver.process.wiring import ServerWish
    from vdi_conformance.tds.answers import Answer, Login, SqlService

TRANSFER = re.compile(r"(BACKUP|RESTORE) DATABASE \[?(\w+)\]? (?:TO|FROM) (.*)", re.IGNORECASE | re.DOTALL)
DEVICE = re.compile(r"VIRTUAL_DEVICE\s*=\s*'([^']*)'", re.IGNORECASE)
SIZE = re.compile(r"MAXTRANSFERSIZE\s*=\s*(\d+)", re.IGNORECASE)


class Session:
    """One session."""

    database = "master"

    def __init__(self, wish: ServerWish) -> None:
        self._wish = wish
        self._cancelled = threading.Event()

    def batch(self, text: str, parameters: object = ()) -> Iterator[Answer]:
        """Run one statement."""
        word, _, rest = text.strip().partition(" ")
        match word.upper():
            case "PRINT":
                yield Message(0, rest.strip("'"))
            case "SELECT":
                yield Columns((Column("", SqlType("int")),))
                yield Row((int(rest),))
                yield StatementEnd(1)
                return
            case "FAIL":
                yield Message(50000, "It fails.", 16)
                yield StatementEnd(None, failed=True)
                return
            case "WAIT":
                yield Message(0, "waiting")
                self._cancelled.wait()
            case "BACKUP" | "RESTORE":
                yield from self._transfer(text)
                return
        yield StatementEnd()

    def _transfer(self, text: str) -> Iterator[Answer]:
        found = TRANSFER.match(text.strip())
        assert found is not None, text
        sizes = {one.name.lower(): one.size for one in self._wish.databases}
        size = SIZE.search(text)
        statement = Statement(
            "backup" if found[1].lower() == "backup" else "restore",
            self._wish.instance,
            tuple(DEVICE.findall(found[3])),
            Database(self._wish.seed, sizes.get(found[2].lower(), 1 << 20)),
            max_transfer_size=int(size[1]) if size else None,
            snapshot="SNAPSHOT" in text,
        )
        outcome = EmulatorStatementServer(self._wish.make_server, self._wish.seed).execute(statement)
        for number, sentence in outcome.messages:
            yield Message(number, sentence, 0 if outcome.succeeded else 16)
        yield StatementEnd(None, not outcome.succeeded)

    def cancel(self) -> None:
        """Let WAIT end."""
        self._cancelled.set()

    def close(self) -> None:
        """End."""


class Service:
    """The server."""

    version = (16, 0, 1000)

    def __init__(self, wish: ServerWish) -> None:
        self._wish = wish
        self.server_name = "FAKE" + (f"\\{wish.instance}" if wish.instance else "")

    def log_in(self, login: Login) -> Any:
        """Give a session to whoever knows the password."""
        if (login.user, login.password) != (self._wish.user, self._wish.password):
            raise LoginRefused(Message(18456, f"Login failed for user '{login.user}'.", 14))
        return Session(self._wish)


class Listener:
    """A port at which nobody is answered."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise Unavailable(f"{host}:{port} is taken ({error.strerror}): choose another port") from error

    @property
    def address(self) -> tuple[str, int]:
        """Where it is."""
        return self._socket.getsockname()[:2]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def listen(service: SqlService, host: str, port: int) -> Listener:
    """Take a port."""
    del service
    return Listener(host, port)


if __name__ == "__main__":
    wiring.service_of = Service
    wiring.listen = listen
    raise SystemExit(main(sys.argv[1:]))
