"""The processes of one check: started fresh, watched, and gone when it ends."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import pytest

from vdi_conformance.evidence.records import Observation, Walked
from vdi_conformance.host.errors import HostDied
from vdi_conformance.suite.judging import (
    Judged,
    NeedsServer,
    RecommendationBroken,
    not_applicable,
    not_tested,
    set_up,
)
from vdi_conformance.suite.memory import Seeded
from vdi_conformance.suite.native import NativeProcess
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.post_mortem import PostMortem, failed_ends, require_a_verdict
from vdi_conformance.suite.processes import Processes
from vdi_conformance.suite.scene import USUAL, Geometry, Running, Scene
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.server_role import ServerRole
from vdi_conformance.suite.server_trouble import all_said
from vdi_conformance.vdi.commands import VDF_WRITE_MEDIA
from vdi_conformance.vdi.documented import CODES
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN, VD_E_PROTOCOL, failed, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vdi_conformance.contract import Face
    from vdi_conformance.host.messages.server import StatementEnd
    from vdi_conformance.host.process import Host
    from vdi_conformance.suite.bench import Bench
    from vdi_conformance.suite.outcomes import Answer
    from vdi_conformance.suite.sharing import View

R = TypeVar("R", bound=Running)
INSTANCE_VARIABLE: Final = "_VIRTUAL_SERVER_NAME_"
"""The environment variable that names the instance which the older forms mean."""


class Stage:
    """Sets up what a check needs, in processes that belong to it alone.

    `known_to_fail` says that a failure of the check is expected, so that no time is spent on making it simple; `judged`
    is the party that it judges.
    """

    def __init__(self, bench: Bench, check: str, known_to_fail: bool = False, judged: Judged = "library") -> None:
        self.bench = bench
        self._judged = judged
        bench.begin()
        self.processes = Processes(bench)
        self.known_to_fail = known_to_fail
        self.observations: list[Observation] = []
        self.walked: Walked | None = None
        self._check = hashlib.sha256(check.encode()).hexdigest()[:12]
        self._sets = 0
        self._scripted: list[Scripted] = []
        self._operations: list[Operation] = []
        self._sets_in_use: list[Running] = []
        self._other_cause: BaseException | None = None
        self._examined: BaseException | None = None

    @property
    def seed(self) -> int:
        """A number of this check's own, which follows from the run's seed."""
        return int(self._check, 16) ^ self.bench.cast.seed

    def scaled(self, milliseconds: int) -> int:
        """Stretch a time limit by the run's factor."""
        return int(milliseconds * self.bench.cast.timeout_scale)

    def observe(self, question: str, subject: str, answer: str, permitted: Sequence[str] = ()) -> None:
        """Record which choice was seen, of the permitted ones where these are a closed list."""
        seen = Observation(question=question, subject=subject, answer=answer, permitted=list(permitted))
        if seen not in self.observations:
            self.observations.append(seen)

    def participant(self, name: str, variables: Mapping[str, str] | None = None) -> Participant:
        """Start a client process with one client object that has opened nothing; `variables` are of its environment."""
        return self._client(self.processes.launch("client", name, variables))

    def beside(self, other: Participant) -> Participant:
        """Make a further client object in the process of another."""
        return self._client(other.host)

    def backup(self, geometry: Geometry = USUAL, keep: Path | None = None) -> Operation:
        """Start a BACKUP in fresh processes; `keep` is a directory that receives its streams."""
        return self._run("backup", geometry, self._participants(geometry), keep)

    def restore(self, geometry: Geometry = USUAL, streams: Path | None = None) -> Operation:
        """Start a RESTORE in fresh processes, by default of what a BACKUP of the same geometry made."""
        return self._run("restore", geometry, self._participants(geometry), streams)

    def operation(self, kind: Kind, geometry: Geometry = USUAL) -> Operation:
        """Start a statement in fresh processes."""
        return self._run(kind, geometry, self._participants(geometry))

    def prepared(
        self,
        geometry: Geometry = USUAL,
        kind: Kind = "backup",
        name: str | None = None,
        participants: list[Participant] | None = None,
    ) -> Operation:
        """Bring a statement's cast together, on a set of this name where it is given; the check starts it."""
        return self._prepare(kind, geometry, participants or self._participants(geometry), name=name)

    def created(
        self, kind: Kind, geometry: Geometry = USUAL, participants: list[Participant] | None = None
    ) -> Operation:
        """Create a set, in fresh processes unless told which; its statement has not begun, and nobody has joined."""
        operation = self._prepare(kind, geometry, participants or self._participants(geometry))
        set_up(operation.create)
        self._operations.append(operation)
        return operation

    def configured(
        self, kind: Kind, geometry: Geometry = USUAL, participants: list[Participant] | None = None
    ) -> Operation:
        """Start a statement and let it configure a set that was created; nobody has joined, no device is open."""
        operation = self.created(kind, geometry, participants)
        set_up(operation.configure)
        return operation

    def twin(self, of: Operation, kind: Kind, geometry: Geometry = USUAL) -> Operation:
        """Start a second statement, on a set of its own, in the client processes of another one."""
        return self._run(kind, geometry, [self.beside(participant) for participant in of.participants])

    def again(self, of: Operation) -> Operation:
        """Start a further statement on a new set, with the closed client objects of an earlier one."""
        return self._run(of.kind, of.geometry, of.participants)

    def _run(
        self, kind: Kind, geometry: Geometry, participants: list[Participant], streams: Path | None = None
    ) -> Operation:
        operation = self._prepare(kind, geometry, participants, streams)
        set_up(operation.start)
        self._operations.append(operation)
        return operation

    def _prepare(
        self,
        kind: Kind,
        geometry: Geometry,
        participants: list[Participant],
        streams: Path | None = None,
        name: str | None = None,
    ) -> Operation:
        if kind == "restore" and streams is None:
            streams = self._streams(geometry)
        return self._watched(Operation(kind, self._scene(geometry, participants, name), streams, self.bench.cast.seed))

    def _watched(self, one: R) -> R:
        self._sets_in_use.append(one)
        return one

    def _scene(
        self,
        geometry: Geometry,
        participants: list[Participant],
        name: str | None = None,
        server: Host | None = None,
    ) -> Scene:
        server = server or self.processes.launch("server", "server")
        return Scene(geometry, name or self.name(), server, tuple(participants), self.bench.supervisor)

    def backups(self, geometry: Geometry, count: int) -> Iterator[Operation]:
        """Create so many sets for a BACKUP each, one after the other in the same processes.

        Each statement must have ended before the next set is asked for; whoever still has a set open closes it.
        """
        participants, server = self._participants(geometry), self.processes.launch("server", "server")
        for _ in range(count):
            scene = self._scene(geometry, participants, server=server)
            operation = self._watched(Operation("backup", scene, None, self.bench.cast.seed))
            set_up(operation.create)
            yield operation
            operation.check_end()
            close_all(participants)

    def scripts(self, geometry: Geometry, count: int) -> Iterator[Scripted]:
        """Create so many sets whose server is told every step, one after the other in the same processes.

        What the server saw is checked before the next set; whoever still has a set open closes it.
        """
        self.need_scripted()
        participants, server = self._participants(geometry), self.processes.launch("server", "server")
        for _ in range(count):
            scripted = self._watched(Scripted(self._scene(geometry, participants, server=server), self.observe))
            set_up(scripted.create)
            yield scripted
            scripted.check_completions()
            close_all(participants)
            scripted.server.close()

    def scripted(self, geometry: Geometry = USUAL, features: int = VDF_WRITE_MEDIA) -> Scripted:
        """Start a set whose server is told every step."""
        scripted = self._script(geometry)
        set_up(lambda: scripted.start(features))
        return scripted

    def scripted_created(self, geometry: Geometry = USUAL) -> Scripted:
        """Create a set whose server is told every step, beginning with its Open; nobody has joined."""
        scripted = self._script(geometry)
        set_up(scripted.create)
        return scripted

    def _script(self, geometry: Geometry) -> Scripted:
        self.need_scripted()
        scripted = self._watched(Scripted(self._scene(geometry, self._participants(geometry)), self.observe))
        self._scripted.append(scripted)
        return scripted

    def need_scripted(self) -> None:
        """End the check as not applicable unless the server can be told every step; without a server nothing can."""
        if self.bench.cast.server is None:
            raise NeedsServer
        if self.bench.cast.server_capabilities.server != "scripted":
            not_applicable("it needs a server role at the scripted level")
        if (limits := self.bench.cast.limits).server != "scripted":
            not_applicable(f"it needs a server role at the scripted level, which {limits.profile} does not ask for")

    def _need_joining(self) -> None:
        if not (limits := self.bench.cast.limits).joining:
            not_applicable(f"it needs secondaries, which {limits.profile} does not ask for")

    def directory(self, label: str) -> Path:
        """Make a directory of this check's own."""
        directory = self.bench.directory / f"{self._check}-{label}"
        directory.mkdir()
        return directory

    def fill(self, view: View, size: int, seed: int) -> None:
        """Store recognisable contents through a view."""
        view.process.fill(view.address, Seeded(seed), size)

    def need(self, capability: str, reason: str) -> None:
        """End the check as not applicable unless the adapter declares an optional capability."""
        if not getattr(self.bench.cast.client_capabilities, capability):
            not_applicable(reason)

    def native(self, *faces: Face) -> Callable[[str], NativeProcess]:
        """Give what starts processes that call the compiled library themselves, where it has one of these faces."""
        if (face := self.bench.cast.client_capabilities.native_face) not in faces:
            not_applicable(f"it needs a native_face that is {' or '.join(faces)}")
        scale = self.bench.cast.timeout_scale
        return lambda name: NativeProcess(self.processes.launch("client", name), face == "com", scale, self.observe)

    def need_default_instance(self) -> None:
        """End the check as not tested where the older forms of the interface mean another instance."""
        if os.environ.get(INSTANCE_VARIABLE):
            not_tested(f"{INSTANCE_VARIABLE} names an instance for the older forms, the statements run on another one")

    def outside_contract(
        self, question: str, subject: str, attempt: Callable[[], Answer], chance: bool = False
    ) -> Answer | None:
        """Try what nobody may rely on: a crash is recorded, not judged, and gives None.

        Of what is left to `chance` nothing else is recorded: it may end otherwise the next time.
        """
        try:
            answer = attempt()
        except HostDied as death:
            self.processes.excuse(death.host)
            self.observe(question, subject, f"the process {death.ended}")
            return None
        if not chance:
            answer.record(question, subject)
        return answer

    def server(self) -> ServerRole:
        """Start a server process that has opened nothing, and is told every step."""
        self.need_scripted()
        return ServerRole(self.processes.launch("server", "server"), self.observe)

    def rival(self, of: Operation) -> StatementEnd:
        """Let a second server run the statement of an operation once more, and wait for its end."""
        scene = Scene(
            of.geometry, of.set_name, self.processes.launch("server", "rival"), (of.primary,), self.bench.supervisor
        )
        rival = Operation(of.kind, scene, None, self.bench.cast.seed)
        rival.execute()
        return rival.outcome()

    def secondary(self, of: Operation | Scripted) -> Participant:
        """Start a further process and let it join the set."""
        secondary = self.participant(f"secondary {len(of.participants)}")
        of.enlist(secondary)
        return secondary

    def other_cause(self, failure: BaseException) -> BaseException | None:
        """Give what the check has failed for, if that is not the doing of the party that it judges."""
        # Once: afterwards the processes may have been ended, which would look like a death.
        if self._other_cause is None and self._examined is not failure:
            examined = PostMortem(self.bench, self.processes, self._sets_in_use)
            self._other_cause = examined.other_cause(failure, self._judged)
        self._examined = failure
        return self._other_cause

    def said_by_servers(self) -> list[str]:
        """Give all that the server said of each statement of the check that failed, a line each."""
        operations = [one for one in self._sets_in_use if isinstance(one, Operation)]
        ends = [end for one in operations for end in failed_ends(one)]
        return [f"the server said: {all_said(end.messages)}" for end in ends]

    def check_invariants(self) -> None:
        """Hold what must be true at the end of every check that went well."""
        for operation in self._operations:
            operation.check_end()
        self.check_duties()
        require_a_verdict(self.bench, self._sets_in_use)
        self._check_codes()

    def check_duties(self) -> None:
        """Hold what no level excuses, and what a check that only warns must not hide (CMP-20)."""
        for scripted in self._scripted:
            scripted.check_completions()
        self.processes.require_alive()

    def _check_codes(self) -> None:
        """Record each failure that no document lists for its method (ABI-28); success has one code (ABI-17)."""
        for method, code in sorted(self.processes.codes):
            if failed(code) and code not in CODES[method]:
                self.observe("ABI-28", f"{method} giving {name_of(code)}, which no document lists for it", "seen")
        for method, code in sorted(self.processes.codes):
            if code != NOERROR and not failed(code):
                raise RecommendationBroken(
                    f"{method} gave {name_of(code)}, a success other than NOERROR (ABI-17)", ("NOERROR",), name_of(code)
                )

    def clear(self) -> None:
        """End every process without ceremony, so that the check can begin once more."""
        self.processes.end(orderly=False)
        self.processes = Processes(self.bench)
        self._scripted.clear()
        self._operations.clear()
        self._sets_in_use.clear()

    def _participants(self, geometry: Geometry) -> list[Participant]:
        secondaries = max(geometry.secondaries, *geometry.owners)
        if secondaries:
            self._need_joining()
        names = ["primary", *(f"secondary {index}" for index in range(1, secondaries + 1))]
        return [self.participant(name) for name in names]

    def _client(self, host: Host) -> Participant:
        self._sets += 1
        scale = self.bench.cast.timeout_scale
        return Participant(host, f"set{self._sets}", self.observe, scale, self._need_joining)

    def name(self) -> str:
        """Give a name for a set that no other check uses."""
        self._sets += 1
        return f"vdi-conformance-{self._check}-{self._sets}"

    def _streams(self, geometry: Geometry) -> Path:
        source = Geometry(
            devices=geometry.devices,
            block_size=geometry.block_size,
            max_transfer_size=geometry.max_transfer_size,
            buffer_count=geometry.buffer_count,
            features=geometry.features,
            database=geometry.database_size,
            subject="database" if geometry.subject == "filelistonly" else geometry.subject,
            snapshot=geometry.snapshot,
        )

        def make(directory: Path) -> None:
            # A stage of its own, so that the names of this check's sets do not depend on who came first.
            stage = Stage(self.bench, f"streams {source.stream_key}", judged=self._judged)
            try:
                stage.backup(source, directory).succeed()
            except BaseException as failure:
                self._other_cause = stage.other_cause(failure)
                stage.processes.end(orderly=False)
                raise
            stage.processes.end(orderly=True)

        return self.bench.streams(source.stream_key, make)


def close_all(participants: Sequence[Participant]) -> None:
    """Close every client object, the secondaries first; what else had been done to it decides what that gives."""
    for participant in reversed(participants):
        participant.close().require(NOERROR, VD_E_OPEN, VD_E_PROTOCOL)
        participant.devices.clear()


STAGE: Final = pytest.StashKey[Stage]()
ENDED: Final = pytest.StashKey[Literal["warned", "broken off"]]()
"""How a check ended that did not pass: with a warning of what an answer was, or otherwise."""
KNOWN_TO_FAIL: Final = pytest.StashKey[bool]()
