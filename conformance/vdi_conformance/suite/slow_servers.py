"""Tells a server that needs long from a library that loses what came; only for servers of which nothing is known."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from vdi_conformance.host.errors import HostError
from vdi_conformance.host.messages.server import StatementEnd
from vdi_conformance.suite.device import BOUND_TO_COME
from vdi_conformance.suite.server_trouble import finds_no_set
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vdi_conformance.suite.bench import Bench
    from vdi_conformance.suite.device import Device
    from vdi_conformance.suite.operation import Operation
    from vdi_conformance.suite.outcomes import Later, Result
    from vdi_conformance.suite.participant import Participant
    from vdi_conformance.suite.processes import Processes

    Found = Literal["at once", "later", "nothing"]
    Ask = Callable[[int | None, str], Later[Any, Result[Any]]]

TO_NOTICE: Final = 2.0
"""So many seconds, before scaling, a server that waits for its clients has to notice that they died."""


def slowness_of(operation: Operation, processes: Processes, bench: Bench) -> str | None:
    """Say that the server of a statement that still runs is slow; None where it waits for its clients.

    The call that waited in vain is made once more. A library that lost what had come finds it at once, a slow server
    brings it later. Where nothing comes, the clients are ended: a server that waits for them then ends its statement.
    """
    try:
        found = _asked_again(operation, bench)
    except HostError:
        return None
    if found == "at once" or (found == "nothing" and _ends_with_its_clients(operation, processes, bench)):
        return None
    limit = BOUND_TO_COME / 1000 * bench.cast.timeout_scale
    return (
        f"the server is slower than the {limit:g} s that a call waits for it: its statement was under way for "
        f"{time.monotonic() - operation.began:.0f} s; stretch the limits with --timeout-scale"
    )


def _asked_again(operation: Operation, bench: Bench) -> Found:
    """Make the call again that waited in vain: at first without waiting, then for as long as what is bound to come."""
    asks = _calls(operation)
    polls = [ask(0, f"a look {number}").result().code for number, ask in enumerate(asks)]
    if NOERROR in polls:
        return "at once"
    asks = [ask for ask, code in zip(asks, polls, strict=True) if code == VD_E_TIMEOUT]
    if not asks:
        return "nothing"
    waits = [ask(None, f"a longer look {number}") for number, ask in enumerate(asks)]
    patience = BOUND_TO_COME / 1000 * bench.cast.timeout_scale
    bench.supervisor.wait_any([*(wait.pending for wait in waits), *operation.statements[-1:]], patience)
    return "later" if any(wait.done and wait.result().code == NOERROR for wait in waits) else "nothing"


def _calls(operation: Operation) -> Sequence[Ask]:
    """Give the calls that wait for what the server does next."""
    if operation.configured:
        return [partial(_ask_for_command, device) for device in operation.devices if not device.closed]
    return [partial(_ask_for_configuration, operation.primary)]


def _ask_for_configuration(primary: Participant, timeout: int | None, thread: str) -> Later[Any, Result[Any]]:
    return primary.send_get_configuration(timeout, thread=thread)


def _ask_for_command(device: Device, timeout: int | None, thread: str) -> Later[Any, Result[Any]]:
    return device.send_get_command(timeout, thread=thread)


def _ends_with_its_clients(operation: Operation, processes: Processes, bench: Bench) -> bool:
    """End the clients; tell whether the server had been waiting for them, on the set that it had opened."""
    processes.kill_clients()
    statement = operation.statements[-1]
    bench.supervisor.wait_until(lambda: statement.settled, TO_NOTICE * bench.cast.timeout_scale)
    outcome = statement.outcome
    if isinstance(outcome, StatementEnd) and not operation.configured:
        return not finds_no_set(outcome, operation.device_names)
    return statement.settled
