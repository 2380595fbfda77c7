"""What a check may have failed for beside its library: a server in trouble, no room for buffers.

Deaths and hangs of clients, and codes that no server can bring about, are the library's, whatever the server says.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness import server_trouble
from vdi_conformance.harness.judging import ConformanceFailure, NotTested, WaitedInVain
from vdi_conformance.harness.slow_servers import slowness_of
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.host.errors import HostDied, HostHung, HostRefusal, ImplementationUnavailable
from vdi_conformance.host.messages.server import StatementEnd
from vdi_conformance.vdi.hresult import VD_E_ABORT, VD_E_CLOSE, VD_E_MEMORY, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.harness.processes import Processes
    from vdi_conformance.harness.scenario import SetInUse
    from vdi_conformance.harness.worker_session import WorkerSession
    from vdi_conformance.host.messages.base import Reply

TO_SAY_WHY: Final = 1.0
"""So many seconds, before scaling, a server has to say why it could not try a statement, when the check has failed."""
_NO_MEMORY: Final = name_of(VD_E_MEMORY)
_NOTHING_CAME: Final = name_of(VD_E_TIMEOUT)
_REFUSED: Final = (VD_E_MEMORY, VD_E_ABORT)
"""How GetConfiguration ends where there is no room for what the server asks for."""
_REFUSING: Final = frozenset(map(name_of, _REFUSED))
LARGE: Final = 8 << 20
"""Bytes of buffers for which every machine has room: the plain statements of users ask for less."""
_BY_A_SERVER: Final = frozenset({"failure", _NO_MEMORY, _NOTHING_CAME, name_of(VD_E_ABORT), name_of(VD_E_CLOSE)})
"""What a server in trouble can have to do with: how its statement ends, and the codes that its clients get then."""


class PostMortem:
    """Looks at the sets and statements of a check that failed, while its processes are still there."""

    def __init__(self, session: WorkerSession, processes: Processes, sets: Sequence[SetInUse]) -> None:
        self._session = session
        self._processes = processes
        self._sets = sets
        self._statements = [one for one in sets if isinstance(one, StatementRun)]
        self._needed = max((one.pool_size for one in sets), default=0)

    def other_cause(self, failure: BaseException, judged: str) -> BaseException | None:
        """Give what the check ended in, if that is not the doing of the party that it judges."""
        if isinstance(failure, HostDied | HostHung):
            return self._lost_server(failure) if judged == "library" else None
        observed = failure.observed if isinstance(failure, ConformanceFailure) else None
        in_vain = _waited_in_vain(failure)
        if not in_vain and observed not in _BY_A_SERVER:
            return None
        if observed in _REFUSING and (refused := self._refused_for_its_size(failure)):
            return refused
        self._await_ends()
        if observed == _NO_MEMORY or any(map(_lacked_room, self._statements)):
            found: BaseException | None = self._no_room(failure)
            if found is not None:
                return found
        if judged != "library":
            return None
        found = self._trouble()
        if found is None and not self._session.parties.server_is_known and (in_vain or observed == _NOTHING_CAME):
            found = self._slowness()
        return found

    def _lost_server(self, failure: HostDied | HostHung) -> NotTested | None:
        """Give the end of a server's process, in which nothing of the library runs."""
        parties = self._session.parties
        apart = not parties.server_is_known and parties.server_capabilities.server == "statement"
        if not apart or failure.host not in self._processes.servers:
            return None
        return NotTested(f"the process of the server was lost, which runs nothing of the library: {failure}")

    def _refused_for_its_size(self, failure: BaseException) -> NotTested | None:
        """Give the end of a configuration in which a library found that it has no room for so much."""
        if not any(("GetConfiguration", code) in self._processes.codes for code in _REFUSED):
            return None
        if (large := next(filter(_is_too_large, self._sets), None)) is None:
            return None
        return NotTested(
            f"a set with buffers of {large.requested} bytes was not configured, which a library may refuse for want of "
            f"memory (BUF-19): give it more shared memory, then run again ({failure})"
        )

    def _await_ends(self) -> None:
        statements = [pending for statement in self._statements for pending in statement.statements]
        patience = TO_SAY_WHY * self._session.parties.timeout_scale
        self._session.supervisor.wait_until(lambda: all(pending.settled for pending in statements), patience)

    def _no_room(self, failure: BaseException) -> NotTested | None:
        """Believe that there is no room only where it can be seen."""
        places = (str(self._session.directory), tempfile.gettempdir())
        free, place = min((shutil.disk_usage(place).free, place) for place in places)
        if free >= self._needed:
            return None
        return NotTested(
            f"there is no room for the buffers: {free} bytes are free in {place}, and up to {self._needed} are needed; "
            f"make room there, or let TMPDIR name another directory, then run again ({failure})"
        )

    def _trouble(self) -> BaseException | None:
        statements = ((one, pending) for one in self._statements if not one.must_miss for pending in one.statements)
        reasons = (self._trouble_of(one, pending.outcome) for one, pending in statements)
        return next((reason for reason in reasons if reason is not None), None)

    def _trouble_of(self, statement: StatementRun, outcome: object) -> BaseException | None:
        known = self._session.parties.server_is_known
        match outcome:
            case ImplementationUnavailable():
                return None if known and statement.configured else outcome
            case HostRefusal() if self._session.parties.borrows_server:
                return outcome
            case HostDied() | HostHung():
                return self._lost_server(outcome)
            case StatementEnd() if (sentence := _own_trouble(statement, outcome, known)) is not None:
                return NotTested(sentence)
        return None

    def _slowness(self) -> BaseException | None:
        running = [one for one in self._statements if one.statements and not one.ended]
        told = (slowness_of(one, self._processes, self._session) for one in running)
        sentence = next((one for one in told if one is not None), None)
        # What it was slow in may have been to find out that it cannot.
        return self._trouble() or (None if sentence is None else NotTested(sentence))


