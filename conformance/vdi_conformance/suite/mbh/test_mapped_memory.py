"""What becomes of mapped memory when the set aborts, or when a process closes or dies."""

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_same_contents,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN, VD_E_PROTOCOL

ABORTS = pytest.mark.parametrize("by", ["fetcher", "mapper", "third process", "death of the primary"])


def _abort(statement: StatementRun, by: str) -> None:
    """End the set; secondary 1 fetched, secondary 2 maps."""
    fetcher, mapper, third = statement.secondaries
    match by:
        case "fetcher":
            fetcher.signal_abort().expect(NOERROR)
        case "mapper":
            mapper.signal_abort().expect(NOERROR)
        case "third process":
            third.signal_abort().expect(NOERROR)
        case _:
            statement.primary.kill()
    third.devices[0].await_abort()


@ABORTS
@vdi_requirement("MBH-10")
def test_mapping_after_an_abort_fails_cleanly_at_worst(testbed: Testbed, by: str) -> None:
    """MapBufferHandle for a buffer held at an abort gives its memory, or fails with a code made for that."""
    statement = testbed.backup(Scenario(devices=2, owners=(1, 3), secondaries=3))
    command = statement.next_data_command()
    handle = handle_of(command)
    testbed.fill(fetched_view(command), command.size, 1)
    _, mapper, third = statement.secondaries
    require_same_contents(command.size, fetched_view(command), mapped_view(third, handle))
    _abort(statement, by)
    result = mapper.map_buffer_handle(handle)
    codes = (NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    if result.permit("Q39", "MapBufferHandle after an abort", *codes) == NOERROR:
        view = BufferView(mapper, result.expect(NOERROR))
        with judging("MBH-10"):
            require_same_contents(command.size, fetched_view(command), view)


@ABORTS
@vdi_requirement("MBH-21")
def test_mapped_memory_outlives_an_abort(testbed: Testbed, by: str) -> None:
    """An address mapped before an abort can be read and written until the mapping process closes."""
    statement = testbed.restore(Scenario(devices=2, owners=(1, 3), secondaries=3))
    command = statement.next_data_command()
    view = mapped_view(statement.secondaries[1], handle_of(command))
    _abort(statement, by)
    mapper = statement.secondaries[1]
    mapper.await_abort()  # what a process takes away, it may take when it learns of the abort
    with judging("MBH-21"):
        _use(view, command.size)
    mapper.close().permit("Q4", "Close after an abort, devices of others open", NOERROR, VD_E_OPEN)


SERVER_ENDS = pytest.mark.parametrize("end", ["SignalAbort", "death"])


@SERVER_ENDS
@vdi_requirement("MBH-10")
def test_mapping_after_an_abort_by_the_server_fails_cleanly_at_worst(testbed: Testbed, end: str) -> None:
    """MapBufferHandle for a buffer held when the server ended the set gives its memory, or fails with a code for it."""
    scripted, mapper, command = _held_elsewhere(testbed)
    handle = handle_of(command)
    testbed.fill(fetched_view(command), command.size, 1)
    require_same_contents(command.size, fetched_view(command), mapped_view(mapper, handle))
    _end_by_the_server(scripted, end)
    for one in (mapper, scripted.primary):
        result = one.map_buffer_handle(handle)
        codes = (NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
        if result.permit("Q39", f"MapBufferHandle after the server's {end}", *codes) == NOERROR:
            view = BufferView(one, result.expect(NOERROR))
            with judging("MBH-10"):
                require_same_contents(command.size, fetched_view(command), view)


def _held_elsewhere(testbed: Testbed) -> tuple[ScriptedSet, Client, Fetched]:
    """Have a secondary hold a command; the second one is to map its buffer."""
    scripted = testbed.scripted(Scenario(owners=(1,), secondaries=2))
    scripted.send(scripted.allocate())
    return scripted, scripted.secondaries[1], scripted.device.next_command()


def _end_by_the_server(scripted: ScriptedSet, end: str) -> None:
    """End the set, and see every process learn of it."""
    if end == "death":
        scripted.kill()
    else:
        scripted.signal_abort()
    for client in scripted.clients:
        client.await_abort()


@vdi_requirement("MBH-21")
def test_mapped_memory_outlives_a_close_that_aborts(testbed: Testbed, kind: Kind) -> None:
    """An address mapped before another process closed with its device open can be read and written."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 3), secondaries=3))
    command = statement.next_data_command()
    view = mapped_view(statement.secondaries[1], handle_of(command))
    statement.secondaries[2].close().permit("Q35", "Close of a secondary with a device open", VD_E_OPEN, NOERROR)
    statement.secondaries[1].await_abort()
    with judging("MBH-21"):
        _use(view, command.size)


@pytest.mark.parametrize("end", ["closes", "is killed"])
@vdi_requirement("MBH-22")
def test_mapped_memory_outlives_the_fetcher(testbed: Testbed, kind: Kind, end: str) -> None:
    """A mapped address can be read and written after the process that fetched the command has closed or died."""
    statement = testbed.statement(kind, Scenario(owners=(1,), secondaries=2))
    command = statement.next_data_command()
    fetcher, mapper = statement.secondaries
    view = mapped_view(mapper, handle_of(command))
    if end == "closes":
        fetcher.close().permit("Q35", "Close of a secondary that holds a command", VD_E_OPEN, NOERROR)
    else:
        fetcher.kill()
    # What a process takes away, it may take when it learns of the end; a death may go unnoticed (Q62).
    if end == "closes":
        mapper.await_abort()
    else:
        mapper.get_configuration(0).expect(NOERROR, VD_E_ABORT)
    with judging("MBH-22"):
        _use(view, command.size)
    mapper.close().permit("Q4", f"Close after the fetcher {end}, its device open", NOERROR, VD_E_OPEN)


def _use(view: BufferView, size: int) -> None:
    view.process.fill(view.address, Seeded(7), size)
    expected = view.process.digest(view.address, size)
    view.process.fill(view.address, Seeded(8), size)
    assert view.process.digest(view.address, size) != expected, "what was stored does not show"
