"""OpenInSecondaryEx and OpenInSecondary: who may join which set when, and what a refusal leaves behind."""

from dataclasses import replace

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

SECONDARIES = alternating_direction("secondaries", [1, 2, 8], ["1 secondary", "2 secondaries", "8 secondaries"])
ABORTERS = alternating_direction("by", ["primary", "secondary"])


# Joining


@SECONDARIES
@vdi_requirement("SEC-01")
def test_a_configured_set_can_be_joined(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    """OpenInSecondaryEx of other processes gives NOERROR after CreateEx and GetConfiguration of the primary."""
    _join_a_configured_set(testbed, kind, Scenario(secondaries=secondaries))


@SECONDARIES
@vdi_requirement("SEC-08")
def test_the_older_forms_create_and_join(testbed: Testbed, kind: Kind, secondaries: int) -> None:
    """OpenInSecondary of other processes gives NOERROR after Create and GetConfiguration of the primary."""
    testbed.need_default_instance()
    _join_a_configured_set(testbed, kind, Scenario(secondaries=secondaries, older=True))


def _join_a_configured_set(testbed: Testbed, kind: Kind, scenario: Scenario) -> None:
    """Join before any device is open; the last one to join is the only one that opens one."""
    statement = testbed.configured(kind, replace(scenario, owners=(scenario.secondaries,)))
    with judging("SEC-08" if scenario.older else "SEC-01"):
        statement.join_all()
    statement.open_devices()
    statement.succeed()


@vdi_requirement("SEC-01")
def test_a_set_in_full_use_can_be_joined(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx gives NOERROR while a command is held, whose buffer the process that joined can map."""
    statement = testbed.statement(kind, Scenario(transfers=6))
    for _ in range(4):
        command = statement.next_data_command()
        secondary = testbed.secondary(statement)
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@alternating_direction("older", ["Create", "OpenInSecondary"])
@vdi_requirement("SEC-08")
def test_the_older_forms_go_with_the_newer_ones(testbed: Testbed, kind: Kind, older: str) -> None:
    """OpenInSecondaryEx joins a set that Create made, and OpenInSecondary one that CreateEx made."""
    testbed.need_default_instance()
    statement = testbed.configured(kind, Scenario(older=older == "Create"))
    secondary = testbed.client("secondary")
    if older == "Create":
        secondary.open_in_secondary_ex(None, statement.set_name).expect(NOERROR)
    else:
        secondary.open_in_secondary(statement.set_name).expect(NOERROR)
    statement.devices.append(secondary.open_device(statement.set_name).expect(NOERROR))
    statement.run_out()
    secondary.close().expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())


# Not ready, open already, aborting


@RESTORE
@vdi_requirement("SEC-02")
def test_a_set_that_is_not_configured_cannot_be_joined(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx gives VD_E_PROTOCOL before the server has configured the set, and NOERROR after it."""
    _join_too_early(testbed, kind, Scenario())


@BACKUP
@vdi_requirement("SEC-26")
def test_the_older_form_cannot_join_a_set_that_is_not_configured(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondary gives VD_E_PROTOCOL before the server has configured the set, and NOERROR after it."""
    testbed.need_default_instance()
    _join_too_early(testbed, kind, Scenario(older=True))


def _join_too_early(testbed: Testbed, kind: Kind, scenario: Scenario) -> None:
    statement = testbed.created(kind, scenario)
    early = testbed.client("early secondary")
    for _ in range(2):
        statement.join(early).expect(VD_E_PROTOCOL)
    statement.configure()
    testbed.secondary(statement)
    statement.open_devices()
    statement.succeed()


@BACKUP
@vdi_requirement("SEC-03")
def test_a_second_join_of_one_object_is_refused(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx gives VD_E_PROTOCOL on an object that has joined a set, for this set or another one."""
    _join_twice(testbed, kind, Scenario(devices=2, owners=(1, 0), secondaries=2))


@alternating_direction("older", [False, True], ["OpenInSecondaryEx", "OpenInSecondary"])
@vdi_requirement("SEC-03", "SEC-26")
def test_who_joined_by_one_form_is_refused_by_the_other(testbed: Testbed, kind: Kind, older: bool) -> None:
    """OpenInSecondary(Ex) gives VD_E_PROTOCOL on an object that has joined by the other form."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, Scenario(secondaries=1, older=older))
    other = testbed.configured(kind)
    joined = statement.secondaries[0]
    for name in (statement.set_name, other.set_name):
        if older:
            joined.open_in_secondary_ex(None, name).expect(VD_E_PROTOCOL, by="SEC-03")
        else:
            joined.open_in_secondary(name).expect(VD_E_PROTOCOL, by="SEC-26")
    statement.succeed()
    other.open_devices()
    other.succeed()


@RESTORE
@vdi_requirement("SEC-26")
def test_a_second_join_by_the_older_form_is_refused(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondary gives VD_E_PROTOCOL on an object that has joined a set, for this set or another one."""
    testbed.need_default_instance()
    _join_twice(testbed, kind, Scenario(devices=2, owners=(1, 0), secondaries=2, older=True))


def _join_twice(testbed: Testbed, kind: Kind, scenario: Scenario) -> None:
    statement = testbed.statement(kind, scenario)
    other = testbed.configured(kind, scenario)
    secondary = statement.secondaries[0]
    for joined in statement.secondaries:
        statement.join(joined).expect(VD_E_PROTOCOL)
        other.join(joined).expect(VD_E_PROTOCOL)
    command = statement.next_data_command()
    statement.join(secondary).expect(VD_E_PROTOCOL)
    statement.answer(command).expect(NOERROR)
    statement.succeed()
    other.join_all()
    other.open_devices()
    other.succeed()


@BACKUP
@vdi_requirement("SEC-04")
def test_the_creating_object_cannot_join(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx and OpenInSecondary give VD_E_PROTOCOL on the object that created a set."""
    statement = testbed.statement(kind, Scenario(owners=(1,)))
    other = testbed.configured(kind)
    for name in (statement.set_name, other.set_name):
        statement.primary.open_in_secondary_ex(None, name).expect(VD_E_PROTOCOL)
        statement.primary.open_in_secondary(name).expect(VD_E_PROTOCOL)
    statement.succeed()


@ABORTERS
@vdi_requirement("SEC-05")
def test_an_aborting_set_cannot_be_joined(testbed: Testbed, kind: Kind, by: str) -> None:
    """OpenInSecondaryEx gives VD_E_ABORT after SignalAbort of the primary or of a secondary."""
    _join_after_an_abort(testbed, kind, by, Scenario(secondaries=1))


@ABORTERS
@vdi_requirement("SEC-26")
def test_the_older_form_cannot_join_an_aborting_set(testbed: Testbed, kind: Kind, by: str) -> None:
    """OpenInSecondary gives VD_E_ABORT after SignalAbort of the primary or of a secondary."""
    testbed.need_default_instance()
    _join_after_an_abort(testbed, kind, by, Scenario(secondaries=1, older=True))


def _join_after_an_abort(testbed: Testbed, kind: Kind, by: str, scenario: Scenario) -> None:
    statement = testbed.statement(kind, scenario)
    late = testbed.client("late secondary")
    (statement.primary if by == "primary" else statement.secondaries[0]).signal_abort().expect(NOERROR, by="ABT-01")
    with judging("CMD-08"):
        statement.device.await_abort()
    for _ in range(2):
        statement.join(late).expect(VD_E_ABORT)


@vdi_requirement("SEC-05")
def test_a_set_that_its_server_aborted_cannot_be_joined(testbed: Testbed) -> None:
    """OpenInSecondaryEx gives VD_E_ABORT after SignalAbort of the server."""
    scripted = testbed.scripted()
    scripted.signal_abort()
    scripted.device.await_abort()
    scripted.join(testbed.client("late secondary")).expect(VD_E_ABORT)


@vdi_requirement("SEC-05")
def test_a_set_whose_server_died_cannot_be_joined(testbed: Testbed) -> None:
    """OpenInSecondaryEx gives VD_E_ABORT when the set was aborted by the death of its server."""
    scripted = testbed.scripted(Scenario(owners=(1,)))
    scripted.kill()
    scripted.device.await_abort()
    scripted.primary.await_abort()
    scripted.join(testbed.client("late secondary")).expect(VD_E_ABORT)


@vdi_requirement("SEC-25")
def test_joining_before_the_primary_knows_the_configuration_is_observed(testbed: Testbed) -> None:
    """OpenInSecondaryEx before the primary's GetConfiguration of a configured set gives VD_E_PROTOCOL or NOERROR."""
    scripted = testbed.scripted_created(Scenario(secondaries=1))
    scripted.begin_configuration()
    scripted.end_configuration()
    secondary = scripted.secondaries[0]
    answer = scripted.join(secondary)
    subject = "OpenInSecondaryEx before the primary's GetConfiguration"
    if answer.permit("Q33", subject, VD_E_PROTOCOL, NOERROR) == VD_E_PROTOCOL:
        scripted.primary.get_configuration().expect(NOERROR, by="CFG-01")
        scripted.join(secondary).expect(NOERROR, by="SEC-27")


# What a refusal leaves


@pytest.mark.parametrize("then", ["creates", "joins"])
@pytest.mark.parametrize("refusal", ["unknown", "not ready", "aborting"])
@vdi_requirement("SEC-27")
def test_a_refused_join_leaves_the_object_as_it_was(testbed: Testbed, refusal: str, then: str) -> None:
    """After a failed OpenInSecondaryEx, Close gives VD_E_PROTOCOL, and the object can create a set or join one."""
    _join_in_vain(testbed, refusal, then, older=False)


@alternating_direction("refusal", ["unknown", "not ready", "aborting"])
@vdi_requirement("SEC-27")
def test_a_refused_join_by_the_older_form_leaves_the_object(testbed: Testbed, kind: Kind, refusal: str) -> None:
    """After a failed OpenInSecondary, Close gives VD_E_PROTOCOL, and the object can create a set or join one."""
    testbed.need_default_instance()
    _join_in_vain(testbed, refusal, "creates" if kind == "backup" else "joins", older=True)


def _join_in_vain(testbed: Testbed, refusal: str, then: str, older: bool) -> None:
    secondary = testbed.client("secondary")
    _refuse(testbed, secondary, refusal, older)
    secondary.close().expect(VD_E_PROTOCOL)
    secondary.get_configuration(0).expect(VD_E_PROTOCOL)
    if then == "creates":
        secondary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
    else:
        statement = testbed.backup()
        statement.join(secondary).expect(NOERROR)
        command = statement.next_data_command()
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    secondary.close().expect(NOERROR)


def _refuse(testbed: Testbed, secondary: Client, refusal: str, older: bool) -> None:
    scenario = Scenario(older=older)
    match refusal:
        case "unknown" if older:
            secondary.open_in_secondary(testbed.name()).expect_failure()
        case "unknown":
            secondary.open_in_secondary_ex(None, testbed.name()).expect_failure()
        case "not ready":
            testbed.created("backup", scenario).join(secondary).expect_failure()
        case _:
            aborted = testbed.backup(scenario)
            aborted.primary.signal_abort().expect(NOERROR)
            aborted.device.await_abort()
            aborted.join(secondary).expect_failure()


@BACKUP
@vdi_requirement("SEC-20")
def test_who_joined_cannot_create(testbed: Testbed, kind: Kind) -> None:
    """CreateEx and Create give VD_E_PROTOCOL on an object that joined a set."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(1, 0), secondaries=2))
    for secondary in statement.secondaries:
        for name in (statement.set_name, testbed.name()):
            secondary.create_ex(None, name, VDConfig()).expect(VD_E_PROTOCOL)
            secondary.create(name, VDConfig()).expect(VD_E_PROTOCOL)
    statement.succeed()


# Who comes and goes, more than usual, late


@vdi_requirement("SEC-19")
def test_more_processes_than_devices_join_at_once(testbed: Testbed) -> None:
    """More processes than there are devices can join a set at the same time; any that cannot gets a failure."""
    statement = testbed.backup(Scenario(devices=2, secondaries=1))
    crowd = [testbed.client(f"attendant {number}") for number in range(70)]
    asked = [one.send_open_in_secondary_ex(None, statement.set_name) for one in crowd]
    answers = [later.result() for later in asked]
    for answer in answers:
        if answer.code != NOERROR:
            answer.expect_failure()
    joined = [one for one, answer in zip(crowd, answers, strict=True) if answer.code == NOERROR]
    assert len(joined) > len(statement.devices), f"only {len(joined)} of {len(crowd)} secondaries could join"
    command = statement.next_data_command()
    handle = handle_of(command)
    view = mapped_view(statement.secondaries[0], handle)
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    with judging("SEC-19"):
        for one in joined:
            view = mapped_view(one, handle)
            assert one.digest(view.address, 512) == statement.primary.digest(command.buffer, 512), "it sees other bytes"
    statement.answer(command).expect(NOERROR)
    statement.run_out()
    for one in joined:
        one.close().expect(NOERROR, by="SEC-18")
    statement.close()
    statement.require_success(statement.outcome())


@RESTORE
@vdi_requirement("SEC-22")
def test_a_second_object_of_one_process_is_observed(testbed: Testbed, kind: Kind) -> None:
    """A second object in a process that has the set open fails to join, or can map its buffers (recorded)."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    command = statement.next_data_command()
    handle = handle_of(command)
    view = mapped_view(statement.secondaries[0], handle)
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    for client in statement.clients:
        second = testbed.beside(client)
        answer = statement.join(second)
        answer.observe("Q32", "OpenInSecondaryEx of a second object in a process that has the set open")
        if answer.code == NOERROR:
            with judging("SEC-22"):
                view = mapped_view(second, handle)
                require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
            second.close().expect(NOERROR)
        else:
            answer.expect_failure()
    statement.answer(command).expect(NOERROR)
    statement.succeed()


@BACKUP
@vdi_requirement("SEC-23")
def test_processes_come_and_go(testbed: Testbed, kind: Kind) -> None:
    """A secondary can join an active set and map its buffers after another one has joined and closed."""
    statement = testbed.statement(kind, Scenario(transfers=8))
    for _ in range(6):
        command = statement.next_data_command()
        secondary = testbed.client("guest")
        statement.join(secondary).expect(NOERROR)
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
        secondary.close().expect(NOERROR)
        statement.answer(command).expect(NOERROR, by="CMP-01")
    statement.succeed()


@RESTORE
@vdi_requirement("SEC-24")
def test_who_comes_after_the_end_finds_no_device(testbed: Testbed, kind: Kind) -> None:
    """After VD_E_CLOSE on every device OpenInSecondaryEx fails, or OpenDevice gives VD_E_PROTOCOL after it."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1)))
    statement.run_out()
    late = testbed.client("late secondary")
    answer = statement.join(late)
    if answer.code == NOERROR:
        for name in statement.device_names:
            late.open_device(name).expect(VD_E_PROTOCOL)
        late.close().expect(NOERROR)
    else:
        answer.expect_failure()
    statement.close()
    statement.require_success(statement.outcome())
