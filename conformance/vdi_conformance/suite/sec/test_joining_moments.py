"""OpenInSecondaryEx at moments that are rare: while the server configures, after polls, early aborts, many others."""

import time

from vdi_conformance.harness.judging import judging, vdi_requirement
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
    """OpenInSecondaryEx gives VD_E_PROTOCOL until the server has ended the configuration of the set."""
    _join_while_configuring(testbed, Scenario(owners=(1,)))


@vdi_requirement("SEC-26")
def test_the_older_form_cannot_join_a_set_while_its_server_configures_it(testbed: Testbed) -> None:
    """OpenInSecondary gives VD_E_PROTOCOL until the server has ended the configuration of the set."""
    testbed.need_default_instance()
    _join_while_configuring(testbed, Scenario(owners=(1,), older=True))


def _join_while_configuring(testbed: Testbed, scenario: Scenario) -> None:
    scripted = testbed.scripted_created(scenario)
    early = testbed.client("early secondary")
    scripted.join(early).expect(VD_E_PROTOCOL)
    # That the primary asks, and waits, does not make the set ready.
    scripted.primary.get_configuration(SHORT).expect(VD_E_TIMEOUT, by="CFG-02")
    scripted.join(early).expect(VD_E_PROTOCOL)
    waiting = scripted.primary.send_get_configuration(thread="waiter")
    scripted.begin_configuration()
    for _ in range(2):
        scripted.join(early).expect(VD_E_PROTOCOL)
    scripted.request_buffers(1)
    scripted.join(early).expect(VD_E_PROTOCOL)
    scripted.end_configuration()
    waiting.result().expect(NOERROR, by="CFG-01")
    scripted.join_all()
    scripted.open_devices()


@vdi_requirement("SEC-01")
def test_a_primary_that_polled_can_be_joined(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx gives NOERROR after a GetConfiguration of the primary that had timed out several times."""
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
    """OpenInSecondary(Ex) gives VD_E_ABORT after a SignalAbort that came before any device was open."""
    testbed.need_default_instance()
    statement = testbed.configured(kind, Scenario(older=older))
    with judging("ABT-03"):
        statement.primary.signal_abort().expect(NOERROR)
        statement.primary.await_abort()
    with judging("SEC-26" if older else "SEC-05"):
        statement.join(testbed.client("late secondary")).expect(VD_E_ABORT)
    with judging("ABT-03"):
        statement.require_failure()


@alternating_direction("older", [False, True], ["newer", "older"])
@vdi_requirement("SEC-05", "SEC-26")
def test_a_set_that_a_close_aborted_cannot_be_joined(testbed: Testbed, kind: Kind, older: bool) -> None:
    """OpenInSecondary(Ex) gives VD_E_ABORT after the set was aborted by a secondary's Close with a device open."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1), older=older))
    statement.next_data_command(1)
    with judging("CLS-16"):
        statement.secondaries[0].close().permit("Q35", "Close of a secondary that holds a command", VD_E_OPEN, NOERROR)
        statement.device.await_abort()
    with judging("SEC-26" if older else "SEC-05"):
        statement.join(testbed.client("late secondary")).expect(VD_E_ABORT)


@vdi_requirement("SEC-23")
def test_a_process_comes_and_goes_very_often(testbed: Testbed, kind: Kind) -> None:
    """One process can join an active set, map a buffer and close again a hundred times over."""
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
    """The death of a primary gives VD_E_ABORT in the secondaries of each of its sets, and fails the statements."""
    first, sets = _three_sets(testbed, kind)
    first.primary.kill()
    _require_aborted(sets)


@vdi_requirement("SEC-16")
def test_the_exit_of_a_primary_ends_each_of_its_sets(testbed: Testbed, kind: Kind) -> None:
    """The exit of a primary without Close gives VD_E_ABORT in the secondaries of each of its sets."""
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
    """The death of a primary gives VD_E_ABORT to a server that is configuring its set."""
    scripted = testbed.scripted_created()
    scripted.begin_configuration()
    scripted.primary.kill()
    end = time.monotonic() + testbed.scaled(A_WHILE) / 1000
    while (result := scripted.server.get_configuration()).succeeded and time.monotonic() < end:
        pass
    result.expect(VD_E_ABORT)


@vdi_requirement("SEC-14")
def test_the_death_of_a_primary_ends_its_second_set(testbed: Testbed, kind: Kind) -> None:
    """The death of a primary aborts its current set as well when it had served another one before."""
    first = testbed.statement(kind, Scenario(owners=(1,)))
    first.succeed()
    second = testbed.again(first)
    second.next_data_command()
    second.primary.kill()
    second.device.await_abort()
    second.require_failure()
