"""OpenInSecondaryEx at moments that are rare: while the server configures, after polls, early aborts, many others."""

import time

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.parametrizations import alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT

SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""
A_WHILE = 2_000
"""So many milliseconds, before scaling, a death may take to be noticed."""
GUESTS = 100
"""So often a process joins and leaves."""


@vdi_requirement("SEC-02")
def test_a_set_cannot_be_joined_while_its_server_configures_it(testbed: Testbed) -> None:
    _join_while_configuring(testbed, Scenario(owners=(1,)))


@vdi_requirement("SEC-26")
def test_the_older_form_cannot_join_a_set_while_its_server_configures_it(testbed: Testbed) -> None:
    testbed.need_default_instance()
    _join_while_configuring(testbed, Scenario(owners=(1,), older=True))


def _join_while_configuring(testbed: Testbed, scenario: Scenario) -> None:
    scripted = testbed.scripted_created(scenario)
    early = testbed.client("early secondary")
    scripted.join(early).expect(VD_E_PROTOCOL)
    scripted.begin_configuration()
    for _ in range(2):
        scripted.join(early).expect(VD_E_PROTOCOL)
    scripted.request_buffers(1)
    scripted.join(early).expect(VD_E_PROTOCOL)
    scripted.end_configuration()
    scripted.primary.get_configuration().expect(NOERROR)
    scripted.join_all()
    scripted.open_devices()


@vdi_requirement("SEC-01")
def test_a_primary_that_polled_can_be_joined(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.created(kind, Scenario(owners=(1,)))
    for _ in range(3):
        statement.primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    statement.configure()
    for _ in range(3):
        statement.primary.get_configuration(SHORT).expect(NOERROR)
    statement.join_all()
    statement.open_devices()
    statement.succeed()


@alternating_direction("older", [False, True], ["newer", "older"])
@vdi_requirement("SEC-05", "SEC-26")
def test_a_set_that_aborts_before_its_devices_are_open_cannot_be_joined(
    testbed: Testbed, kind: Kind, older: bool
) -> None:
    testbed.need_default_instance()
    statement = testbed.configured(kind, Scenario(older=older))
    statement.primary.signal_abort().expect(NOERROR)
    statement.primary.await_abort()
    statement.join(testbed.client("late secondary")).expect(VD_E_ABORT)
    statement.require_failure()


@alternating_direction("older", [False, True], ["newer", "older"])
@vdi_requirement("SEC-05", "SEC-26")
def test_a_set_that_a_close_aborted_cannot_be_joined(testbed: Testbed, kind: Kind, older: bool) -> None:
    testbed.need_default_instance()
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1), older=older))
    statement.next_data_command(1)
    statement.secondaries[0].close().permit("Q35", "Close of a secondary that holds a command", VD_E_OPEN, NOERROR)
    statement.device.await_abort()
    statement.join(testbed.client("late secondary")).expect(VD_E_ABORT)


@vdi_requirement("SEC-23")
def test_a_process_comes_and_goes_very_often(testbed: Testbed, kind: Kind) -> None:
    statement = testbed.statement(kind, Scenario(transfers=8))
    command = statement.next_data_command()
    handle = handle_of(command)
    guest = testbed.client("guest")
    for _ in range(GUESTS):
        statement.join(guest).expect(NOERROR)
        mapped_view(guest, handle)
        guest.close().expect(NOERROR)
    statement.join(guest).expect(NOERROR)
    require_same_memory(command.size, fetched_view(command), mapped_view(guest, handle), seed=testbed.seed)
    guest.close().expect(NOERROR)
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_ends_each_of_its_sets(testbed: Testbed, kind: Kind) -> None:
    first, sets = _three_sets(testbed, kind)
    first.primary.kill()
    _require_aborted(sets)


@vdi_requirement("SEC-16")
def test_the_exit_of_a_primary_ends_each_of_its_sets(testbed: Testbed, kind: Kind) -> None:
    first, sets = _three_sets(testbed, kind)
    first.primary.leave()
    _require_aborted(sets)


def _three_sets(testbed: Testbed, kind: Kind) -> tuple[StatementRun, list[StatementRun]]:
    scenario = Scenario(devices=2, owners=(1, 0))
    first = testbed.statement(kind, scenario)
    sets = [first, testbed.twin(first, kind, scenario), testbed.twin(first, "backup", scenario)]
    for one in sets:
        one.next_data_command()
    return first, sets


def _require_aborted(sets: list[StatementRun]) -> None:
    for one in sets:
        while (result := one.device.get_command(one.primary.scaled(A_WHILE))).succeeded:
            pass
        result.expect(VD_E_ABORT)
        one.require_failure()


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_ends_the_configuration(testbed: Testbed) -> None:
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.primary.kill()
    end = time.monotonic() + testbed.scaled(A_WHILE) / 1000
    while (result := scripted.server.get_configuration()).succeeded and time.monotonic() < end:
        pass
    result.expect(VD_E_ABORT)


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_ends_its_second_set(testbed: Testbed, kind: Kind) -> None:
    first = testbed.statement(kind, Scenario(owners=(1,)))
    first.succeed()
    second = testbed.again(first)
    second.next_data_command()
    second.primary.kill()
    second.device.await_abort()
    second.require_failure()
