"""OpenInSecondaryEx and OpenInSecondary: who may join which set when, and what a refusal leaves behind."""

from dataclasses import replace

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.operation import Kind
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import BACKUP, RESTORE, in_turn
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

SECONDARIES = in_turn("secondaries", [1, 2, 8])
ABORTERS = in_turn("by", ["primary", "secondary"])


# Joining


@SECONDARIES
@judges("SEC-01")
def test_a_configured_set_can_be_joined(stage: Stage, kind: Kind, secondaries: int) -> None:
    _join_a_configured_set(stage, kind, Geometry(secondaries=secondaries))


@SECONDARIES
@judges("SEC-08")
def test_the_older_forms_create_and_join(stage: Stage, kind: Kind, secondaries: int) -> None:
    stage.need_default_instance()
    _join_a_configured_set(stage, kind, Geometry(secondaries=secondaries, older=True))


def _join_a_configured_set(stage: Stage, kind: Kind, geometry: Geometry) -> None:
    """Join before any device is open; the last one to join is the only one that opens one."""
    operation = stage.configured(kind, replace(geometry, owners=(geometry.secondaries,)))
    operation.join_all()
    operation.open_devices()
    operation.succeed()


@judges("SEC-01")
def test_a_set_in_full_use_can_be_joined(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(transfers=6))
    for _ in range(4):
        command = operation.next_data_command()
        secondary = stage.secondary(operation)
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@in_turn("older", ["Create", "OpenInSecondary"])
@judges("SEC-08")
def test_the_older_forms_go_with_the_newer_ones(stage: Stage, kind: Kind, older: str) -> None:
    stage.need_default_instance()
    operation = stage.configured(kind, Geometry(older=older == "Create"))
    secondary = stage.participant("secondary")
    if older == "Create":
        secondary.open_in_secondary_ex(None, operation.set_name).expect(NOERROR)
    else:
        secondary.open_in_secondary(operation.set_name).expect(NOERROR)
    operation.devices.append(secondary.open_device(operation.set_name).expect(NOERROR))
    operation.run_out()
    secondary.close().expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


# Not ready, open already, aborting


@RESTORE
@judges("SEC-02")
def test_a_set_that_is_not_configured_cannot_be_joined(stage: Stage, kind: Kind) -> None:
    _join_too_early(stage, kind, Geometry())


