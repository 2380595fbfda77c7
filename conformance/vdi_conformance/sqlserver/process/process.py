"""Broker, SQL Server and their tools in this process, from their start to their end."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from vdi_conformance.contract import Unavailable
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.sqlserver.process import readings, wiring
from vdi_conformance.sqlserver.process.channel import ToolChannel
from vdi_conformance.sqlserver.process.connections import USER, Connections
from vdi_conformance.sqlserver.process.programs import write_programs
from vdi_conformance.sqlserver.process.services import WatchedService
from vdi_conformance.sqlserver.process.switches import Servers, Switches
from vdi_conformance.sqlserver.process.wiring import DatabaseWish, ServerWish
from vdi_conformance.sqlserver.sqlcmd.program import Tool
from vdi_conformance.tds.answers import Login

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.sqlserver.process.counts import Account
    from vdi_conformance.sqlserver.sqlcmd.terminal import Terminal
    from vdi_conformance.tds.answers import SqlService

    Watch = Callable[[Broker, str, int], type[EmulatorServer]]

PROGRAMS: Final = "bin"
SECONDS: Final = "time-outs-in-seconds"
"""The file that libsqlvdi.so looks for (fixtures/native/core/link.hpp)."""
_PRIVATE: Final = 0o700
_OF_GROUP: Final = 0o2770


@dataclass(frozen=True)
class Wanted:
    """What an emulator is to be; `directory` None is a temporary one, `address` None is no TDS."""

    directory: Path | None = None
    address: tuple[str, int] | None = ("127.0.0.1", 0)
    databases: tuple[DatabaseWish, ...] = ()
    password: str | None = None
    instance: str | None = None
    group: int | None = None
    seed: int = 0
    log: Path | None = None
    switches: Switches = Switches()  # noqa: RUF009 - it is frozen
    readings: tuple[str, ...] = ()
    counts_seconds: bool = False
    for_windows: bool = False
    """Clients and tools are programs of Windows in Wine: all is at ports."""
    watch: Watch | None = None
    """Is given the broker, and gives the class that the servers of statements are of."""


class EmulatedServer:
    """An emulated SQL Server, which serves for as long as it is entered; Unavailable where it cannot start."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._password = wanted.password or secrets.token_hex(8)
        self._ends = ExitStack()
        self._servers: Servers | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def _start(self) -> None:
        wanted = self._wanted
        directory = self._directory()
        kind = readings.take(wanted.readings, str(directory), wanted.seed)
        broker = Broker(str(directory), wanted.seed, on_port=wanted.for_windows, group=wanted.group)
        self._ends.callback(broker.leave)
        broker.start()
        if wanted.watch is not None:
            kind = wanted.watch(broker, str(directory), wanted.seed)
        self._servers = Servers(str(directory), wanted.switches, *([] if kind is None else [kind]))
        service = wiring.service_of(
            ServerWish(
                directory,
                wanted.instance,
                USER,
                self._password,
                wanted.databases,
                wanted.seed,
                self._servers.make,
                wanted.log,
            )
        )
        self._service = WatchedService(service, self._servers.counts, self._servers.lives)
        self._mark(directory / SECONDS, wanted.counts_seconds)
        channel = ToolChannel(directory, self._tool, on_port=wanted.for_windows, group=wanted.group)
        self._ends.callback(channel.close)
        channel.start()
        write_programs(directory / PROGRAMS, directory)
        self.connections = self._listen(directory)

    def _directory(self) -> Path:
        """Make the directory, or take the one that is named."""
        wanted = self._wanted
        if wanted.directory is None:
            # A client that still maps memory keeps its file from being deleted on Windows.
            temporary = tempfile.TemporaryDirectory(prefix="vdi-emulator-", ignore_cleanup_errors=True)
            directory = Path(self._ends.enter_context(temporary))
        else:
            directory = wanted.directory.absolute()
            try:
                directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(
                    f"{directory} cannot be made ({error.strerror}): name a directory that can be written to"
                ) from error
        if wanted.group is not None and sys.platform != "win32":
            os.chown(directory, -1, wanted.group)
            directory.chmod(_OF_GROUP)
        return directory

    def _mark(self, path: Path, is_wanted: bool) -> None:
        path.unlink(missing_ok=True)
        if is_wanted:
            path.touch()
            self._ends.callback(path.unlink, missing_ok=True)

    def _listen(self, directory: Path) -> Connections:
        host, port = self._wanted.address or ("", None)
        if self._wanted.address is not None:
            listener = wiring.listen(self._service, *self._wanted.address)
            self._ends.callback(listener.close)
            port = listener.address[1]
            named = self._wanted.instance
            if named is not None and (browser := wiring.known_by_name(self._service, named, host, port)) is not None:
                self._ends.callback(browser.close)
        return Connections(directory, directory / PROGRAMS, self._service.server_name, host, port, self._password)

    def _tool(self, terminal: Terminal) -> Tool:
        return Tool(self._service, self._trusted, terminal)

    def _trusted(self, database: str, application: str, host: str) -> Login:
        """Log in whoever may reach the channel of this account as the administrator."""
        return Login(USER, self._password, database, application, host)

    @property
    def service(self) -> SqlService:
        """Whom sessions are asked of."""
        return self._service

    @property
    def account(self) -> Account:
        """What it has done so far."""
        assert self._servers is not None
        return self._servers.counts.account()
