"""Names: of instances, of sets and of devices, and who may use which when."""

import platform
import sys
from uuid import UUID

import pytest

from vdi_conformance.suite.judging import ConformanceFailure, judges, set_up
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import Code
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.suite.stage import INSTANCE_VARIABLE, Stage
from vdi_conformance.suite.variants import ALONE_OR_NOT, BACKUP, RESTORE, in_turn, no_such_instance
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID, VD_E_OPEN, VD_E_PROTOCOL, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""
CHARACTERS = {
    "blanks and dots": "~ a full backup. of .all",
    "quotes": '~ it\'s "quoted" `three` times',
    "signs": "~ <50%> ?*|:; [x] {y} &amp; $z",
    "Cyrillic": "~ Резервная копия",
    "surrogate pairs": "~ \U0001f4be\U00020bb7",
    "a blank in front": " ~",
    "a blank behind": "~ ",
    "brackets around": "[~]",
    "letters and accents apart": "~ Re\u0301sume\u0301",
}
"""Names of sets; the tilde stands for a name that nobody else uses."""
FURTHER_NAMES = (
    "second",
    "second ",
    "second\\a",
    "Third device: it's [here]",
    "четвёртое \U0001f4be",
    "s" * 128,
)
INSTANCES = ((None, "VDI1"), ("VDI2", "VDI1"), ("VDI10", "VDI1"), ("VDICONFORMANCE_1", "VDICONFORMANCE_2"))
"""For which a set is created, and to which the statement is sent; a name has up to 16 characters."""
LENGTHS = (64, 128, 200, 260, 1000)


def _has_instances(stage: Stage) -> bool:
    """Tell whether the face has instance names: the Linux library, for which no page gives rules of names, has none."""
    return sys.platform == "win32" or stage.bench.cast.client_capabilities.named_instances


def _created_for(stage: Stage, instance: str | None, question: str, statements: str | None = None) -> Operation | None:
    """Create a set for one instance, and have a statement ready for another; None where the creation was refused."""
    operation = stage.prepared(Geometry(instance=statements))
    answer = operation.primary.create_ex(instance, operation.set_name, operation.geometry.config)
    answer.record(question, f"CreateEx for {instance}".replace(f"{platform.node()}\\", "HOST\\"))
    if answer.code == NOERROR:
        return operation
    answer.require_failure()
    return None


def _require_creation(participant: Participant, name: str) -> None:
    """Show that a set of the default instance can be created here: who refuses everything refuses nothing wrong."""
    set_up(lambda: participant.create_ex(None, name, VDConfig()).expect(NOERROR))
    set_up(lambda: participant.close().expect(NOERROR))


def _require_missed(operation: Operation) -> None:
    """Fail the check unless the statement ends without having found the set."""
    configuring = operation.primary.send_get_configuration()
    if not operation.ends_before(configuring):
        raise ConformanceFailure("the statement found a set that was created for another instance")
    assert not operation.outcome().succeeded, "the statement succeeded without its set"
    operation.primary.signal_abort().expect(NOERROR)
    configuring.result()
    operation.primary.close().expect(NOERROR)


# Instances


@BACKUP
@judges("NAM-01")
def test_no_instance_is_the_default_one(stage: Stage, kind: Kind) -> None:
    stage.operation(kind, Geometry(instance=None)).succeed()


@judges("NAM-01")
def test_no_instance_is_the_default_one_whatever_the_older_forms_mean(stage: Stage) -> None:
    operation = stage.created("backup", participants=[_with_a_variable(stage)])
    operation.configure()
    operation.open_devices()
    operation.succeed()


def _with_a_variable(stage: Stage) -> Participant:
    """Start a process in which the older forms mean another instance."""
    return stage.participant("primary", {INSTANCE_VARIABLE: "VDI1"})


@judges("NAM-02")
def test_an_empty_instance_name_is_the_default_one(stage: Stage) -> None:
    operation = stage.prepared(participants=[_with_a_variable(stage)])
    answer = operation.primary.create_ex("", operation.set_name, operation.geometry.config)
    answer.record("Q9", "CreateEx with an empty instance name")
    answer.expect(NOERROR)
    operation.configure()
    operation.open_devices()
    operation.succeed()


@judges("NAM-03")
def test_a_machine_is_no_part_of_an_instance_name(stage: Stage) -> None:
    stage.backup().succeed()
    for machine in (platform.node(), ".", "NOSUCHMACHINE"):
        if (operation := _created_for(stage, f"{machine}\\MSSQLSERVER", "Q9")) is not None:
            _require_missed(operation)


@judges("NAM-03")
def test_a_machine_is_no_part_of_the_name_of_a_named_instance(stage: Stage) -> None:
    stage.need("named_instances", "it needs named instances")
    stage.backup(Geometry(instance="VDI1")).succeed()
    if (operation := _created_for(stage, f"{platform.node()}\\VDI1", "Q9", "VDI1")) is not None:
        _require_missed(operation)


