"""Close: what it gives, what becomes of the statement, and what it leaves behind."""

from itertools import pairwise
from typing import Final

import pytest

from vdi_conformance.host.resources import Resources, resources_of
from vdi_conformance.suite.judging import ConformanceFailure, judges, not_tested
from vdi_conformance.suite.memory import PAGE
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import SET_THREAD, Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.states import Reached, State, aborted, aborted_in_use, created, fresh, require_state
from vdi_conformance.suite.variants import ALONE_OR_NOT, in_turn
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_DISK_FULL
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

SETS: Final = 20
"""So many sets one after the other: what grows with most of the later ones grows without end."""
CONTROL: Final = 1 << 24


def _require_failure(operation: Operation) -> None:
    assert not operation.outcome().succeeded, f"the {operation.kind.upper()} succeeded although its set was closed"


def _require_free(name: str, *participants: Participant) -> None:
    """Create a set of that name with each of these objects in turn."""
    for participant in participants:
        participant.create_ex(None, name, VDConfig()).expect(NOERROR)
        participant.close().expect(NOERROR)


# What is kept


@pytest.mark.parametrize("in_use", [False, True], ids=["after the end", "in use"])
@judges("CLS-01", "CLS-04")
def test_close_keeps_no_handle_and_no_memory(stage: Stage, in_use: bool) -> None:
    found: list[Resources] = []
    for operation in stage.backups(Geometry(transfers=1), SETS):
        operation.configure()
        # One thread for all of them: a further one of the host's would take memory of its own.
        device = operation.primary.open_device(operation.set_name).expect(NOERROR)
        fetched = device.get_command(thread=SET_THREAD)
        while fetched.succeeded and not in_use:
            command = fetched.expect(NOERROR)
            count = command.size if command.code in DATA_COMMANDS else 0
            device.complete(command, 0, count, thread=SET_THREAD).expect(NOERROR)
            fetched = device.get_command(thread=SET_THREAD)
        operation.primary.close().require(*((VD_E_OPEN, NOERROR) if in_use else (NOERROR,)))
        device.release(SET_THREAD)
        operation.outcome()
        found.append(_resources(operation.primary))
    _require_seen(operation.primary, found[-1])
    for kept, least in (("handles", 1), ("mapped", PAGE)):
        grown = [getattr(later, kept) - getattr(one, kept) for one, later in pairwise(found[SETS // 2 :])]
        if sum(one >= least for one in grown) > len(grown) // 2 and sum(grown) > 0:
            what = "an open handle" if kept == "handles" else "mapped memory"
            raise ConformanceFailure(f"Close keeps {what}: with each further set there are {grown} more")


def _resources(participant: Participant) -> Resources:
    found = resources_of(participant.host.initialized.process.pid)
    if found is None:
        not_tested("nobody but itself can look into the process of the adapter: run it on this machine, as this user")
    return found


def _require_seen(participant: Participant, before: Resources) -> None:
    """End the check where memory that the process surely has does not show."""
    participant.allocate(CONTROL)
    if _resources(participant).mapped - before.mapped < CONTROL:
        not_tested("what the adapter's process has does not show from outside: run it on this machine, as this user")


# Without a server


@judges("CLS-02")
def test_who_has_no_set_has_nothing_to_close(stage: Stage) -> None:
    other = created(stage)
    at = Reached(stage, stage.beside(other.who), stage.name())
    for _ in range(2):
        at.who.close().expect(VD_E_PROTOCOL)
    require_state(at, State.DOES_NOT_EXIST)
    at.who.close().expect(VD_E_PROTOCOL)
    require_state(other, State.CONFIGURABLE)


@judges("CLS-05")
def test_a_set_that_no_server_has_found_is_closed(stage: Stage) -> None:
    at = created(stage)
    at.who.get_configuration(0).require(VD_E_TIMEOUT)
    at.who.close().expect(NOERROR)
    require_state(at, State.DOES_NOT_EXIST)
    _require_free(at.set_name, stage.participant("other client"))


@judges("CLS-07")
def test_a_set_that_was_aborted_before_its_server_came_is_closed(stage: Stage) -> None:
    at = aborted(stage)
    at.who.close().expect(NOERROR)
    require_state(at, State.DOES_NOT_EXIST)
    _require_free(at.set_name, at.who)


@judges("CLS-13")
def test_an_object_serves_one_set_after_the_other(stage: Stage) -> None:
    at = fresh(stage)
    for name in (at.set_name, at.set_name, stage.name()):
        at.who.create_ex(None, name, VDConfig()).expect(NOERROR)
        at.who.get_configuration(0).require(VD_E_TIMEOUT)
        if name != at.set_name:
            at.who.signal_abort().expect(NOERROR)
        at.who.close().expect(NOERROR)
    require_state(at, State.DOES_NOT_EXIST)


# After the end


@judges("CLS-01")
def test_after_the_end_close_frees_the_set(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=ALONE_OR_NOT[kind]))
    operation.succeed()
    _require_free(operation.set_name, *operation.participants, stage.participant("other client"))


@judges("CLS-08", "CLS-09")
def test_who_closes_first_leaves_a_statement_that_succeeds(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2))
    for command in operation.commands():
        operation.answer_any(command).expect(NOERROR)
    operation.primary.close().expect(NOERROR)
    operation.require_success(operation.outcome())


@judges("CLS-08", "CLS-09")
def test_close_comes_before_the_servers_own(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2))
    for device in range(2):
        assert scripted.passes(device, 1), "the set was aborted"
        scripted.close_device(device)
        scripted.devices[device].get_command().require(VD_E_CLOSE)
    scripted.primary.close().expect(NOERROR)
    scripted.server.close().expect(NOERROR)


