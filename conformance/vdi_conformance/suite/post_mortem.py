"""What a check may have failed for beside its library: a server in trouble, no room for buffers.

Deaths, hangs and codes that no server can bring about are the library's, whatever the server says.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, Final

from vdi_conformance.host.errors import ImplementationUnavailable
from vdi_conformance.host.messages.server import StatementEnd
from vdi_conformance.suite import server_trouble
from vdi_conformance.suite.judging import ConformanceFailure, NotTested, WaitedInVain
from vdi_conformance.suite.slow_servers import slowness_of
from vdi_conformance.vdi.hresult import VD_E_ABORT, VD_E_CLOSE, VD_E_MEMORY, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vdi_conformance.host.messages.base import Reply
    from vdi_conformance.suite.bench import Bench
    from vdi_conformance.suite.operation import Operation
    from vdi_conformance.suite.processes import Processes

TO_SAY_WHY: Final = 1.0
"""So many seconds, before scaling, a server has to say why it could not try a statement, when the check has failed."""
_NO_MEMORY: Final = name_of(VD_E_MEMORY)
_NOTHING_CAME: Final = name_of(VD_E_TIMEOUT)
_BY_A_SERVER: Final = frozenset({"failure", _NO_MEMORY, _NOTHING_CAME, name_of(VD_E_ABORT), name_of(VD_E_CLOSE)})
"""What a server in trouble can have to do with: how its statement ends, and the codes that its clients get then."""


def other_cause(
    failure: BaseException, bench: Bench, processes: Processes, operations: Sequence[Operation]
) -> BaseException | None:
    """Give what the check ended in, if that is not the library's doing; its processes must still be there."""
    observed = failure.observed if isinstance(failure, ConformanceFailure) else None
    in_vain = _waited_in_vain(failure)
    if not in_vain and observed not in _BY_A_SERVER:
        return None
    _await_ends(bench, operations)
    if observed == _NO_MEMORY or any(_lacked_room(one) for one in operations):
        return _no_room(str(failure), bench, operations)
    found = _first_trouble(bench, operations)
    if found is None and not bench.cast.server_is_known and (in_vain or observed == _NOTHING_CAME):
        slow = (slowness_of(one, processes, bench) for one in operations if one.statements and not one.ended)
        sentence = next((told for told in slow if told is not None), None)
        found = _first_trouble(bench, operations) or (None if sentence is None else NotTested(sentence))
    return found


def require_a_verdict(bench: Bench, operations: Sequence[Operation]) -> None:
    """End a check that passed as not tested, where a statement failed for what has nothing to do with its set."""
    if bench.cast.server_is_known:
        return
    for operation in operations:
        for end in _ends(operation):
            told = any(message.number not in server_trouble.LAST_WORDS for message in end.messages)
            sentence = server_trouble.before_the_set(end, operation.device_names)
            if told and sentence is not None and not operation.configured:
                raise NotTested(sentence)


def _await_ends(bench: Bench, operations: Sequence[Operation]) -> None:
    statements = [pending for operation in operations for pending in operation.statements]
    patience = TO_SAY_WHY * bench.cast.timeout_scale
    bench.supervisor.wait_until(lambda: all(pending.settled for pending in statements), patience)


def _first_trouble(bench: Bench, operations: Sequence[Operation]) -> BaseException | None:
    outcomes = ((one, pending.outcome) for one in operations if not one.must_miss for pending in one.statements)
    reasons = (_trouble(one, outcome, bench.cast.server_is_known) for one, outcome in outcomes)
    return next((reason for reason in reasons if reason is not None), None)


def _trouble(operation: Operation, outcome: object, known: bool) -> BaseException | None:
    """Give what a statement failed for, if that is the server's; a known server never fails to open a set."""
    names = operation.device_names
    if isinstance(outcome, ImplementationUnavailable):
        return None if known and operation.configured else outcome
    if not isinstance(outcome, StatementEnd):
        return None
    if operation.configured:
        own = operation.kind == "backup" and not known
        sentence = server_trouble.of_its_own(outcome, names) if own else None
    else:
        sentence = server_trouble.before_the_set(outcome, names)
        if sentence is None and not known:
            sentence = server_trouble.at_the_set(outcome, names)
    return None if sentence is None else NotTested(sentence)


def _no_room(failure: str, bench: Bench, operations: Sequence[Operation]) -> BaseException | None:
    """Believe that there is no room where it can be seen, or where a server says so that is not known."""
    needed = max((one.pool_size for one in operations), default=0)
    free, place = min((shutil.disk_usage(place).free, place) for place in (bench.directory, tempfile.gettempdir()))
    if free < needed:
        return NotTested(
            f"there is no room for the buffers: {free} bytes are free in {place}, and up to {needed} are needed; make "
            f"room there, or let TMPDIR name another directory, then run again ({failure})"
        )
    return None if bench.cast.server_is_known else _first_trouble(bench, operations)


def _ends(operation: Operation) -> Iterator[StatementEnd]:
    outcomes: list[Reply | Exception | None] = [pending.outcome for pending in operation.statements]
    return (outcome for outcome in outcomes if isinstance(outcome, StatementEnd))


def _lacked_room(operation: Operation) -> bool:
    return any(server_trouble.lacks_room(end, operation.device_names) for end in _ends(operation))


def _waited_in_vain(failure: BaseException | None) -> bool:
    """Tell whether the check waited for a server in vain, whatever was told of it afterwards."""
    return failure is not None and (isinstance(failure, WaitedInVain) or _waited_in_vain(failure.__cause__))