def require_a_verdict(session: WorkerSession, sets: Sequence[SetInUse]) -> None:
    """End a check that passed as not tested, where a statement failed for what has nothing to do with its set."""
    if session.parties.server_is_known:
        return
    for statement in [one for one in sets if isinstance(one, StatementRun)]:
        for end in failed_ends(statement):
            told = any(message.number not in server_trouble.LAST_WORDS for message in end.messages)
            sentence = server_trouble.before_the_set(end, statement.device_names)
            if told and sentence is not None and not statement.configured:
                raise NotTested(sentence)


def _own_trouble(statement: StatementRun, end: StatementEnd, known: bool) -> str | None:
    """Say what a statement failed for, if that is the server's; one that is known never fails to open a set."""
    names = statement.device_names
    if statement.configured:
        return server_trouble.of_its_own(end, names) if statement.kind == "backup" and not known else None
    before = server_trouble.before_the_set(end, names)
    return before if before is not None or known else server_trouble.at_the_set(end, names)


def failed_ends(statement: StatementRun) -> Iterator[StatementEnd]:
    """Give the ends of those statements of a set that failed."""
    outcomes: list[Reply | Exception | None] = [pending.outcome for pending in statement.statements]
    return (one for one in outcomes if isinstance(one, StatementEnd) and not one.succeeded)


def _is_too_large(running: SetInUse) -> bool:
    """Tell whether a set has come to no configuration, aborted by nobody who was told to, and asks for much memory."""
    aborted = any(one.aborted for one in running.clients)
    configured = any(one.has_configured(running.set_name) for one in running.clients)
    return running.requested > LARGE and not aborted and not configured


def _lacked_room(statement: StatementRun) -> bool:
    return any(server_trouble.lacks_room(end, statement.device_names) for end in failed_ends(statement))


def _waited_in_vain(failure: BaseException | None) -> bool:
    """Tell whether the check waited for a server in vain, whatever was told of it afterwards."""
    return failure is not None and (isinstance(failure, WaitedInVain) or _waited_in_vain(failure.__cause__))