@judges("NAM-04")
def test_an_instance_that_does_not_exist_has_no_sets(stage: Stage) -> None:
    primary = stage.participant("primary")
    _require_creation(primary, stage.name())
    answer = primary.create_ex(no_such_instance(stage), stage.name(), VDConfig())
    answer.record("Q10", "CreateEx for an instance that does not exist")
    answer.require_failure()


@judges("NAM-05")
def test_a_set_for_another_instance_is_not_found(stage: Stage) -> None:
    stage.backup().succeed()
    if (operation := _created_for(stage, "VDI1", "Q10")) is not None:
        _require_missed(operation)


@judges("NAM-05")
def test_named_instances_have_sets_of_their_own(stage: Stage) -> None:
    stage.need("named_instances", "it needs named instances")
    for instance, statements in INSTANCES:
        operation = _created_for(stage, instance, "Q10", statements)
        assert operation is not None, f"CreateEx for the instance {instance} was refused"
        _require_missed(operation)
    stage.backup(Geometry(instance="VDI1")).succeed()


# Names of sets


@in_turn("characters", list(CHARACTERS))
@judges("NAM-06")
def test_a_set_may_have_any_name_without_a_backslash(stage: Stage, kind: Kind, characters: str) -> None:
    _run_under(stage, kind, CHARACTERS[characters].replace("~", stage.name()))


@BACKUP
@judges("NAM-06")
def test_a_set_may_have_a_slash_in_its_name(stage: Stage, kind: Kind) -> None:
    name = f"{stage.name()}/all"
    if sys.platform != "win32":
        primary = stage.participant("primary")
        answer = primary.create_ex(None, name, VDConfig())
        answer.record("Q11", "CreateEx with a slash in the name")
        if answer.code != NOERROR:
            answer.require_failure()
            return
        primary.close().expect(NOERROR)
    _run_under(stage, kind, name)


@judges("NAM-07")
def test_a_name_with_a_backslash_is_refused(stage: Stage) -> None:
    primary = stage.participant("primary")
    _require_creation(primary, stage.name())
    for name in (f"{stage.name()}\\b", f"\\{stage.name()}", f"Global\\{stage.name()}", f"{stage.name()}\\"):
        answer = primary.create_ex(None, name, VDConfig())
        answer.record("Q11", f"CreateEx with a backslash in the name {'first' if name[0] == chr(92) else 'inside'}")
        if _has_instances(stage):
            answer.require_failure()
        if answer.code == NOERROR:
            primary.close().expect(NOERROR)


@in_turn("form", ["bare", "in braces"])
@judges("NAM-12")
def test_a_guid_is_a_good_name(stage: Stage, kind: Kind, form: str) -> None:
    guid = str(UUID(int=stage.seed)).upper()
    _run_under(stage, kind, guid if form == "bare" else f"{{{guid}}}", ALONE_OR_NOT[kind])


def _run_under(stage: Stage, kind: Kind, name: str, owners: tuple[int, ...] = (0, 1)) -> None:
    """Run a statement on a set of this name, which another process joins unless the owners say otherwise."""
    operation = stage.prepared(Geometry(devices=2, owners=owners), kind, name)
    operation.start()
    operation.succeed()


@judges("NAM-08")
def test_a_name_in_use_cannot_be_taken(stage: Stage) -> None:
    primary = stage.participant("primary")
    others = {"another process": stage.participant("other"), "the same process": stage.beside(primary)}
    name = stage.name()
    primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    for who, other in others.items():
        _require_taken(other, name, f"from {who}")
    primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    primary.signal_abort().expect(NOERROR)
    for other in others.values():
        _require_taken(other, name, "after an abort")
    primary.close().expect(NOERROR)


@judges("NAM-08")
def test_the_name_of_a_set_in_full_use_cannot_be_taken(stage: Stage, backup: Operation) -> None:
    command = backup.next_data_command()
    _require_taken(stage.participant("other"), backup.set_name, "while a command is held")
    backup.answer(command).expect(NOERROR)
    backup.succeed()


def _require_taken(other: Participant, name: str, when: str) -> None:
    for _ in range(2):
        answer = other.create_ex(None, name, VDConfig())
        answer.record("Q8", f"CreateEx of a name that is in use, {when}")
        answer.require_failure()


@judges("NAM-09")
def test_a_name_is_free_again_after_close(stage: Stage) -> None:
    name = stage.name()
    one, other = stage.participant("one"), stage.participant("other")
    for ending in ("closed", "aborted"):
        for participant in (one, other, other, one):
            participant.create_ex(None, name, VDConfig()).expect(NOERROR)
            if ending == "aborted":
                participant.signal_abort().expect(NOERROR)
            participant.close().expect(NOERROR)


@RESTORE
@judges("NAM-09")
def test_a_name_is_free_again_after_its_statement(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind)
    operation.succeed()
    _run_under(stage, kind, operation.set_name)


