"""A service whose sessions give the same answers to every batch, and a program that is run on one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from vdi_conformance.sqlserver.sqlcmd.program import Tool
from vdi_conformance.tds.answers import Login, LoginRefused, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vdi_conformance.tds.answers import Answer


@dataclass
class Played:
    """The service and its one session: answers, and what came; `waits` lets a batch go on when it is cancelled."""

    answers: Sequence[Answer]
    waits: bool = False
    batches: list[str] = field(default_factory=list)
    logins: list[tuple[str, str, str]] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    server_name: str = "HERE"
    version: tuple[int, int, int] = (16, 0, 1)
    database: str = "master"

    @property
    def cancelled(self) -> bool:
        """Whether a batch was cancelled."""
        return self.stopped.is_set()

    def log_in(self, login: Login) -> Any:
        """Refuse one password."""
        if login.password not in ("right", ""):
            raise LoginRefused(Message(18456, f"Login failed for user '{login.user}'.", 14))
        self.logins.append((login.user, login.password, login.database))
        return self

    def batch(self, text: str) -> Iterator[Answer]:
        """Give the answers."""
        self.batches.append(text)
        self.started.set()
        if self.waits:
            assert self.stopped.wait(30)
            return
        yield from self.answers

    def cancel(self) -> None:
        """Let the batch go on."""
        self.stopped.set()

    def close(self) -> None:
        """End."""


@dataclass
class Screen:
    """A terminal that remembers (sqlcmd.terminal.Terminal)."""

    files: Mapping[str, str]
    typed: Sequence[str]
    out: str = ""
    err: str = ""
    redirected: str | None = None
    is_interactive: bool = False

    def write(self, text: str, is_error: bool = False) -> None:
        """Remember what is written."""
        if is_error:
            self.err += text
        else:
            self.out += text

    def redirect(self, path: str) -> None:
        """Take any name but none."""
        if not path:
            raise FileNotFoundError(2, "No such file", path)
        self.redirected = path

    def read(self, path: str) -> str:
        """Give a file."""
        if path not in self.files:
            raise FileNotFoundError(2, "No such file", path)
        return self.files[path]

    def lines(self) -> Iterator[str]:
        """Give what is typed."""
        yield from self.typed


@dataclass
class Ended:
    """How a program has ended."""

    code: int
    out: str
    err: str
    batches: list[str]
    logins: list[tuple[str, str, str]]
    redirected: str | None


def obeyed(
    program: str,
    arguments: Sequence[str],
    answers: Sequence[Answer] = (),
    *,
    played: Played | None = None,
    files: Mapping[str, str] | None = None,
    lines: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    interrupts: bool = False,
) -> Ended:
    """Run a program to its end; Ctrl-C may come while its first batch runs."""
    service = played or Played(answers)
    screen = Screen(files or {}, lines)
    tool = Tool(cast("Any", service), lambda database, *_: Login("trusted", "", database), screen)
    if interrupts:
        threading.Thread(target=_interrupt, args=(service, tool), daemon=True).start()
    code = tool.obey(cast("Any", program), arguments, environment or {})
    return Ended(code, screen.out, screen.err, service.batches, service.logins, screen.redirected)


def _interrupt(service: Played, tool: Tool) -> None:
    assert service.started.wait(30)
    tool.interrupt()