@judges("CLS-19")
def test_a_close_in_good_order_says_nothing_of_the_statement(stage: Stage) -> None:
    operation = stage.backup()
    operation.device.complete(operation.next_data_command(), ERROR_DISK_FULL).expect(NOERROR)
    while (result := operation.device.get_command()).succeeded:
        operation.answer_any(result.expect(NOERROR)).expect(NOERROR)
    result.require(VD_E_CLOSE, VD_E_ABORT)
    if result.code == VD_E_ABORT:
        not_tested("the server answers a failed command with an abort")
    operation.primary.close().expect(NOERROR)
    assert not operation.outcome().succeeded, "the BACKUP succeeded although its medium was full"


# Before the end


@judges("CLS-06")
def test_a_close_before_any_device_is_open_ends_the_statement(stage: Stage) -> None:
    operation = stage.configured("backup")
    operation.primary.close().expect(NOERROR)
    require_state(Reached(stage, operation.primary, operation.set_name), State.DOES_NOT_EXIST)
    _require_failure(operation)


@in_turn("when", ["all open", "one of two open", "a command is held"])
@judges("CLS-03", "CLS-04")
def test_a_close_with_devices_open_ends_the_statement(stage: Stage, kind: Kind, when: str) -> None:
    operation = stage.configured(kind, Geometry(devices=2))
    for index in range(1 if when == "one of two open" else 2):
        operation.open_device(index)
    if when == "a command is held":
        operation.next_data_command()
    answer = operation.primary.close()
    answer.permit("Q3", f"Close with devices open, {when}", VD_E_OPEN, NOERROR)
    operation.primary.close().expect(VD_E_PROTOCOL)
    _require_failure(operation)
    _require_free(operation.set_name, stage.participant("other client"), operation.primary)
    stage.again(operation).succeed()


@judges("CLS-07")
def test_a_set_that_was_aborted_in_use_is_closed(stage: Stage) -> None:
    at = aborted_in_use(stage)
    answer = at.who.close()
    answer.permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    at.who.close().expect(VD_E_PROTOCOL)
    _require_failure(at.running)
    stage.again(at.running).succeed()


@judges("CLS-14")
def test_a_statement_that_comes_after_the_close_fails(stage: Stage) -> None:
    operation = stage.created("backup")
    operation.primary.close().expect(NOERROR)
    operation.execute()
    _require_failure(operation)


# Whatever others do


@judges("CLS-18")
def test_close_waits_for_nobody(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(devices=2, owners=(0, 1)))
    for device in range(2):
        scripted.send(scripted.allocate(), device=device)
        scripted.send(scripted.allocate(), device=device)
        scripted.devices[device].next_command()
    scripted.aborted = True
    for participant in scripted.participants:
        # No call of the server, nor one of another client, comes in between.
        participant.close().expect(VD_E_OPEN, NOERROR)
        participant.close().expect(VD_E_PROTOCOL)


@judges("CLS-11")
def test_a_device_may_be_released_after_close(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2))
    operation.succeed()
    for device in operation.devices:
        device.release()
    stage.again(operation).succeed()
