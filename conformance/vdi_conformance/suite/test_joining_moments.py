"""OpenInSecondaryEx at moments that are rare: while the server configures, after polls, early aborts, many others."""

import time

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import in_turn
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT

SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""
A_WHILE = 2_000
"""So many milliseconds, before scaling, a death may take to be noticed."""
GUESTS = 100
"""So often a process joins and leaves."""


@judges("SEC-02")
def test_a_set_cannot_be_joined_while_its_server_configures_it(stage: Stage) -> None:
    _join_while_configuring(stage, Geometry(owners=(1,)))


@judges("SEC-26")
def test_the_older_form_cannot_join_a_set_while_its_server_configures_it(stage: Stage) -> None:
    stage.need_default_instance()
    _join_while_configuring(stage, Geometry(owners=(1,), older=True))


def _join_while_configuring(stage: Stage, geometry: Geometry) -> None:
    scripted = stage.scripted_created(geometry)
    early = stage.participant("early secondary")
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


@judges("SEC-01")
def test_a_primary_that_polled_can_be_joined(stage: Stage, kind: Kind) -> None:
    operation = stage.created(kind, Geometry(owners=(1,)))
    for _ in range(3):
        operation.primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    operation.configure()
    for _ in range(3):
        operation.primary.get_configuration(SHORT).expect(NOERROR)
    operation.join_all()
    operation.open_devices()
    operation.succeed()


@in_turn("older", [False, True], ["newer", "older"])
@judges("SEC-05", "SEC-26")
def test_a_set_that_aborts_before_its_devices_are_open_cannot_be_joined(stage: Stage, kind: Kind, older: bool) -> None:
    stage.need_default_instance()
    operation = stage.configured(kind, Geometry(older=older))
    operation.primary.signal_abort().expect(NOERROR)
    operation.primary.await_abort()
    operation.join(stage.participant("late secondary")).expect(VD_E_ABORT)
    operation.require_failure()


@in_turn("older", [False, True], ["newer", "older"])
@judges("SEC-05", "SEC-26")
def test_a_set_that_a_close_aborted_cannot_be_joined(stage: Stage, kind: Kind, older: bool) -> None:
    stage.need_default_instance()
    operation = stage.operation(kind, Geometry(devices=2, owners=(0, 1), older=older))
    operation.next_data_command(1)
    operation.secondaries[0].close().permit("Q35", "Close of a secondary that holds a command", VD_E_OPEN, NOERROR)
    operation.device.await_abort()
    operation.join(stage.participant("late secondary")).expect(VD_E_ABORT)


@judges("SEC-23")
def test_a_process_comes_and_goes_very_often(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(transfers=8))
    command = operation.next_data_command()
    handle = handle_of(command)
    guest = stage.participant("guest")
    for _ in range(GUESTS):
        operation.join(guest).expect(NOERROR)
        mapped_view(guest, handle)
        guest.close().expect(NOERROR)
    operation.join(guest).expect(NOERROR)
    require_same_memory(command.size, fetched_view(command), mapped_view(guest, handle), seed=stage.seed)
    guest.close().expect(NOERROR)
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("SEC-14")
def test_the_death_of_a_primary_ends_each_of_its_sets(stage: Stage, kind: Kind) -> None:
    first, sets = _three_sets(stage, kind)
    first.primary.kill()
    _require_aborted(sets)


@judges("SEC-16")
def test_the_exit_of_a_primary_ends_each_of_its_sets(stage: Stage, kind: Kind) -> None:
    first, sets = _three_sets(stage, kind)
    first.primary.leave()
    _require_aborted(sets)


def _three_sets(stage: Stage, kind: Kind) -> tuple[Operation, list[Operation]]:
    geometry = Geometry(devices=2, owners=(1, 0))
    first = stage.operation(kind, geometry)
    sets = [first, stage.twin(first, kind, geometry), stage.twin(first, "backup", geometry)]
    for one in sets:
        one.next_data_command()
    return first, sets


def _require_aborted(sets: list[Operation]) -> None:
    for one in sets:
        while (result := one.device.get_command(one.primary.scaled(A_WHILE))).succeeded:
            pass
        result.require(VD_E_ABORT)
        one.require_failure()


@judges("SEC-14")
def test_the_death_of_a_primary_ends_the_configuration(stage: Stage) -> None:
    scripted = stage.scripted_created()
    scripted.begin_configuration()
    scripted.primary.kill()
    end = time.monotonic() + stage.scaled(A_WHILE) / 1000
    while (result := scripted.server.get_configuration()).succeeded and time.monotonic() < end:
        pass
    result.require(VD_E_ABORT)


@judges("SEC-14")
def test_the_death_of_a_primary_ends_its_second_set(stage: Stage, kind: Kind) -> None:
    first = stage.operation(kind, Geometry(owners=(1,)))
    first.succeed()
    second = stage.again(first)
    second.next_data_command()
    second.primary.kill()
    second.device.await_abort()
    second.require_failure()
