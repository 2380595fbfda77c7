"""What one test worker keeps from check to check: its supervisor, the adapters' machines, streams of BACKUPs."""

from __future__ import annotations

import math
import secrets
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from vdi_conformance.harness.judging import NeedsServer
from vdi_conformance.harness.other_accounts import credentials_of, let_in, let_read, obstacle
from vdi_conformance.host import pace
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.contract import Capabilities
    from vdi_conformance.harness.other_accounts import Other
    from vdi_conformance.host.credentials import Credentials
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec

    Role = Literal["client", "server", "broker"]
    Start = Literal["forkserver", "spawn"]


SECONDS_A_CHECK: Final = 120.0
"""Far more than any check takes; the run's time scale and a busy machine stretch it."""
LOOK: Final = 10.0
"""After so many seconds it is found out again how busy the machine is."""
BUILT_IN: Final = "emulator"
"""The reference of the adapter whose server is our own."""


@dataclass(frozen=True)
class ProfileLimits:
    """What a profile lets checks ask for, so that all are judged alike: a server level, and sets with secondaries."""

    profile: str = ""
    server: Literal["statement", "scripted"] = "scripted"
    joining: bool = True


@dataclass(frozen=True)
class Parties:
    """Client and server under test: the adapters for the two roles, what they declare, and the settings of the run.

    There is no server in a run of what needs none.
    """

    client: AdapterSpec
    server: AdapterSpec | None
    client_capabilities: Capabilities
    server_capabilities: Capabilities
    seed: int
    timeout_scale: float
    limits: ProfileLimits = ProfileLimits()

    @property
    def judges_server(self) -> bool:
        """Whether the server role is judged too: it is the client adapter's own product, not a borrowed one."""
        return self.client == self.server and self.client_capabilities.server_under_test

    @property
    def server_is_known(self) -> bool:
        """Whether the server is the built-in one or is judged itself: neither is slow, or fails to open a set."""
        return self.judges_server or (self.server is not None and self.server.reference == BUILT_IN)

    @property
    def borrows_server(self) -> bool:
        """Whether the server is another adapter's."""
        return self.server is not None and self.server != self.client

    @property
    def share_the_computer(self) -> bool:
        """Whether sets are among those of other workers and runs, since no broker of the worker keeps them apart."""
        return not (self.client_capabilities.broker or self.server_capabilities.broker)


class WorkerSession:
    """Starts processes for checks; the background parts of the adapters run here, once.

    `parties` has the time scale that the machine needs while it is busy with other things, from check to check.
    """

    def __init__(
        self, parties: Parties, start: Start | None = None, cpu: int | None = None, supervisor: Supervisor | None = None
    ) -> None:
        """Start what all checks share, with a supervisor of its own unless one is given, which it closes too."""
        self.parties = self._chosen = parties
        self._looked = -math.inf
        self._stretch = 1.0
        self.supervisor = supervisor or Supervisor(start, cpu=cpu)
        self.directory = Path(self.supervisor.directory)
        self._token = secrets.token_hex(3)
        self._casts = 0
        self._streams: dict[str, Path] = {}
        self._brokers: dict[AdapterSpec, Host] = {}
        self._open_to_others: set[Path] = set()
        self._start_brokers()

    @property
    def name_token(self) -> str:
        """What names of sets need so that no other worker and no other run on this computer has them; often nothing."""
        return f"{self._token}-" if self.parties.share_the_computer else ""

    def clear(self) -> None:
        """End and forget whatever belongs to these parties; others follow, in a directory of their own."""
        self.supervisor.limit(math.inf)
        for broker in self._brokers.values():
            broker.kill()
            broker.finish()
        self._brokers.clear()
        if self._casts:
            shutil.rmtree(self.directory, ignore_errors=True)
        self._casts += 1
        self.directory = Path(self.supervisor.directory) / str(self._casts)
        self.directory.mkdir()
        self._streams.clear()

    def change_parties(self, parties: Parties) -> None:
        """Take other parties from now on, whose brokers may have been started since all was cleared."""
        self.parties = self._chosen = parties
        self._start_brokers()

    def broker(self, spec: AdapterSpec) -> Host:
        """Give the process of an adapter's background part, which is started when first asked for."""
        if spec not in self._brokers:
            self._brokers[spec] = self._launch(spec, "broker", "broker")
        return self._brokers[spec]

    def _start_brokers(self) -> None:
        brokers = {
            self.parties.client: self.parties.client_capabilities.broker,
            self.parties.server: self.parties.server_capabilities.broker,
        }
        for spec in (spec for spec, needed in brokers.items() if needed and spec is not None):
            _ = self.broker(spec).initialized

    def begin(self, seconds: float = SECONDS_A_CHECK) -> None:
        """Give a check its time, and limits that suit the broker.

        A check that goes on asking, since every answer asks for more, would never end.
        """
        if time.monotonic() - self._looked > LOOK:
            self._stretch = pace.stretch()
            self._looked = time.monotonic()
        self.parties = replace(self._chosen, timeout_scale=self._chosen.timeout_scale * self._stretch)
        self.supervisor.limit(seconds * self._chosen.timeout_scale)

    def launch(
        self, role: Role, name: str, variables: Mapping[str, str] | None = None, other: Other | None = None
    ) -> Host:
        """Start a process in a role, with these environment variables on top of the usual ones.

        Where it is to be under an `other` account, it must have been found that there can be such processes.
        """
        spec = self.parties.client if role == "client" else self.parties.server
        if spec is None:
            raise NeedsServer
        if variables:
            spec = replace(spec, env=(*spec.env, *variables.items()))
        if other is not None:
            spec = replace(spec, credentials=credentials_of(other))
            self._let_in(credentials_of(other))
        return self._launch(spec, role, name)

    def obstacle(self, role: Role) -> str | None:
        """Say why no process in a role can be started under another account; None where it may be tried."""
        spec = self.parties.client if role == "client" else self.parties.server
        return None if spec is None else obstacle(spec, self.supervisor.directory)

    def _let_in(self, credentials: Credentials) -> None:
        """Open the directory of the run to an account, once: all others are in the same group."""
        if self.directory not in self._open_to_others:
            self._open_to_others.add(self.directory)
            within = () if str(self.directory) == self.supervisor.directory else (str(self.directory),)
            let_in(credentials, self.supervisor.directory, *within)

    def _launch(self, spec: AdapterSpec, role: Role, name: str) -> Host:
        # Only those who are judged, and their servers, can be in more of a hurry than usual.
        chosen = self._chosen.timeout_scale
        scale = max(1.0, chosen) if role == "broker" else chosen
        settings = RunSettings(self.parties.seed, scale)
        return self.supervisor.launch(spec, role, name, settings, str(self.directory))

    def streams(self, key: str, make: Callable[[Path], None]) -> Path:
        """Give the directory with the streams of a BACKUP of that kind, which is made when first asked for."""
        if key not in self._streams:
            directory = self.directory / f"streams-{len(self._streams)}"
            directory.mkdir(exist_ok=True)
            make(directory)
            let_read(directory)
            self._streams[key] = directory
        return self._streams[key]

    def close(self) -> None:
        """End every process and delete the private directory."""
        self.supervisor.close()