@BACKUP
@judges("SEC-26")
def test_the_older_form_cannot_join_a_set_that_is_not_configured(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    _join_too_early(stage, kind, Geometry(older=True))


def _join_too_early(stage: Stage, kind: Kind, geometry: Geometry) -> None:
    operation = stage.created(kind, geometry)
    early = stage.participant("early secondary")
    for _ in range(2):
        operation.join(early).expect(VD_E_PROTOCOL)
    operation.configure()
    stage.secondary(operation)
    operation.open_devices()
    operation.succeed()


@BACKUP
@judges("SEC-03")
def test_a_second_join_of_one_object_is_refused(stage: Stage, kind: Kind) -> None:
    _join_twice(stage, kind, Geometry(devices=2, owners=(1, 0), secondaries=2))


@RESTORE
@judges("SEC-26")
def test_a_second_join_by_the_older_form_is_refused(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    _join_twice(stage, kind, Geometry(devices=2, owners=(1, 0), secondaries=2, older=True))


def _join_twice(stage: Stage, kind: Kind, geometry: Geometry) -> None:
    operation = stage.operation(kind, geometry)
    other = stage.configured(kind, geometry)
    secondary = operation.secondaries[0]
    for joined in operation.secondaries:
        operation.join(joined).expect(VD_E_PROTOCOL)
        other.join(joined).expect(VD_E_PROTOCOL)
    command = operation.next_data_command()
    operation.join(secondary).expect(VD_E_PROTOCOL)
    operation.answer(command).expect(NOERROR)
    operation.succeed()
    other.join_all()
    other.open_devices()
    other.succeed()


@BACKUP
@judges("SEC-04")
def test_the_creating_object_cannot_join(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(owners=(1,)))
    other = stage.configured(kind)
    for name in (operation.set_name, other.set_name):
        operation.primary.open_in_secondary_ex(None, name).expect(VD_E_PROTOCOL)
        operation.primary.open_in_secondary(name).expect(VD_E_PROTOCOL)
    operation.succeed()


@ABORTERS
@judges("SEC-05")
def test_an_aborting_set_cannot_be_joined(stage: Stage, kind: Kind, by: str) -> None:
    _join_after_an_abort(stage, kind, by, Geometry(secondaries=1))


@ABORTERS
@judges("SEC-26")
def test_the_older_form_cannot_join_an_aborting_set(stage: Stage, kind: Kind, by: str) -> None:
    stage.need_default_instance()
    _join_after_an_abort(stage, kind, by, Geometry(secondaries=1, older=True))


def _join_after_an_abort(stage: Stage, kind: Kind, by: str, geometry: Geometry) -> None:
    operation = stage.operation(kind, geometry)
    late = stage.participant("late secondary")
    (operation.primary if by == "primary" else operation.secondaries[0]).signal_abort().expect(NOERROR)
    operation.device.await_abort()
    for _ in range(2):
        operation.join(late).expect(VD_E_ABORT)


@judges("SEC-05")
def test_a_set_that_its_server_aborted_cannot_be_joined(stage: Stage) -> None:
    scripted = stage.scripted()
    scripted.signal_abort()
    scripted.device.await_abort()
    scripted.join(stage.participant("late secondary")).expect(VD_E_ABORT)


@judges("SEC-25")
def test_joining_before_the_primary_knows_the_configuration_is_observed(stage: Stage) -> None:
    scripted = stage.scripted_created(Geometry(secondaries=1))
    scripted.begin_configuration()
    scripted.end_configuration()
    secondary = scripted.secondaries[0]
    answer = scripted.join(secondary)
    subject = "OpenInSecondaryEx before the primary's GetConfiguration"
    if answer.permit("Q33", subject, VD_E_PROTOCOL, NOERROR) == VD_E_PROTOCOL:
        scripted.primary.get_configuration().expect(NOERROR)
        scripted.join(secondary).expect(NOERROR)


# Other names


@pytest.mark.parametrize("name", ["unknown", "longer", "shorter", "closed"])
@judges("SEC-06")
def test_a_set_that_does_not_exist_cannot_be_joined(stage: Stage, name: str) -> None:
    operation = stage.backup()
    if name == "closed":
        operation.succeed()
    names = {"unknown": stage.name(), "longer": operation.set_name + "x", "shorter": operation.set_name[:-1]}
    secondary = stage.participant("secondary")
    for attempt in (
        secondary.open_in_secondary_ex(None, names.get(name, operation.set_name)),
        secondary.open_in_secondary(names.get(name, operation.set_name)),
    ):
        attempt.require_failure()
        attempt.record("Q34", f"joining a set by {name} name")


@pytest.mark.parametrize("older", [False, True], ids=["OpenInSecondaryEx", "OpenInSecondary"])
@pytest.mark.parametrize("form", ["{}-z", "É-{}-Ж-z"], ids=["small letters", "both kinds"])
@judges("NAM-11")
def test_the_name_of_a_set_is_compared_with_its_case(stage: Stage, form: str, older: bool) -> None:
    if older:
        stage.need_default_instance()
    operation = stage.prepared(Geometry(older=older), name=form.format(stage.name()))
    operation.start()
    name, secondary = operation.set_name, stage.participant("secondary")
    middle = name.replace("Ж", "ж"), name.replace("vdi", "vDi"), name.upper(), name.lower(), name.swapcase()
    first = name[0].swapcase() + name[1:]
    for other in {first, name[:-1] + name[-1].upper(), *middle} - {name}:
        answer = secondary.open_in_secondary(other) if older else secondary.open_in_secondary_ex(None, other)
        answer.require_failure()
    operation.enlist(secondary)
    operation.succeed()


@in_turn("instance", ["NOSUCHINSTANCE", "HOST\\MSSQLSERVER", "\\MSSQLSERVER"])
@judges("SEC-07")
def test_a_set_of_the_default_instance_is_not_that_of_another(stage: Stage, kind: Kind, instance: str) -> None:
    operation = stage.operation(kind)
    secondary = stage.participant("secondary")
    secondary.open_in_secondary_ex(instance, operation.set_name).require_failure()
    stage.secondary(operation)
    operation.succeed()


@RESTORE
@judges("SEC-07")
def test_an_empty_instance_name_is_observed(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind)
    secondary = stage.participant("secondary")
    answer = secondary.open_in_secondary_ex("", operation.set_name)
    answer.record("Q9", "OpenInSecondaryEx with an empty instance name")
    if answer.code != NOERROR:
        answer.require_failure()
        operation.join(secondary).expect(NOERROR)
    command = operation.next_data_command()
    view = mapped_view(secondary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)


@BACKUP
@judges("SEC-07")
def test_a_set_of_a_named_instance_is_joined_by_that_name_alone(stage: Stage, kind: Kind) -> None:
    stage.need("named_instances", "it needs named instances")
    operation = stage.configured(kind, Geometry(instance="VDI1", owners=(1,)))
    for instance in (None, "VDI2", "VDI", "VDI10"):
        stage.participant("stranger").open_in_secondary_ex(instance, operation.set_name).require_failure()
    operation.join_all()
    operation.open_devices()
    operation.succeed()


@RESTORE
@judges("SEC-07")
def test_a_set_is_not_that_of_the_same_name_on_another_instance(stage: Stage, kind: Kind) -> None:
    stage.need("named_instances", "it needs named instances")
    operation = stage.configured(kind, Geometry(instance="VDI1"))
    secondary = stage.participant("secondary")
    other = stage.participant("other primary").create_ex("VDI2", operation.set_name, VDConfig())
    other.record("Q8", "CreateEx of a name that is in use on another instance")
    secondary.open_in_secondary_ex("VDI2", operation.set_name).require_failure()
    operation.enlist(secondary)
    operation.open_devices()
    operation.succeed()


# What a refusal leaves


@pytest.mark.parametrize("then", ["creates", "joins"])
@pytest.mark.parametrize("refusal", ["unknown", "not ready", "aborting"])
@judges("SEC-27")
def test_a_refused_join_leaves_the_object_as_it_was(stage: Stage, refusal: str, then: str) -> None:
    secondary = stage.participant("secondary")
    _refuse(stage, secondary, refusal)
    secondary.close().expect(VD_E_PROTOCOL)
    secondary.get_configuration(0).expect(VD_E_PROTOCOL)
    if then == "creates":
        secondary.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
    else:
        operation = stage.backup()
        operation.join(secondary).expect(NOERROR)
        command = operation.next_data_command()
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    secondary.close().expect(NOERROR)


def _refuse(stage: Stage, secondary: Participant, refusal: str) -> None:
    match refusal:
        case "unknown":
            secondary.open_in_secondary_ex(None, stage.name()).require_failure()
        case "not ready":
            stage.created("backup").join(secondary).require_failure()
        case _:
            aborted = stage.backup()
            aborted.primary.signal_abort().expect(NOERROR)
            aborted.device.await_abort()
            aborted.join(secondary).require_failure()


@BACKUP
@judges("SEC-20")
def test_who_joined_cannot_create(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(1, 0), secondaries=2))
    for secondary in operation.secondaries:
        for name in (operation.set_name, stage.name()):
            secondary.create_ex(None, name, VDConfig()).expect(VD_E_PROTOCOL)
            secondary.create(name, VDConfig()).expect(VD_E_PROTOCOL)
    operation.succeed()


# Who comes and goes, more than usual, late


@judges("SEC-19")
def test_more_processes_than_devices_join_at_once(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2, secondaries=1))
    crowd = [stage.participant(f"attendant {number}") for number in range(70)]
    asked = [one.send_open_in_secondary_ex(None, operation.set_name) for one in crowd]
    answers = [later.result() for later in asked]
    for answer in answers:
        if answer.code != NOERROR:
            answer.require_failure()
    joined = [one for one, answer in zip(crowd, answers, strict=True) if answer.code == NOERROR]
    assert len(joined) > len(operation.devices), f"only {len(joined)} of {len(crowd)} secondaries could join"
    command = operation.next_data_command()
    handle = handle_of(command)
    for one in joined:
        view = mapped_view(one, handle)
        assert one.digest(view.address, 512) == operation.primary.digest(command.buffer, 512), "it sees other bytes"
    operation.answer(command).expect(NOERROR)
    operation.run_out()
    for one in joined:
        one.close().expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())


