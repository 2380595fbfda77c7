"""sqlcmd and osql: a command line is obeyed on a session of its own."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

from vdi_conformance.sqlserver.sqlcmd.options import HelpWanted, WrongUsage, parse, usage
from vdi_conformance.sqlserver.sqlcmd.running import FAILED, Ended, ScriptRun
from vdi_conformance.tds.answers import Login, LoginRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vdi_conformance.sqlserver.sqlcmd.options import Options, Program
    from vdi_conformance.sqlserver.sqlcmd.terminal import Terminal
    from vdi_conformance.tds.answers import Session, SqlService

    Trusted = Callable[[str, str, str], Login]

_DRIVER: Final = "Microsoft ODBC Driver for SQL Server"
_HERE: Final = frozenset({"", ".", "(local)", "localhost", "127.0.0.1", "::1"})
_PROTOCOLS: Final = frozenset({"tcp", "lpc", "np", "admin"})


class Tool:
    """One start of sqlcmd or osql.

    `trusted` gives the login of whoever names none, for a database, an application and a computer. `interrupt` may be
    called from another thread at any time.
    """

    def __init__(self, service: SqlService, trusted: Trusted, terminal: Terminal) -> None:
        self._service = service
        self._trusted = trusted
        self._terminal = terminal
        self._run: ScriptRun | None = None
        self._running = threading.Lock()

    def interrupt(self) -> None:
        """Do what Ctrl-C does."""
        with self._running:
            if self._run is not None:
                self._run.interrupt()

    def obey(self, program: Program, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Obey a command line, and give the exit code."""
        try:
            options = parse(program, arguments, environment)
        except HelpWanted:
            self._terminal.write(usage(program))
            return 0
        except WrongUsage as error:
            self._terminal.write(f"{program.capitalize()}: {error}\n", is_error=True)
            return FAILED
        try:
            if options.output is not None:
                self._terminal.redirect(options.output)
            with self._logged_in(options) as session:
                run = ScriptRun(session, options, self._service.server_name, self._terminal)
                with self._interruptible(run):
                    return run.run()
        except OSError as error:
            sentence = f"Error: Error occurred while opening or operating on a file ({error})."
            self._terminal.write(f"{options.title}: {sentence}\n", is_error=True)
            return FAILED
        except Ended as end:
            return end.code

    @contextmanager
    def _interruptible(self, run: ScriptRun) -> Iterator[None]:
        self._run = run
        try:
            yield
        finally:
            with self._running:
                self._run = None

    @contextmanager
    def _logged_in(self, options: Options) -> Iterator[Session]:
        if not is_served(options.server, self._service.server_name):
            self._refuse(options, f"Login timeout expired: no server {options.server} can be reached from here.")
        application = options.program.upper()
        if options.is_trusted:
            login = self._trusted(options.database, application, options.host)
        else:
            login = Login(options.user, options.password, options.database, application, options.host)
        try:
            session = self._service.log_in(login)
        except LoginRefused as refusal:
            self._refuse(options, *(message.text for message in refusal.messages))
        try:
            yield session
        finally:
            session.close()

    def _refuse(self, options: Options, *sentences: str) -> NoReturn:
        for sentence in sentences:
            self._terminal.write(f"{options.title}: Error: {_DRIVER} : {sentence}\n", is_error=True)
        raise Ended(FAILED)


def is_served(named: str, server_name: str) -> bool:
    r"""Tell whether the name of a server, such as tcp:.\instance,1433, is for the server of this name."""
    protocol, colon, rest = named.partition(":")
    where = rest if colon and protocol.lower() in _PROTOCOLS else named
    host, _, instance = where.partition(",")[0].strip().lower().partition("\\")
    own_host, _, own_instance = server_name.lower().partition("\\")
    return host in (*_HERE, own_host) and instance == own_instance
