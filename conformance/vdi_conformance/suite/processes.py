"""The processes that one check has started: what they did, how they ended, and that they are gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from vdi_conformance.evidence.records import Call
from vdi_conformance.host.errors import ImplementationUnavailable
from vdi_conformance.host.messages.server import ExecuteStatement, StatementEnd
from vdi_conformance.suite.judging import ConformanceFailure, NotTested
from vdi_conformance.vdi.documented import CODES
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.host.errors import HostError
    from vdi_conformance.host.messages.base import Reply
    from vdi_conformance.host.process import Host
    from vdi_conformance.suite.bench import Bench, Role

OF_THE_SET: Final = frozenset({3201, 3202, 3203, 3204, 3261, 3271, 18210})
"""The messages of a server that has looked for the set, or for its devices."""
LAST_WORDS: Final = frozenset({3013, 3041})
"""The messages with which any statement fails."""
TO_PUT_AWAY: Final = 3.0
"""So many seconds, before scaling, a statement has to end by itself when its clients are gone."""


class Processes:
    """Hosts of one check; one that is `excused` may end as it likes."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._hosts: list[Host] = []
        self._excused: set[str] = set()
        self._waited = False

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
                params=dict(record.params),
                answer=record.error or record.reply,
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
        """Give what kept a server from trying its statement, if that was it; the check has failed, its clients go."""
        outcomes = [outcome for host in self._dismiss_clients(orderly=False) for outcome in host.outcomes]
        unavailable = (outcome for outcome in outcomes if isinstance(outcome, ImplementationUnavailable))
        # Whoever was configured has met a server: what that says afterwards may be the library's doing.
        ends = () if ("GetConfiguration", NOERROR) in self.codes else filter(_came_to_no_set, outcomes)
        return next(unavailable, None) or next(map(_not_tested, ends), None)

    def end(self, *, orderly: bool) -> None:
        """End all of them; in an orderly end none may have crashed."""
        for host in self._dismiss_clients(orderly=orderly):
            if not orderly:
                host.kill()
            host.end_input()
        ends = [(host, host.finish()) for host in self._hosts]
        crashed = [f"{host.name} {end}" for host, end in ends if end.crashed and host.name not in self._excused]
        if orderly and crashed:
            raise ConformanceFailure("; ".join(crashed))

    def _dismiss_clients(self, *, orderly: bool) -> list[Host]:
        """Let the clients go, and then the statements that still run come to their ends; give all other processes.

        A statement that ends by itself puts away what it has made on the user's server.
        """
        clients = [host for host in self._hosts if host.role == "client"]
        others = [host for host in self._hosts if host.role != "client"]
        for host in clients:
            if not orderly:
                host.kill()
            host.end_input()
        patience = TO_PUT_AWAY * self._bench.cast.timeout_scale
        if not self._waited:
            self._waited = True
            self._bench.supervisor.wait_until(lambda: not any(one.awaits(ExecuteStatement) for one in others), patience)
        return others


def _came_to_no_set(outcome: Reply | HostError) -> TypeGuard[StatementEnd]:
    """Tell whether a statement failed for a reason of its own, which wakes no client (Q55)."""
    if not isinstance(outcome, StatementEnd) or outcome.succeeded:
        return False
    numbers = {message.number for message in outcome.messages}
    return bool(numbers - LAST_WORDS) and not numbers & OF_THE_SET


def _not_tested(end: StatementEnd) -> NotTested:
    said = "; ".join(f"{message.text} ({message.number})" for message in end.messages)
    return NotTested(f"the statement came to no set: {said}")
