"""Client objects beside one another, what success looks like, and the order in which references are given up."""

import pytest

from vdi_conformance.suite.judging import judges, set_up
from vdi_conformance.suite.operation import Kind
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import fetched_view, mark, require_unchanged
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import RESTORE, in_turn
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN
from vdi_conformance.vdi.structures import VDConfig


@RESTORE
@judges("ABI-24")
def test_sets_of_one_process_run_at_once(stage: Stage, kind: Kind) -> None:
    one = stage.operation(kind)
    other = stage.twin(one, kind, Geometry(max_transfer_size=131072, block_size=1024))
    held = [operation.next_data_command() for operation in (one, other)]
    marked = [mark(fetched_view(command), command.size, stage.seed + n) for n, command in enumerate(held)]
    require_unchanged(*marked)
    for operation, command in zip((one, other), held, strict=True):
        operation.answer(command).expect(NOERROR)
    other.succeed()
    one.succeed()


@RESTORE
@judges("ABI-24")
def test_the_end_of_one_set_is_not_that_of_another(stage: Stage, kind: Kind) -> None:
    one = stage.operation(kind)
    other = stage.twin(one, kind)
    command = other.device.next_data_command()
    one.primary.signal_abort().expect(NOERROR)
    one.device.await_abort()
    other.answer(command).expect(NOERROR)
    other.succeed()


@judges("ABI-24")
def test_three_sets_of_one_process_have_nothing_in_common(stage: Stage) -> None:
    """Let sets of one process end one after the other, each in another way, and hold the last one to its own."""
    first = stage.backup(Geometry(max_transfer_size=131072, features=vdc.VDF_DISCARD))
    second = stage.twin(first, "backup", Geometry(block_size=1024))
    third = stage.prepared(Geometry(devices=2, prefix_zone_size=512), participants=[stage.beside(first.primary)])
    third.start()
    for one in (first, second, third):
        config = one.primary.get_configuration(0).expect(NOERROR)
        found = config.device_count, config.block_size, config.max_transfer_size, config.prefix_zone_size
        geometry = one.geometry
        asked = geometry.devices, geometry.block_size, geometry.max_transfer_size, geometry.prefix_zone_size
        assert found == asked, f"a set of {geometry} was configured as {config}"
    command = third.next_data_command()
    first.primary.close().require(NOERROR, VD_E_OPEN)
    first.primary.release()
    second.primary.signal_abort().expect(NOERROR)
    second.device.await_abort()
    third.answer(command).expect(NOERROR)
    third.succeed()


@judges("ABI-17")
def test_what_succeeds_without_having_to_gives_noerror_too(stage: Stage) -> None:
    """Make calls of which no document says whether they succeed: how they do is looked at where every check ends."""
    primary, second = stage.participant("primary"), stage.participant("second")
    odd = [VDConfig(features=bits) for bits in (vdc.VDF_REWIND, vdc.VDF_FILE_MARKS, 0x4, vdc.VDF_LATCH_STATS)]
    odd += [VDConfig(alignment=3), VDConfig(prefix_zone_size=1), VDConfig(block_size=3)]
    set_up(lambda: primary.create_ex(None, stage.name(), VDConfig()).expect(NOERROR))
    set_up(lambda: primary.close().expect(NOERROR))
    for config in odd:
        name = stage.name()
        primary.create_ex(None, name, config)
        second.create_ex(None, name.upper(), VDConfig())
        for participant in (primary, second):
            participant.get_configuration(0)
            participant.close()


@judges("ABI-28")
def test_codes_that_no_document_lists_for_a_method_are_recorded(stage: Stage) -> None:
    """Call everything on an object that has nothing open: codes that are not listed are recorded as in every check."""
    fresh = stage.participant("primary")
    for answer in (
        fresh.get_configuration(0),
        fresh.open_device(stage.name()),
        fresh.get_buffer_handle(fresh.allocate(512)),
        fresh.map_buffer_handle(1),
        fresh.signal_abort(),
        fresh.close(),
    ):
        answer.require_failure()


@in_turn("order", ["before Close", "after Close", "after a Close that aborts", "never"])
@judges("ABI-21", "LNX-10")
def test_a_device_is_released_at_any_time(stage: Stage, kind: Kind, order: str) -> None:
    operation = stage.operation(kind)
    device = operation.device
    if order == "after a Close that aborts":
        device.next_data_command()
        operation.primary.close()
        device.release()
        stage.again(operation).succeed()
        return
    end = operation.run_out()
    if order == "before Close":
        device.release()
    operation.close()
    if order == "after Close":
        device.release()
    operation.require_success(end)
    stage.again(operation).succeed()


@pytest.mark.parametrize("held", [False, True], ids=["nothing held", "a command held"])
@judges("ABI-23")
def test_a_set_that_is_released_without_a_close_keeps_no_server(stage: Stage, kind: Kind, held: bool) -> None:
    operation = stage.operation(kind)
    if held:
        operation.next_data_command()
    operation.device.release()
    operation.primary.release()
    operation.primary.leave()
    assert not operation.outcome().succeeded, "the statement succeeded although nobody completed its commands"