@pytest.mark.parametrize("end", ["close", "death"])
@judges("NAM-09")
def test_whoever_is_left_of_an_earlier_set_does_nothing_to_its_namesake(stage: Stage, end: str) -> None:
    earlier = stage.operation("backup", Geometry(secondaries=2))
    earlier.next_data_command()
    earlier.primary.signal_abort().expect(NOERROR)
    earlier.primary.close().require(NOERROR, VD_E_OPEN)
    later = stage.prepared(Geometry(secondaries=1), name=earlier.set_name)
    later.start()
    command = later.next_data_command()
    for left in earlier.secondaries:
        if end == "close":
            left.close().require(NOERROR, VD_E_OPEN)
        else:
            left.kill()
        view = mapped_view(later.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=stage.seed)
    later.answer(command).expect(NOERROR)
    later.succeed()


@judges("NAM-10")
def test_a_name_is_free_again_after_a_death(stage: Stage) -> None:
    names = stage.name(), stage.name()
    for turn in range(3):
        primary = stage.participant(f"primary {turn}")
        for name, owner in zip(names, (primary, stage.beside(primary)), strict=True):
            owner.create_ex(None, name, VDConfig()).expect(NOERROR)
            if turn:
                owner.send_get_configuration(thread=f"{owner.key} waits")
                owner.get_configuration(0).expect(VD_E_TIMEOUT)
        primary.kill()
    heir = stage.participant("heir")
    for name in names:
        heir.create_ex(None, name, VDConfig()).expect(NOERROR)
        heir.close().expect(NOERROR)


@RESTORE
@judges("NAM-10")
def test_a_name_is_free_again_after_a_death_in_full_use(stage: Stage, kind: Kind) -> None:
    operation = stage.operation(kind)
    operation.next_data_command()
    operation.primary.kill()
    assert not operation.outcome().succeeded, "the statement succeeded although its primary died"
    stage.participant("heir").create_ex(None, operation.set_name, VDConfig()).expect(NOERROR)


@pytest.mark.parametrize("form", ["CreateEx", "Create"])
@judges("NAM-13")
def test_long_names_are_told_apart_or_refused(stage: Stage, form: str) -> None:
    one, other = stage.participant("one"), stage.participant("other")
    for length in LENGTHS:
        stem = stage.name().ljust(length - 1, "x")
        answer = _creation(one, form, f"{stem}a")
        answer.record("Q11", f"{form} with a name of {length} characters")
        if answer.code == NOERROR:
            _creation(other, form, f"{stem}b").expect(NOERROR)
            for participant in (one, other):
                participant.close().expect(NOERROR)
        else:
            answer.require_failure()


def _creation(participant: Participant, form: str, name: str) -> Code:
    if form == "Create":
        return participant.create(name, VDConfig())
    return participant.create_ex(None, name, VDConfig())


@judges("SEC-06")
def test_long_names_of_no_set_are_not_joined(stage: Stage) -> None:
    stranger = stage.participant("stranger")
    for length in LENGTHS:
        name = stage.name().ljust(length, "x")
        stranger.open_in_secondary_ex(None, name).require_failure()
        stranger.open_in_secondary(name).require_failure()


# Names of devices


@in_turn("devices", [1, 2, 3, 3])
@judges("NAM-14")
def test_the_first_device_has_the_name_of_the_set(stage: Stage, kind: Kind, devices: int) -> None:
    operation = stage.configured(kind, Geometry(devices=devices, secondaries=max(ALONE_OR_NOT[kind])))
    operation.join_all()
    first = operation.participants[-1].open_device(operation.set_name).expect(NOERROR)
    operation.devices.append(first)
    for index in range(1, devices):
        operation.open_device(index)
    operation.succeed()


@judges("NAM-15")
def test_further_devices_have_names_of_any_text(stage: Stage, kind: Kind) -> None:
    geometry = Geometry(devices=2 + len(FURTHER_NAMES), owners=ALONE_OR_NOT[kind])
    sets = [stage.prepared(geometry, kind) for _ in range(2)]
    for operation, other in zip(sets, reversed(sets), strict=True):
        operation.device_names = (operation.set_name, *FURTHER_NAMES, other.set_name)
        operation.start()
    for operation in reversed(sets):
        operation.succeed()


@RESTORE
@judges("NAM-17")
def test_a_device_name_in_other_letters_is_observed(stage: Stage, kind: Kind) -> None:
    operation = stage.configured(kind, Geometry(devices=2))
    subject = "OpenDevice with the name in capital letters"
    answer = operation.primary.open_device(operation.device_names[1].upper())
    if answer.permit("Q30", subject, VD_E_INVALID, NOERROR) == NOERROR:
        operation.primary.open_device(operation.device_names[1]).expect(VD_E_PROTOCOL)
    else:
        operation.open_devices()
        operation.succeed()
