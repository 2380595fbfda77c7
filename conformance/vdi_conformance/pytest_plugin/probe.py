"""A probe before the run: one BACKUP and RESTORE, so that what would make every check fail is told once.

It ends a run for trouble of the machine, the account, the host program, or of two parties that never meet. Whatever
else goes wrong is left to the checks.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import ConformanceFailure, NotApplicable, NotTested
from vdi_conformance.harness.memory import PAGE, FileSlice, Seeded
from vdi_conformance.harness.scenario import USUAL, Placement
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.host.errors import HostError, MethodNotFound, NoProcess, NotStarted
from vdi_conformance.host.messages.duties import duty_of, group_of
from vdi_conformance.host.messages.memory import ReserveMemory
from vdi_conformance.pytest_plugin.obstacles import refused_creation, refused_statement
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.worker_session import Parties
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.supervisor import Supervisor

SECONDS: Final = 30.0
"""So long, before scaling, the probe may ask its processes for more."""
LEAST_ROOM: Final = 4 << 20
"""So many bytes the probe and the first checks surely need."""
TO_END: Final = 1_000
"""So many milliseconds, before scaling, a statement has to end by itself when its set was not configured."""


class Trouble(Exception):
    """What would make every check fail, in one sentence with its remedy."""


def probe(chosen: Parties, supervisor: Supervisor, with_statements: bool) -> str:
    """Create, configure, back up and restore once; a Trouble where nothing can be judged.

    Whatever else has gone wrong is given in words, nothing where all went well.
    """
    with ExitStack() as stack:
        try:
            session = WorkerSession(chosen, supervisor=supervisor)
            testbed = Testbed(session, "probe")
            stack.callback(lambda: testbed.processes.end(orderly=False))
            session.begin(SECONDS)
            _Probe(testbed).run(with_statements)
        except (NoProcess, NotStarted) as error:
            raise Trouble(str(error)) from error
        except OSError as error:
            where = error.filename or supervisor.directory
            raise Trouble(f"{where} cannot be used ({error.strerror}): make room there, then run again") from error
        except (HostError, ConformanceFailure, NotTested, NotApplicable) as error:
            # A wrong implementation looks like this as well: the checks tell which it is, where there is room for them.
            if shutil.disk_usage(supervisor.directory).free < LEAST_ROOM:
                where = f"{supervisor.directory}, where the buffers and streams of a run lie"
                raise Trouble(f"there is no room left in {where}: make room there, then run again") from error
            return "" if isinstance(error, NotTested | NotApplicable) else str(error)
    return ""


class _Probe:
    """The steps of the probe, each in fresh processes."""

    def __init__(self, testbed: Testbed) -> None:
        self._testbed = testbed
        self._parties = testbed.session.parties
        self._primary: Host | None = None

    def run(self, with_statements: bool) -> None:
        try:
            self._run(with_statements)
        except MethodNotFound as error:
            if (sentence := self._missing(error)) is not None:
                raise Trouble(sentence) from error
            raise

    def _run(self, with_statements: bool) -> None:
        primary = self._testbed.client("primary")
        self._primary = primary.host
        self._touch_memory(primary)
        if not with_statements:
            self._create(primary, self._testbed.name())
            return
        streams = self._testbed.directory("streams")
        self._run_statement("backup", primary, streams)
        self._run_statement("restore", self._testbed.client("primary"), streams)

    def _touch_memory(self, primary: Client) -> None:
        """Use each method for memory once: a host that has them all may still refuse an address."""
        path = str(self._testbed.directory("memory") / "one.page")
        own = primary.allocate(PAGE)
        primary.fill(own, Seeded(self._parties.seed), PAGE)
        primary.save(own, PAGE, path, 0)
        primary.fill(own, FileSlice(path, 0, PAGE))
        primary.write(own, primary.read(own, 1))
        primary.digest(own, PAGE)
        primary.outside_addresses()
        primary.host.call(ReserveMemory(size=PAGE))

    def _create(self, primary: Client, name: str) -> None:
        created = primary.create_ex(USUAL.instance, name, USUAL.config)
        sentence = refused_creation(created.code, self._parties.client.reference)
        # Where the older form creates a set, there are rights, an instance and room, and CreateEx is wrong.
        if sentence and not self._testbed.beside(primary).create(self._testbed.name(), USUAL.config).succeeded:
            raise Trouble(sentence)
        created.expect(NOERROR)

    def _run_statement(self, kind: Kind, primary: Client, streams: Path) -> None:
        """Run one statement from the creation of its set to its end."""
        session = self._testbed.session
        server = self._testbed.processes.launch("server", "server")
        scene = Placement(USUAL, self._testbed.name(), server, (primary,), session.supervisor)
        statement = StatementRun(kind, scene, streams, self._parties.seed)
        self._create(primary, statement.set_name)
        statement.execute()
        if (code := self._configure(statement)) == NOERROR:
            statement.open_devices()
            # Hosts serve devices by themselves; this shows the two calls of which that is made.
            statement.answer_any(statement.device.next_command()).expect(NOERROR)
            statement.succeed()
            return
        if statement.ends_within(TO_END) and not (end := statement.outcome()).succeeded:
            alone = code in (None, VD_E_TIMEOUT)
            if sentence := refused_statement(end, statement.device_names, self._parties, alone):
                raise Trouble(sentence)
        raise ConformanceFailure("the plainest set was not configured")

    @staticmethod
    def _configure(statement: StatementRun) -> int | None:
        """Give the code of GetConfiguration; None where it goes on waiting for a statement that has ended."""
        try:
            return statement.await_configuration(statement.primary.send_get_configuration()).code
        except ConformanceFailure:
            return None

    def _missing(self, error: MethodNotFound) -> str | None:
        """Tell which host has not what it must have; None where it has, and its adapter does not serve it."""
        if error.host == "server":
            party, is_duty = self._parties.server, self._parties.borrows_server
        else:
            party, is_duty = self._parties.client, self._is_untold(error.method)
        if not is_duty or party is None:
            return None
        return (
            f"the host of {party.reference} does not serve {error.method} ({error.message}), without which nothing can "
            "be judged: implement what the published host protocol says that a host must have"
        )

    def _is_untold(self, method: str) -> bool:
        """Whether the host must have a method and did not say that it has it; memory is its own affair in any case."""
        told = self._primary is not None and self._primary.initialized.methods is not None
        return group_of(method) == "memory" or (duty_of(method) == "always" and not told)
