"""What becomes of mapped memory when the set aborts, or when a process closes or dies."""

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.memory import Seeded
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import View, fetched_view, handle_of, mapped_view, require_same_contents
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_OPEN, VD_E_PROTOCOL

ABORTS = pytest.mark.parametrize("by", ["fetcher", "mapper", "third process", "death of the primary"])


def _abort(operation: Operation, by: str) -> None:
    """End the set; secondary 1 fetched, secondary 2 maps."""
    fetcher, mapper, third = operation.secondaries
    match by:
        case "fetcher":
            fetcher.signal_abort().expect(NOERROR)
        case "mapper":
            mapper.signal_abort().expect(NOERROR)
        case "third process":
            third.signal_abort().expect(NOERROR)
        case _:
            operation.primary.kill()
    third.devices[0].await_abort()


@ABORTS
@judges("MBH-10")
def test_mapping_after_an_abort_fails_cleanly_at_worst(stage: Stage, by: str) -> None:
    operation = stage.backup(Geometry(devices=2, owners=(1, 3), secondaries=3))
    command = operation.next_data_command()
    handle = handle_of(command)
    stage.fill(fetched_view(command), command.size, 1)
    _abort(operation, by)
    mapper = operation.secondaries[1]
    result = mapper.map_buffer_handle(handle)
    codes = (NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_PROTOCOL)
    if result.permit("Q39", "MapBufferHandle after an abort", *codes) == NOERROR:
        view = View(mapper, result.expect(NOERROR))
        require_same_contents(command.size, fetched_view(command), view)


@ABORTS
@judges("MBH-21")
def test_mapped_memory_outlives_an_abort(stage: Stage, by: str) -> None:
    operation = stage.restore(Geometry(devices=2, owners=(1, 3), secondaries=3))
    command = operation.next_data_command()
    view = mapped_view(operation.secondaries[1], handle_of(command))
    _abort(operation, by)
    _use(view, command.size)
    operation.secondaries[1].close().permit("Q4", "Close after an abort, devices of others open", NOERROR, VD_E_OPEN)


@pytest.mark.parametrize("end", ["closes", "is killed"])
@judges("MBH-22")
def test_mapped_memory_outlives_the_fetcher(stage: Stage, kind: Kind, end: str) -> None:
    operation = stage.operation(kind, Geometry(owners=(1,), secondaries=2))
    command = operation.next_data_command()
    fetcher, mapper = operation.secondaries
    view = mapped_view(mapper, handle_of(command))
    if end == "closes":
        fetcher.close().permit("Q35", "Close of a secondary that holds a command", VD_E_OPEN, NOERROR)
    else:
        fetcher.kill()
    _use(view, command.size)
    mapper.close().permit("Q4", f"Close after the fetcher {end}, its device open", NOERROR, VD_E_OPEN)


@pytest.mark.parametrize("owner", [0, 1], ids=["primary", "secondary"])
@judges("MBH-03")
def test_a_closed_set_maps_nothing_in_any_process(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(owners=(owner,), secondaries=1))
    command = operation.next_data_command()
    handle = handle_of(command)
    for participant in operation.participants:
        mapped_view(participant, handle)
    operation.answer(command).expect(NOERROR)
    operation.succeed()
    for participant in operation.participants:
        participant.map_buffer_handle(handle).expect(VD_E_PROTOCOL)


def _use(view: View, size: int) -> None:
    view.process.fill(view.address, Seeded(7), size)
    expected = view.process.digest(view.address, size)
    view.process.fill(view.address, Seeded(8), size)
    assert view.process.digest(view.address, size) != expected, "what was stored does not show"
