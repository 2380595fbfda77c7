"""The processes of one check: started fresh, watched, and gone when it ends."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeVar

import pytest

from vdi_conformance.evidence.records import Observation, Series, Walked
from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import (
    Judged,
    Needed,
    NeedsServer,
    RecommendationBroken,
    not_applicable,
    not_tested,
    set_up,
)
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.native import NativeProcess
from vdi_conformance.harness.post_mortem import PostMortem, failed_ends, require_a_verdict
from vdi_conformance.harness.processes import Processes
from vdi_conformance.harness.scenario import USUAL, Placement, Scenario, SetInUse
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.server import ServerRole
from vdi_conformance.harness.server_trouble import all_said
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.worker_session import SECONDS_A_CHECK, WorkerSession
from vdi_conformance.host.errors import HostDied
from vdi_conformance.vdi.commands import VDF_WRITE_MEDIA
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN, VD_E_PROTOCOL, failed, name_of
from vdi_conformance.vdi.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hypothesis.database import ExampleDatabase

    from vdi_conformance.contract import Abi
    from vdi_conformance.harness.expectations import Answer
    from vdi_conformance.harness.other_accounts import Other
    from vdi_conformance.harness.shared_memory import BufferView
    from vdi_conformance.host.messages.server import StatementEnd
    from vdi_conformance.host.process import Host

R = TypeVar("R", bound=SetInUse)
STATEMENTS_TOLD: Final = 4
"""Of so many statements that failed is told what the server said; a check may have had dozens fail on purpose."""
INSTANCE_VARIABLE: Final = "_VIRTUAL_SERVER_NAME_"
"""The environment variable that names the instance which the older forms mean."""


class Testbed:
    """Sets up what a check needs, in processes that belong to it alone.

    `known_to_fail` says that a failure of the check is expected, so that no time is spent on making it simple; `judged`
    is the party that it judges, and its time is over after so many seconds. `examples` are those that were found to
    fail before.
    """

    __test__: ClassVar = False
    """Its name begins with Test, by which pytest knows classes of tests."""

    def __init__(
        self,
        session: WorkerSession,
        check: str,
        known_to_fail: bool = False,
        judged: Judged = "library",
        seconds: float = SECONDS_A_CHECK,
        examples: ExampleDatabase | None = None,
    ) -> None:
        self.session = session
        self._judged = judged
        session.begin(seconds)
        self.processes = Processes(session)
        self.known_to_fail = known_to_fail
        self.examples = examples
        self.observations: list[Observation] = []
        self.walked: Walked | None = None
        self.series: list[Series] = []
        self._check = hashlib.sha256(check.encode()).hexdigest()[:12]
        self._sets = 0
        self._scripted: list[ScriptedSet] = []
        self._statements: list[StatementRun] = []
        self._sets_in_use: list[SetInUse] = []
        self._other_cause: BaseException | None = None
        self._examined: BaseException | None = None

    @property
    def seed(self) -> int:
        """A number of this check's own, which follows from the run's seed."""
        return int(self._check, 16) ^ self.session.parties.seed

    def scaled(self, milliseconds: int) -> int:
        """Stretch a time limit by the run's factor."""
        return int(milliseconds * self.session.parties.timeout_scale)

    def observe(self, question: str, subject: str, answer: str, permitted: Sequence[str] = ()) -> None:
        """Record which choice was seen, of the permitted ones where these are a closed list."""
        seen = Observation(question=question, subject=subject, answer=answer, permitted=list(permitted))
        if seen not in self.observations:
            self.observations.append(seen)

    def client(self, name: str, variables: Mapping[str, str] | None = None, other: Other | None = None) -> Client:
        """Start a client process with one client object that has opened nothing.

        `variables` are of its environment, and `other` is the account that it has, where that is not the run's.
        """
        return self._client(self.processes.launch("client", name, variables, other))

    def beside(self, other: Client) -> Client:
        """Make a further client object in the process of another."""
        return self._client(other.host)

    def backup(self, scenario: Scenario = USUAL, keep: Path | None = None) -> StatementRun:
        """Start a BACKUP in fresh processes; `keep` is a directory that receives its streams."""
        return self._run("backup", scenario, self.clients(scenario), keep)

    def restore(self, scenario: Scenario = USUAL, streams: Path | None = None) -> StatementRun:
        """Start a RESTORE in fresh processes, by default of what a BACKUP of the same scenario made."""
        return self._run("restore", scenario, self.clients(scenario), streams)

    def statement(self, kind: Kind, scenario: Scenario = USUAL) -> StatementRun:
        """Start a statement in fresh processes."""
        return self._run(kind, scenario, self.clients(scenario))

    def prepared(
        self,
        scenario: Scenario = USUAL,
        kind: Kind = "backup",
        name: str | None = None,
        clients: list[Client] | None = None,
        server: Host | None = None,
    ) -> StatementRun:
        """Bring a statement's cast together, on a set of this name where it is given; the check starts it."""
        return self._prepare(kind, scenario, clients or self.clients(scenario), name=name, server=server)

    def server_of_another_account(self, other: Other) -> Host:
        """Start the process of a server under another account, where that is all there is of the server."""
        if not self.session.parties.server_is_known:
            not_applicable("its server is a service, which has an account of its own already")
        return self.processes.launch("server", "server", other=other)

    def created(
        self, kind: Kind, scenario: Scenario = USUAL, clients: list[Client] | None = None, name: str | None = None
    ) -> StatementRun:
        """Create a set, in fresh processes unless told which; its statement has not begun, and nobody has joined.

        It has a name of its own unless one is given.
        """
        statement = self._prepare(kind, scenario, clients or self.clients(scenario), name=name)
        set_up(statement.create)
        self._statements.append(statement)
        return statement

    def configured(self, kind: Kind, scenario: Scenario = USUAL, clients: list[Client] | None = None) -> StatementRun:
        """Start a statement and let it configure a set that was created; nobody has joined, no device is open."""
        statement = self.created(kind, scenario, clients)
        set_up(statement.configure)
        return statement

    def twin(self, of: StatementRun, kind: Kind, scenario: Scenario = USUAL) -> StatementRun:
        """Start a second statement, on a set of its own, in the client processes of another one."""
        return self._run(kind, scenario, [self.beside(client) for client in of.clients])

    def again(self, of: StatementRun) -> StatementRun:
        """Start a further statement on a new set, with the closed client objects of an earlier one."""
        return self._run(of.kind, of.scenario, of.clients)

    def _run(self, kind: Kind, scenario: Scenario, clients: list[Client], streams: Path | None = None) -> StatementRun:
        statement = self._prepare(kind, scenario, clients, streams)
        set_up(statement.start)
        self._statements.append(statement)
        return statement

    def _prepare(
        self,
        kind: Kind,
        scenario: Scenario,
        clients: list[Client],
        streams: Path | None = None,
        name: str | None = None,
        server: Host | None = None,
    ) -> StatementRun:
        if kind == "restore" and streams is None:
            streams = self._streams(scenario)
        return self._watched(
            StatementRun(kind, self._placement(scenario, clients, name, server), streams, self.session.parties.seed)
        )

    def _watched(self, one: R) -> R:
        self._sets_in_use.append(one)
        return one

    def _placement(
        self,
        scenario: Scenario,
        clients: list[Client],
        name: str | None = None,
        server: Host | None = None,
    ) -> Placement:
        server = server or self.processes.launch("server", "server")
        return Placement(scenario, name or self.name(), server, tuple(clients), self.session.supervisor)

    def backups(self, scenario: Scenario, count: int, clients: list[Client] | None = None) -> Iterator[StatementRun]:
        """Create so many sets for a BACKUP each, one after the other in the same processes, fresh unless given.

        Each statement must have ended before the next set is asked for; whoever still has a set open closes it.
        """
        clients, server = clients or self.clients(scenario), self.processes.launch("server", "server")
        for _ in range(count):
            placement = self._placement(scenario, clients, server=server)
            statement = self._watched(StatementRun("backup", placement, None, self.session.parties.seed))
            set_up(statement.create)
            yield statement
            statement.check_end()
            close_all(clients)

    def scripts(
        self, scenario: Scenario, count: int, clients: list[Client] | None = None, server: Host | None = None
    ) -> Iterator[ScriptedSet]:
        """Create so many sets whose server is told every step, one after the other in the same processes.

        What the server saw is checked before the next set; whoever still has a set open closes it.
        """
        self.need_scripted()
        clients, server = clients or self.clients(scenario), server or self.processes.launch("server", "server")
        for _ in range(count):
            scripted = self._watched(ScriptedSet(self._placement(scenario, clients, server=server), self.observe))
            set_up(scripted.create)
            yield scripted
            scripted.check_completions()
            close_all(clients)
            scripted.server.close()

    def scripted(self, scenario: Scenario = USUAL, features: int = VDF_WRITE_MEDIA) -> ScriptedSet:
        """Start a set whose server is told every step."""
        scripted = self._script(scenario)
        set_up(lambda: scripted.start(features))
        return scripted

    def scripted_created(self, scenario: Scenario = USUAL, clients: list[Client] | None = None) -> ScriptedSet:
        """Create a set whose server is told every step, beginning with its Open; nobody has joined."""
        scripted = self._script(scenario, clients)
        set_up(scripted.create)
        return scripted

    def scripted_of_that_name(self, of: ScriptedSet, scenario: Scenario, clients: list[Client]) -> ScriptedSet:
        """Create a set of the name of one that has ended, with the same server; what that one saw is checked first."""
        of.check_completions()
        self._scripted.remove(of)
        of.server.close()
        scripted = self._script(scenario, clients, of.set_name, of.server.host)
        set_up(scripted.create)
        return scripted

    def _script(
        self,
        scenario: Scenario,
        clients: list[Client] | None = None,
        name: str | None = None,
        server: Host | None = None,
    ) -> ScriptedSet:
        self.need_scripted()
        placement = self._placement(scenario, clients or self.clients(scenario), name, server)
        scripted = self._watched(ScriptedSet(placement, self.observe))
        self._scripted.append(scripted)
        return scripted

    def need_scripted(self) -> None:
        """End the check as not applicable unless the server can be told every step; without a server nothing can."""
        if self.session.parties.server is None:
            raise NeedsServer
        if self.session.parties.server_capabilities.server != "scripted":
            not_applicable("it needs a server role at the scripted level")
        if (limits := self.session.parties.limits).server != "scripted":
            not_applicable(f"it needs a server role at the scripted level, which {limits.profile} does not ask for")

    @property
    def can_script(self) -> bool:
        """Whether the server can be told every step."""
        parties = self.session.parties
        return parties.server is not None and "scripted" == parties.server_capabilities.server == parties.limits.server

    def _need_joining(self) -> None:
        if not (limits := self.session.parties.limits).joining:
            not_applicable(f"it needs secondaries, which {limits.profile} does not ask for")

    def directory(self, label: str) -> Path:
        """Make a directory of this check's own."""
        directory = self.session.directory / f"{self._check}-{label}"
        directory.mkdir()
        return directory

    def fill(self, view: BufferView, size: int, seed: int) -> None:
        """Store recognisable contents through a view."""
        view.process.fill(view.address, Seeded(seed), size)

    def need(self, capability: str, reason: str) -> None:
        """End the check as not applicable unless the adapter declares an optional capability."""
        if not getattr(self.session.parties.client_capabilities, capability):
            not_applicable(reason)

    def native(self, *abis: Abi) -> Callable[[str], NativeProcess]:
        """Give what starts processes that call the compiled library themselves, where it has one of these ABIs."""
        if (abi := self.session.parties.client_capabilities.native_abi) not in abis:
            not_applicable(f"it needs a native_abi that is {' or '.join(abis)}")
        scale = self.session.parties.timeout_scale
        return lambda name: NativeProcess(self.processes.launch("client", name), abi == "com", scale, self.observe)

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
            self.processes.may_die(death.host)
            self.observe(question, subject, f"the process {death.ended}")
            return None
        if not chance:
            answer.observe(question, subject)
        return answer

    def server(self) -> ServerRole:
        """Start a server process that has opened nothing, and is told every step."""
        self.need_scripted()
        return ServerRole(self.processes.launch("server", "server"), self.observe)

    def second_server(self, of: StatementRun) -> StatementEnd:
        """Let a second server run the statement of an statement once more, and wait for its end."""
        placement = Placement(
            of.scenario, of.set_name, self.processes.launch("server", "second"), (of.primary,), self.session.supervisor
        )
        second = StatementRun(of.kind, placement, None, self.session.parties.seed)
        second.execute()
        return second.outcome()

    def secondary(self, of: StatementRun | ScriptedSet) -> Client:
        """Start a further process and let it join the set."""
        secondary = self.client(f"secondary {len(of.clients)}")
        of.enlist(secondary)
        return secondary

    def other_cause(self, failure: BaseException) -> BaseException | None:
        """Give what the check has failed for, if that is not the doing of the party that it judges."""
        # Once: afterwards the processes may have been ended, which would look like a death.
        if self._other_cause is None and self._examined is not failure:
            examined = PostMortem(self.session, self.processes, self._sets_in_use)
            self._other_cause = examined.other_cause(failure, self._judged)
        self._examined = failure
        return self._other_cause

    def said_by_servers(self) -> list[str]:
        """Give all that the server said of the last statements of the check that failed, a line each."""
        statements = [one for one in self._sets_in_use if isinstance(one, StatementRun)]
        ends = [end for one in statements for end in failed_ends(one)]
        return [f"the server said: {all_said(end.messages)}" for end in ends[-STATEMENTS_TOLD:]]

    def check_invariants(self) -> None:
        """Hold what must be true at the end of every check that went well."""
        for statement in self._statements:
            statement.check_end()
        self.check_duties()
        require_a_verdict(self.session, self._sets_in_use)
        self._check_codes()

    def check_duties(self) -> None:
        """Hold what no level excuses, and what a check that only warns must not hide (CMP-20)."""
        for scripted in self._scripted:
            scripted.check_completions()
        self.processes.require_alive()

    def _check_codes(self) -> None:
        """Record each failure that no document lists for its method (ABI-28); success has one code (ABI-17)."""
        for method, code in sorted(self.processes.codes):
            if failed(code) and code not in METHODS[method].codes:
                self.observe("ABI-28", f"{method} giving {name_of(code)}, which no document lists for it", "seen")
        for method, code in sorted(self.processes.codes):
            if code != NOERROR and not failed(code):
                raise RecommendationBroken(
                    f"{method} gave {name_of(code)}, a success other than NOERROR (ABI-17)",
                    ("NOERROR",),
                    name_of(code),
                    by="ABI-17",
                )

    def clear(self) -> None:
        """End every process without ceremony, so that the check can begin once more."""
        self.processes.end(orderly=False)
        self.processes = Processes(self.session)
        self._scripted.clear()
        self._statements.clear()
        self._sets_in_use.clear()

    def clients(self, scenario: Scenario) -> list[Client]:
        """Start the client processes of a scenario; none of them has opened anything."""
        secondaries = max(scenario.secondaries, *scenario.owners)
        if secondaries:
            self._need_joining()
        names = ["primary", *(f"secondary {index}" for index in range(1, secondaries + 1))]
        return [self.client(name) for name in names]

    def _client(self, host: Host) -> Client:
        self._sets += 1
        scale = self.session.parties.timeout_scale
        return Client(host, f"set{self._sets}", self.observe, scale, self._need_joining)

    def name(self) -> str:
        """Give a name for a set that nobody else uses."""
        self._sets += 1
        return f"vdi-conformance-{self._check}-{self.session.name_token}{self._sets}"

    def _streams(self, scenario: Scenario) -> Path:
        source = Scenario(
            devices=scenario.devices,
            block_size=scenario.block_size,
            max_transfer_size=scenario.max_transfer_size,
            buffer_count=scenario.buffer_count,
            features=scenario.features,
            database=scenario.database_size,
            subject="database" if scenario.subject == "filelistonly" else scenario.subject,
            snapshot=scenario.snapshot,
        )

        def make(directory: Path) -> None:
            # A testbed of its own, so that the names of this check's sets do not depend on who came first.
            testbed = Testbed(self.session, f"streams {source.stream_key}", judged=self._judged)
            try:
                testbed.backup(source, directory).succeed()
            except BaseException as failure:
                self._other_cause = testbed.other_cause(failure)
                testbed.processes.end(orderly=False)
                raise
            testbed.processes.end(orderly=True)

        return self.session.streams(source.stream_key, make)


def close_all(clients: Sequence[Client]) -> None:
    """Close every client object, the secondaries first; what else had been done to it decides what that gives."""
    for client in reversed(clients):
        client.close().expect(NOERROR, VD_E_OPEN, VD_E_PROTOCOL, by=Needed("CLS-01"))
        client.forget_devices()


TESTBED: Final = pytest.StashKey[Testbed]()
ENDED: Final = pytest.StashKey[Literal["warned", "broken off"]]()
"""How a check ended that did not pass: with a warning of what an answer was, or otherwise."""
KNOWN_TO_FAIL: Final = pytest.StashKey[bool]()
EXAMPLES: Final = pytest.StashKey["ExampleDatabase"]()
