"""The processes that one check has started: what they did, how they ended, and that they are gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Requests
from vdi_conformance.harness.judging import MandatoryBroken, not_applicable
from vdi_conformance.harness.traces import Trace, trace_of
from vdi_conformance.host.errors import AdapterNotLoaded, HostDied, ImplementationUnavailable
from vdi_conformance.host.messages.server import ExecuteStatement
from vdi_conformance.vdi.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.harness.other_accounts import Other
    from vdi_conformance.harness.worker_session import Role, WorkerSession
    from vdi_conformance.host.process import Host

TO_PUT_AWAY: Final = 3.0
"""So many seconds, before scaling, a statement has to end by itself when its clients are gone."""


class Processes:
    """Hosts of one check; one that is `may_die` may end as it likes."""

    def __init__(self, session: WorkerSession) -> None:
        self._session = session
        self._hosts: list[Host] = []
        self._may_die: set[str] = set()

    def launch(
        self, role: Role, name: str, variables: Mapping[str, str] | None = None, other: Other | None = None
    ) -> Host:
        """Start one; `variables` are of its environment, and `other` is the account that it has.

        Where there can be no process of another account, the check is not applicable.
        """
        if other is not None and (reason := self._session.obstacle(role)) is not None:
            not_applicable(reason)
        host = self._session.launch(role, name, variables, other)
        self._hosts.append(host)
        if other is not None:
            _require_started(host)
        return host

    def may_die(self, name: str) -> None:
        """Let the end of a process be of no account."""
        self._may_die.add(name)

    @property
    def codes(self) -> set[tuple[str, int]]:
        """What the methods of the client interface have given: their names, each with an HRESULT."""
        return {(method, code) for host in self._hosts for method, code in host.codes if method in METHODS}

    @property
    def requests(self) -> Requests:
        """How many requests these processes have answered."""
        client = sum(host.answered.total() for host in self._hosts if host.role == "client")
        servers = [host.answered for host in self._hosts if host.role == "server"]
        statements = sum(answered[ExecuteStatement.method] for answered in servers)
        steps = sum(answered.total() for answered in servers) - statements
        return Requests(client=client, statements=statements, steps=steps)

    def trace(self) -> Trace:
        """Give what all of these processes were called for so far."""
        return trace_of(self._hosts)

    def last_words(self) -> list[tuple[str, str]]:
        """Give what the processes that have ended wrote last to standard error, where they wrote anything."""
        ends = [(host.name, host.ended) for host in self._hosts]
        return [(name, end.stderr) for name, end in ends if end is not None and end.stderr.strip()]

    def require_alive(self) -> None:
        """Fail the check if one ended that nobody had ended."""
        lost = [host for host in self._hosts if not host.told_to_exit and host.name not in self._may_die]
        if gone := [f"{host.name} {host.ended}" for host in lost if host.ended is not None]:
            raise MandatoryBroken(f"a process ended that nobody had ended: {'; '.join(gone)}")

    @property
    def servers(self) -> set[str]:
        """The names of those that run a server."""
        return {host.name for host in self._hosts if host.role == "server"}

    def kill_clients(self) -> None:
        """End every client at once, as crashes do."""
        for host in self._hosts:
            if host.role == "client":
                host.kill()

    def end(self, *, orderly: bool) -> None:
        """End all of them, the clients first; in an orderly end none may have crashed.

        A statement that then comes to its end by itself puts away what it has made on the user's server.
        """
        others = [host for host in self._hosts if host.role != "client"]
        self._tell_to_exit([host for host in self._hosts if host.role == "client"], orderly)
        patience = TO_PUT_AWAY * self._session.parties.timeout_scale
        self._session.supervisor.wait_until(lambda: not any(host.awaits(ExecuteStatement) for host in others), patience)
        self._tell_to_exit(others, orderly)
        ends = [(host, host.finish()) for host in self._hosts]
        broken = [error for host in self._hosts if (error := host.broke_the_protocol) is not None]
        crashed = [f"{host.name} {end}" for host, end in ends if end.crashed and host.name not in self._may_die]
        if orderly and crashed:
            raise MandatoryBroken("; ".join(crashed))
        if orderly and broken:
            # What a host writes when nothing is asked any more is in no request's way.
            raise broken[0]

    @staticmethod
    def _tell_to_exit(hosts: list[Host], orderly: bool) -> None:
        for host in hosts:
            if not orderly:
                host.kill()
            host.end_input()


def _require_started(host: Host) -> None:
    """End the check as not applicable where an adapter that runs otherwise cannot be started under another account."""
    try:
        _ = host.initialized
    except (AdapterNotLoaded, ImplementationUnavailable) as refusal:
        reason = str(refusal)
    except HostDied as death:
        if death.ended.crashed:
            raise
        reason = str(death)
    else:
        return
    account = host.spec.credentials
    not_applicable(f"the adapter cannot be started by {account}: let that account read and run all it needs ({reason})")
