"""Client objects beside one another, what success looks like, and the order in which references are given up."""

import pytest

from vdi_conformance.harness.judging import judging, set_up, vdi_requirement
from vdi_conformance.harness.parametrizations import RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, mark, require_unchanged
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN
from vdi_conformance.vdi.structures import VDConfig


@RESTORE
@vdi_requirement("ABI-24")
def test_sets_of_one_process_run_at_once(testbed: Testbed, kind: Kind) -> None:
    """Two objects of one process serve two statements at once, and each set has buffers of its own."""
    one = testbed.statement(kind)
    other = testbed.twin(one, kind, Scenario(max_transfer_size=131072, block_size=1024))
    held = [statement.next_data_command() for statement in (one, other)]
    marked = [mark(fetched_view(command), command.size, testbed.seed + n) for n, command in enumerate(held)]
    require_unchanged(*marked)
    for statement, command in zip((one, other), held, strict=True):
        statement.answer(command).expect(NOERROR)
    other.succeed()
    one.succeed()


@RESTORE
@vdi_requirement("ABI-24")
def test_the_end_of_one_set_is_not_that_of_another(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort of one set leaves another set of the same process working."""
    one = testbed.statement(kind)
    other = testbed.twin(one, kind)
    command = other.device.next_data_command()
    one.primary.signal_abort().expect(NOERROR)
    one.device.await_abort()
    other.answer(command).expect(NOERROR)
    other.succeed()


@vdi_requirement("ABI-24")
def test_three_sets_of_one_process_have_nothing_in_common(testbed: Testbed) -> None:
    """Each of several sets of one process has its own configuration, and goes on when others are closed or aborted."""
    first = testbed.backup(Scenario(max_transfer_size=131072, features=vdc.VDF_DISCARD))
    with judging("ABI-24"):
        second = testbed.twin(first, "backup", Scenario(block_size=1024))
        third = testbed.prepared(Scenario(devices=2, prefix_zone_size=512), clients=[testbed.beside(first.primary)])
        third.start()
    for one in (first, second, third):
        config = one.primary.get_configuration(0).expect(NOERROR)
        found = config.device_count, config.block_size, config.max_transfer_size, config.prefix_zone_size
        scenario = one.scenario
        asked = scenario.devices, scenario.block_size, scenario.max_transfer_size, scenario.prefix_zone_size
        assert found == asked, f"a set of {scenario} was configured as {config}"
    command = third.next_data_command()
    first.primary.close().expect(NOERROR, VD_E_OPEN)
    first.primary.release()
    second.primary.signal_abort().expect(NOERROR)
    second.device.await_abort()
    third.answer(command).expect(NOERROR)
    third.succeed()


@vdi_requirement("ABI-17")
def test_what_succeeds_without_having_to_gives_noerror_too(testbed: Testbed) -> None:
    """No client method returns a success code other than NOERROR, not even where it need not succeed."""
    # The codes of all calls are looked at where every check ends.
    primary, second = testbed.client("primary"), testbed.client("second")
    odd = [VDConfig(features=bits) for bits in (vdc.VDF_REWIND, vdc.VDF_FILE_MARKS, 0x4, vdc.VDF_LATCH_STATS)]
    odd += [VDConfig(alignment=3), VDConfig(prefix_zone_size=1), VDConfig(block_size=3)]
    set_up(lambda: primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR))
    set_up(lambda: primary.close().expect(NOERROR))
    for config in odd:
        name = testbed.name()
        primary.create_ex(None, name, config)
        second.create_ex(None, name.upper(), VDConfig())
        for client in (primary, second):
            client.get_configuration(0)
            client.close()


@vdi_requirement("ABI-28")
def test_codes_that_no_document_lists_for_a_method_are_recorded(testbed: Testbed) -> None:
    """Methods that need a set fail on a new object, and codes that no page lists for them are recorded."""
    fresh = testbed.client("primary")
    for answer in (
        fresh.get_configuration(0),
        fresh.open_device(testbed.name()),
        fresh.get_buffer_handle(fresh.allocate(512)),
        fresh.map_buffer_handle(1),
        fresh.signal_abort(),
        fresh.close(),
    ):
        answer.expect_failure()


@alternating_direction("order", ["before Close", "after Close", "after a Close that aborts", "never"])
@vdi_requirement("ABI-21", "LNX-10")
def test_a_device_is_released_at_any_time(testbed: Testbed, kind: Kind, order: str) -> None:
    """To release a device before Close, after Close or never is harmless: the next statement succeeds."""
    statement = testbed.statement(kind)
    # The clients of Linux close the set first, or never delete the device.
    with judging("LNX-10" if order in ("after Close", "never") else "ABI-21"):
        _end_and_release(statement, order)
        testbed.again(statement).succeed()


def _end_and_release(statement: StatementRun, order: str) -> None:
    device = statement.device
    if order == "after a Close that aborts":
        device.next_data_command()
        statement.primary.close()
        device.release()
        return
    end = statement.run_out()
    if order == "before Close":
        device.release()
    statement.close()
    if order == "after Close":
        device.release()
    statement.require_success(end)


@pytest.mark.parametrize("held", [False, True], ids=["nothing held", "a command held"])
@vdi_requirement("ABI-23")
def test_a_set_that_is_released_without_a_close_keeps_no_server(testbed: Testbed, kind: Kind, held: bool) -> None:
    """A statement ends when its set was released without Close and the process has exited."""
    statement = testbed.statement(kind)
    if held:
        statement.next_data_command()
    statement.device.release()
    statement.primary.release()
    statement.primary.leave()
    assert not statement.outcome().succeeded, "the statement succeeded although nobody completed its commands"