@RESTORE
@judges("SEC-22")
def test_a_second_object_of_one_process_is_observed(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(0, 1)))
    command = operation.next_data_command()
    for participant in operation.participants:
        second = stage.beside(participant)
        answer = operation.join(second)
        answer.record("Q32", "OpenInSecondaryEx of a second object in a process that has the set open")
        if answer.code == NOERROR:
            view = mapped_view(second, handle_of(command))
            require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
            second.close().expect(NOERROR)
        else:
            answer.require_failure()
    operation.answer(command).expect(NOERROR)
    operation.succeed()


@BACKUP
@judges("SEC-23")
def test_processes_come_and_go(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(transfers=8))
    for _ in range(6):
        command = operation.next_data_command()
        secondary = stage.participant("guest")
        operation.join(secondary).expect(NOERROR)
        view = mapped_view(secondary, handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
        secondary.close().expect(NOERROR)
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@RESTORE
@judges("SEC-24")
def test_who_comes_after_the_end_finds_no_device(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(0, 1)))
    operation.run_out()
    late = stage.participant("late secondary")
    answer = operation.join(late)
    if answer.code == NOERROR:
        for name in operation.device_names:
            late.open_device(name).expect(VD_E_PROTOCOL)
        late.close().expect(NOERROR)
    else:
        answer.require_failure()
    operation.close()
    operation.require_success(operation.outcome())
