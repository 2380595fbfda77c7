"""What the process of an emulated SQL Server is put together from: the one place that knows all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from vdi_conformance.contract import Unavailable
from vdi_conformance.output.console import tell
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vdi_conformance.emulator.server import EmulatorServer
    from vdi_conformance.tds.answers import SqlService
    from vdi_conformance.tds.browser import InstanceBrowser


class DatabaseWish(NamedTuple):
    """A database that is to be there: its name, and the size of its contents in bytes."""

    name: str
    size: int


class ServerWish(NamedTuple):
    """The SQL Server that is wanted: `make_server` gives a server of a set for each statement that uses one."""

    directory: Path
    instance: str | None
    user: str
    password: str
    databases: tuple[DatabaseWish, ...]
    seed: int
    make_server: Callable[[], EmulatorServer]
    log: Path | None


class Listener(Protocol):
    """Whoever takes connections of drivers."""

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port that it listens at."""
        ...

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        ...


def service_of(wish: ServerWish) -> SqlService:
    """Give the SQL Server; Unavailable where a package is missing, or its directory cannot be used."""
    from vdi_conformance.sqlserver.databases.store import Unusable
    from vdi_conformance.sqlserver.instance import EmulatedInstance, Offered
    from vdi_conformance.sqlserver.service import EmulatedSqlService

    offered = [Offered(*one) for one in wish.databases]
    try:
        instance = EmulatedInstance(
            wish.directory,
            wish.make_server,
            seed=wish.seed,
            instance=wish.instance,
            offered=offered,
            log=wish.log,
        )
    except Unusable as error:
        raise Unavailable(str(error)) from error
    return EmulatedSqlService(instance, {wish.user: wish.password})


def listen(service: SqlService, host: str, port: int) -> Listener:
    """Let drivers in; Unavailable where that cannot be."""
    from vdi_conformance.tds.certificate import NoCertificate, self_signed
    from vdi_conformance.tds.server import NotListening, TdsServer

    try:
        server = TdsServer(service, host, port, certificate=self_signed(host))
        server.start()
    except (NotListening, NoCertificate) as error:
        raise Unavailable(str(error)) from error
    return server


def known_by_name(service: SqlService, instance: str, host: str, port: int) -> InstanceBrowser | None:
    """Let drivers find a named instance by its name; None, and one sentence is told, where another server does that."""
    from vdi_conformance.tds.browser import InstanceBrowser, KnownInstance
    from vdi_conformance.tds.server import NotListening

    computer = service.server_name.partition("\\")[0]
    browser = InstanceBrowser(host, KnownInstance(computer, instance, service.version, port))
    try:
        browser.start()
    except NotListening as error:
        tell(f"vdi-conformance: {shown(str(error))}")
        return None
    return browser
