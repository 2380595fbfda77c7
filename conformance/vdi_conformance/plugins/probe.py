"""A probe before the run: one BACKUP and RESTORE, so that what would make every check fail is told once.

It ends a run for trouble of the machine, the account, the host program, or of two parties that never meet. Whatever
else goes wrong is left to the checks.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from vdi_conformance.host.errors import HostError, MethodNotFound, NoProcess, NotStarted
from vdi_conformance.host.messages.duties import duty_of, group_of
from vdi_conformance.host.messages.memory import ReserveMemory
from vdi_conformance.plugins.obstacles import refused_creation, refused_statement
from vdi_conformance.suite.bench import Bench
from vdi_conformance.suite.judging import ConformanceFailure, NotApplicable, NotTested
from vdi_conformance.suite.memory import PAGE, FileSlice, Seeded
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.scene import USUAL, Scene
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.supervisor import Supervisor
    from vdi_conformance.suite.bench import Cast
    from vdi_conformance.suite.participant import Participant

SECONDS: Final = 30.0
"""So long, before scaling, the probe may ask its processes for more."""
LEAST_ROOM: Final = 4 << 20
"""So many bytes the probe and the first checks surely need."""
TO_END: Final = 1_000
"""So many milliseconds, before scaling, a statement has to end by itself when its set was not configured."""


class Trouble(Exception):
    """What would make every check fail, in one sentence with its remedy."""


def probe(chosen: Cast, supervisor: Supervisor, with_statements: bool) -> None:
    """Create, configure, back up and restore once; a Trouble where nothing can be judged."""
    with ExitStack() as stack:
        try:
            bench = Bench(chosen, supervisor=supervisor)
            stage = Stage(bench, "probe")
            stack.callback(lambda: stage.processes.end(orderly=False))
            bench.begin(SECONDS)
            _Probe(stage).run(with_statements)
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


class _Probe:
    """The steps of the probe, each in fresh processes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._cast = stage.bench.cast
        self._primary: Host | None = None

    def run(self, with_statements: bool) -> None:
        try:
            self._run(with_statements)
        except MethodNotFound as error:
            if (sentence := self._missing(error)) is not None:
                raise Trouble(sentence) from error
            raise

    def _run(self, with_statements: bool) -> None:
        primary = self._stage.participant("primary")
        self._primary = primary.host
        self._touch_memory(primary)
        if not with_statements:
            self._create(primary, self._stage.name())
            return
        streams = self._stage.directory("streams")
        self._run_statement("backup", primary, streams)
        self._run_statement("restore", self._stage.participant("primary"), streams)

    def _touch_memory(self, primary: Participant) -> None:
        """Use each method for memory once: a host that has them all may still refuse an address."""
        path = str(self._stage.directory("memory") / "one.page")
        own = primary.allocate(PAGE)
        primary.fill(own, Seeded(self._cast.seed), PAGE)
        primary.save(own, PAGE, path, 0)
        primary.fill(own, FileSlice(path, 0, PAGE))
        primary.write(own, primary.read(own, 1))
        primary.digest(own, PAGE)
        primary.landmarks()
        primary.host.call(ReserveMemory(size=PAGE))

    def _create(self, primary: Participant, name: str) -> None:
        created = primary.create_ex(USUAL.instance, name, USUAL.config)
        sentence = refused_creation(created.code, self._cast.client.reference)
        # Where the older form creates a set, there are rights, an instance and room, and CreateEx is wrong.
        if sentence and not self._stage.beside(primary).create(self._stage.name(), USUAL.config).succeeded:
            raise Trouble(sentence)
        created.expect(NOERROR)

    def _run_statement(self, kind: Kind, primary: Participant, streams: Path) -> None:
        """Run one statement from the creation of its set to its end."""
        bench = self._stage.bench
        server = self._stage.processes.launch("server", "server")
        scene = Scene(USUAL, self._stage.name(), server, (primary,), bench.supervisor)
        operation = Operation(kind, scene, streams, self._cast.seed)
        self._create(primary, operation.set_name)
        operation.execute()
        if (code := self._configure(operation)) == NOERROR:
            operation.open_devices()
            # Hosts serve devices by themselves; this shows the two calls of which that is made.
            operation.answer_any(operation.device.next_command()).expect(NOERROR)
            operation.succeed()
            return
        if operation.ends_within(TO_END) and not (end := operation.outcome()).succeeded:
            alone = code in (None, VD_E_TIMEOUT)
            if sentence := refused_statement(end, operation.device_names, self._cast, alone):
                raise Trouble(sentence)
        raise ConformanceFailure("the plainest set was not configured")

    @staticmethod
    def _configure(operation: Operation) -> int | None:
        """Give the code of GetConfiguration; None where it goes on waiting for a statement that has ended."""
        try:
            return operation.await_configuration(operation.primary.send_get_configuration()).code
        except ConformanceFailure:
            return None

    def _missing(self, error: MethodNotFound) -> str | None:
        """Tell which host has not what it must have; None where it has, and its adapter does not serve it."""
        if error.host == "server":
            party, is_duty = self._cast.server, self._cast.borrows_server
        else:
            party, is_duty = self._cast.client, self._is_untold(error.method)
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
