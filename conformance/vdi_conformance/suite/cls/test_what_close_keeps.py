"""What Close keeps of a set: nothing, however often sets are made, shared, ended and closed."""

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import pytest

from vdi_conformance.harness.client import SET_THREAD, Client
from vdi_conformance.harness.device import GET_COMMAND, Device, Fetched
from vdi_conformance.harness.judging import Needed, vdi_requirement
from vdi_conformance.harness.kept import ROUNDS, Kept
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE, VD_E_OPEN
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.harness.expectations import PendingAnswer

Ending = Literal["after the end", "in use", "aborted"]
CALLS: Final = 2
"""So often a handle is asked for and mapped."""
NO_HANDLE: Final = 0xDEADBEEF


class Way(NamedTuple):
    """How a set comes to its Close, how many secondaries share it, and who of the clients has its device."""

    ending: Ending
    secondaries: int = 0
    owner: int = 0


WAYS: Final = {
    "after the end": Way("after the end"),
    "in use": Way("in use"),
    "after the end, of the primary": Way("after the end", 1),
    "after the end, of a secondary": Way("after the end", 1, 1),
    "in use, of a secondary": Way("in use", 1, 1),
    "aborted, of the primary": Way("aborted", 1),
}


@pytest.mark.parametrize("how", list(WAYS))
@vdi_requirement("CLS-01", "CLS-04")
def test_close_keeps_no_handle_and_no_memory(testbed: Testbed, how: str) -> None:
    """Close frees handles, threads, mappings and shared memory of a set, also where it was in use or aborted."""
    way = WAYS[how]
    scenario = Scenario(transfers=1, owners=(way.owner,), secondaries=way.secondaries)
    clients = testbed.clients(scenario)
    kept = Kept(testbed.session, clients)
    for statement in testbed.backups(scenario, ROUNDS, clients):
        _run(testbed, statement, way, kept)
        if kept.end_round():
            break
    kept.require_nothing("Close", "CLS-01" if way.ending == "after the end" else "CLS-04")


def _run(testbed: Testbed, statement: StatementRun, way: Way, kept: Kept) -> None:
    """Run a statement to its end, or to its first transfer, and close everything."""
    statement.configure()
    statement.join_all()
    statement.open_device(0)
    device = statement.device
    for client in statement.clients:
        _ask_in_vain(client, statement.set_name)
    fetched = _next(device)
    while fetched is not None and (way.ending == "after the end" or fetched.code not in DATA_COMMANDS):
        if not device.stream_offset:
            _share(statement, fetched)
        size = fetched.size if fetched.code in DATA_COMMANDS else 0
        device.complete(fetched, 0, size).expect(NOERROR, by=Needed("CMP-01"))
        fetched = _next(device)
    if fetched is not None:
        _share(statement, fetched)
    kept.look()
    if way.ending == "aborted":
        device.client.send_signal_abort(SET_THREAD).result().expect(NOERROR, by=Needed("ABT-01"))
    _close(statement, way)
    device.release()
    statement.outcome()
    for client in statement.clients:
        _ask_closed(testbed, client)


def _next(device: Device) -> Fetched | None:
    """Fetch the next command, None at the end."""
    result = device.get_command()
    result.expect(NOERROR, VD_E_CLOSE, by=GET_COMMAND)
    return result.value if result.succeeded else None


def _share(statement: StatementRun, command: Fetched) -> None:
    """Ask for the handle of a buffer and map it in every process, several times; whatever that gives."""
    if command.code not in DATA_COMMANDS:
        return
    for _ in range(CALLS):
        handle = command.device.client.get_buffer_handle(command.buffer)
        if handle.value is not None and handle.succeeded:
            for client in statement.clients:
                client.map_buffer_handle(handle.value)


def _close(statement: StatementRun, way: Way) -> None:
    """Close every client, the secondaries first."""
    in_order = way.ending == "after the end"
    for secondary in reversed(statement.secondaries):
        secondary.close().expect(NOERROR, *(() if in_order else (VD_E_OPEN,)), by=Needed("SEC-18"))
    if in_order:
        statement.primary.close().expect(NOERROR, by="CLS-01")
    else:
        statement.primary.close().expect(NOERROR, VD_E_OPEN, by=Needed("CLS-03"))


def _ask_in_vain(client: Client, name: str) -> None:
    """Make calls on a set in use that are refused; with what is judged elsewhere."""
    nowhere = client.outside_addresses().unmapped
    calls: list[PendingAnswer[Any, Any]] = [
        client.send_create_ex(None, name, VDConfig()),
        client.send_open_device(""),
        client.send_get_buffer_handle(nowhere),
        client.send_map_buffer_handle(NO_HANDLE),
    ]
    for call in calls:
        call.result()


def _ask_closed(testbed: Testbed, client: Client) -> None:
    """Make calls on an object that has closed its set; with what they are refused is judged elsewhere."""
    calls: list[PendingAnswer[Any, Any]] = [
        client.send_close(),
        client.send_open_device("device"),
        client.send_get_configuration(0),
        client.send_map_buffer_handle(NO_HANDLE),
    ]
    if testbed.session.parties.limits.joining:
        calls.append(client.send_open_in_secondary_ex(None, testbed.name()))
    for call in calls:
        call.result()
