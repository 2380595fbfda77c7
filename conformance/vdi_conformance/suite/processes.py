"""The processes that one check has started: what they did, how they ended, and that they are gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Call
from vdi_conformance.host.errors import ImplementationUnavailable
from vdi_conformance.host.messages.server import ExecuteStatement, StatementEnd
from vdi_conformance.printable import keepable
from vdi_conformance.suite.judging import ConformanceFailure, NotTested
from vdi_conformance.vdi.documented import CODES
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.host.errors import HostError
    from vdi_conformance.host.messages.base import Reply
    from vdi_conformance.host.process import Host
    from vdi_conformance.suite.bench import Bench, Role

OF_THE_STATEMENT: Final = frozenset({102, 156, 229, 262, 911, 916, 3021, 3101, 3110, 3265, 4060})
"""Errors of SQL Server's before it looks for the set: of syntax, of rights, of the database, of a transaction."""
TOLD: Final = 5000
"""So many characters are kept of each text in a call."""
ELEMENTS: Final = 100
"""So many elements are kept of each list in a call."""
TO_SAY_WHY: Final = 1.0
"""So many seconds, before scaling, a server has to say why it could not try a statement, when the check has failed."""
TO_PUT_AWAY: Final = 3.0
"""So many seconds, before scaling, a statement has to end by itself when its clients are gone."""


class Processes:
    """Hosts of one check; one that is `excused` may end as it likes."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._hosts: list[Host] = []
        self._excused: set[str] = set()

    def launch(self, role: Role, name: str, variables: Mapping[str, str] | None = None) -> Host:
        """Start one; `variables` are of its environment."""
        host = self._bench.launch(role, name, variables)
        self._hosts.append(host)
        return host

    def excuse(self, name: str) -> None:
        """Let the end of a process be of no account."""
        self._excused.add(name)

    @property
    def codes(self) -> set[tuple[str, int]]:
        """What the methods of the client interface have given: their names, each with an HRESULT."""
        return {(method, code) for host in self._hosts for method, code in host.codes if method in CODES}

    def last_calls(self, limit: int) -> list[Call]:
        """Give the last calls of every process, in the order in which they were made."""
        calls = [record for host in self._hosts for record in host.calls[1:][-limit:]]
        return [
            Call(
                number=record.number,
                process=record.host,
                method=record.method,
                params=keepable(record.params, TOLD, ELEMENTS),
                answer=keepable(record.error or record.reply, TOLD, ELEMENTS),
            )
            for record in sorted(calls, key=lambda record: record.number)
        ]

    def last_words(self) -> list[tuple[str, str]]:
        """Give what the processes that have ended wrote last to standard error, where they wrote anything."""
        ends = [(host.name, host.ended) for host in self._hosts]
        return [(name, end.stderr) for name, end in ends if end is not None and end.stderr.strip()]

    def require_alive(self) -> None:
        """Fail the check if one ended that nobody had ended."""
        lost = [host for host in self._hosts if not host.dismissed and host.name not in self._excused]
        if gone := [f"{host.name} {host.ended}" for host in lost if host.ended is not None]:
            raise ConformanceFailure(f"a process ended that nobody had ended: {'; '.join(gone)}")

    def untried(self) -> BaseException | None:
        """Give what kept a server from trying its statement, if that is why a check has failed.

        Whoever was configured has met a server: what that says afterwards may be the library's doing.
        """
        servers = [host for host in self._hosts if host.role == "server"]
        if ("GetConfiguration", NOERROR) in self.codes:
            return None
        patience = TO_SAY_WHY * self._bench.cast.timeout_scale
        self._bench.supervisor.wait_until(lambda: not any(host.awaits(ExecuteStatement) for host in servers), patience)
        reasons = (_reason(outcome) for host in servers for outcome in host.outcomes)
        return next((reason for reason in reasons if reason is not None), None)

    def end(self, *, orderly: bool) -> None:
        """End all of them, the clients first; in an orderly end none may have crashed.

        A statement that then comes to its end by itself puts away what it has made on the user's server.
        """
        others = [host for host in self._hosts if host.role != "client"]
        self._dismiss([host for host in self._hosts if host.role == "client"], orderly)
        patience = TO_PUT_AWAY * self._bench.cast.timeout_scale
        self._bench.supervisor.wait_until(lambda: not any(host.awaits(ExecuteStatement) for host in others), patience)
        self._dismiss(others, orderly)
        ends = [(host, host.finish()) for host in self._hosts]
        crashed = [f"{host.name} {end}" for host, end in ends if end.crashed and host.name not in self._excused]
        if orderly and crashed:
            raise ConformanceFailure("; ".join(crashed))

    @staticmethod
    def _dismiss(hosts: list[Host], orderly: bool) -> None:
        for host in hosts:
            if not orderly:
                host.kill()
            host.end_input()


def _reason(outcome: Reply | HostError) -> BaseException | None:
    if isinstance(outcome, ImplementationUnavailable):
        return outcome
    messages = outcome.messages if isinstance(outcome, StatementEnd) and not outcome.succeeded else []
    if any(message.number in OF_THE_STATEMENT for message in messages):
        said = "; ".join(f"{message.text} ({message.number})" for message in messages)
        return NotTested(f"the statement came to no set, which wakes no client (Q55): {said}")
    return None
