"""Tells a server that needs long from a library that loses what came; only for servers of which nothing is known."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from vdi_conformance.harness.device import BOUND_TO_COME
from vdi_conformance.harness.server_trouble import finds_no_set
from vdi_conformance.host.errors import HostError
from vdi_conformance.host.messages.server import StatementEnd
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.processes import Processes
    from vdi_conformance.harness.statement_run import StatementRun
    from vdi_conformance.harness.worker_session import WorkerSession

    Found = Literal["at once", "later", "nothing"]
    Ask = Callable[[int | None, str], PendingAnswer[Any, Result[Any]]]

TO_NOTICE: Final = 2.0
"""So many seconds, before scaling, a server that waits for its clients has to notice that they died."""


def slowness_of(statement: StatementRun, processes: Processes, session: WorkerSession) -> str | None:
    """Say that the server of a statement that still runs is slow; None where it waits for its clients.

    The call that waited in vain is made once more. A library that lost what had come finds it at once, a slow server
    brings it later. Where nothing comes, the clients are ended: a server that waits for them then ends its statement.
    """
    try:
        found = _asked_again(statement, session)
    except HostError:
        return None
    if found == "at once" or (found == "nothing" and _ends_with_its_clients(statement, processes, session)):
        return None
    limit = BOUND_TO_COME / 1000 * session.parties.timeout_scale
    return (
        f"the server is slower than the {limit:g} s that a call waits for it: its statement was under way for "
        f"{time.monotonic() - statement.began:.0f} s; stretch the limits with --timeout-scale"
    )


def _asked_again(statement: StatementRun, session: WorkerSession) -> Found:
    """Make the call again that waited in vain: at first without waiting, then for as long as what is bound to come."""
    asks = _calls(statement)
    polls = [ask(0, f"a look {number}").result().code for number, ask in enumerate(asks)]
    if NOERROR in polls:
        return "at once"
    asks = [ask for ask, code in zip(asks, polls, strict=True) if code == VD_E_TIMEOUT]
    if not asks:
        return "nothing"
    waits = [ask(None, f"a longer look {number}") for number, ask in enumerate(asks)]
    patience = BOUND_TO_COME / 1000 * session.parties.timeout_scale
    session.supervisor.wait_any([*(wait.pending for wait in waits), *statement.statements[-1:]], patience)
    return "later" if any(wait.done and wait.result().code == NOERROR for wait in waits) else "nothing"


def _calls(statement: StatementRun) -> Sequence[Ask]:
    """Give the calls that wait for what the server does next."""
    if statement.configured:
        return [partial(_ask_for_command, device) for device in statement.devices if not device.closed]
    return [partial(_ask_for_configuration, statement.primary)]


def _ask_for_configuration(primary: Client, timeout: int | None, thread: str) -> PendingAnswer[Any, Result[Any]]:
    return primary.send_get_configuration(timeout, thread=thread)


def _ask_for_command(device: Device, timeout: int | None, thread: str) -> PendingAnswer[Any, Result[Any]]:
    return device.send_get_command(timeout, thread=thread)


def _ends_with_its_clients(statement: StatementRun, processes: Processes, session: WorkerSession) -> bool:
    """End the clients; tell whether the server had been waiting for them, on the set that it had opened."""
    processes.kill_clients()
    under_way = statement.statements[-1]
    session.supervisor.wait_until(lambda: under_way.settled, TO_NOTICE * session.parties.timeout_scale)
    outcome = under_way.outcome
    if isinstance(outcome, StatementEnd) and not statement.configured:
        return not finds_no_set(outcome, statement.device_names)
    return under_way.settled
