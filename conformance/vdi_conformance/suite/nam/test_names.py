"""Names: of instances, of sets and of devices, and who may use which when."""

import os
import platform
import sys
from itertools import product
from uuid import UUID

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.expectations import Code
from vdi_conformance.harness.judging import ConformanceFailure, Needed, judging, set_up, vdi_requirement
from vdi_conformance.harness.parametrizations import (
    ALONE_OR_NOT,
    BACKUP,
    RESTORE,
    alternating_direction,
    no_such_instance,
)
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import INSTANCE_VARIABLE, Testbed
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


def _created_for(
    testbed: Testbed, instance: str | None, question: str, statements: str | None = None
) -> StatementRun | None:
    """Create a set for one instance, and have a statement ready for another; None where the creation was refused."""
    statement = testbed.prepared(Scenario(instance=statements))
    answer = statement.primary.create_ex(instance, statement.set_name, statement.scenario.config)
    answer.observe(question, f"CreateEx for {instance}".replace(f"{platform.node()}\\", "HOST\\"))
    if answer.code == NOERROR:
        return statement
    answer.expect_failure()
    return None


def _require_creation(client: Client, name: str) -> None:
    """Show that a set of the default instance can be created here: who refuses everything refuses nothing wrong."""
    set_up(lambda: client.create_ex(None, name, VDConfig()).expect(NOERROR, by=Needed("CRE-01")))
    set_up(lambda: client.close().expect(NOERROR, by=Needed("CLS-01")))


def _require_missed(statement: StatementRun) -> None:
    """Fail the check unless the statement ends without having found the set."""
    configuring = statement.primary.send_get_configuration()
    if not statement.ends_before(configuring):
        raise ConformanceFailure("the statement found a set that was created for another instance")
    assert not statement.outcome().succeeded, "the statement succeeded without its set"
    statement.primary.signal_abort().expect(NOERROR)
    configuring.result()
    statement.primary.close().expect(NOERROR)


# Instances


@BACKUP
@vdi_requirement("NAM-01")
def test_no_instance_is_the_default_one(testbed: Testbed, kind: Kind) -> None:
    """CreateEx with NULL as instance name makes a set of the default instance: a BACKUP there finds it."""
    with judging("NAM-01"):
        statement = testbed.created(kind, Scenario(instance=None))
    statement.configure()
    statement.open_devices()
    statement.succeed()


@vdi_requirement("NAM-01")
def test_no_instance_is_the_default_one_whatever_the_older_forms_mean(testbed: Testbed) -> None:
    """NULL as instance name means the default instance even where _VIRTUAL_SERVER_NAME_ names another."""
    statement = testbed.created("backup", clients=[_with_a_variable(testbed)])
    statement.configure()
    statement.open_devices()
    statement.succeed()


def _with_a_variable(testbed: Testbed) -> Client:
    """Start a process in which the older forms mean another instance."""
    return testbed.client("primary", {INSTANCE_VARIABLE: "VDI1"})


@vdi_requirement("NAM-02")
def test_an_empty_instance_name_is_the_default_one(testbed: Testbed) -> None:
    """CreateEx with an empty instance name makes a set of the default instance: a BACKUP there finds it."""
    statement = testbed.prepared(clients=[_with_a_variable(testbed)])
    answer = statement.primary.create_ex("", statement.set_name, statement.scenario.config)
    answer.observe("Q9", "CreateEx with an empty instance name")
    answer.expect(NOERROR)
    statement.configure()
    statement.open_devices()
    statement.succeed()


@vdi_requirement("NAM-03")
def test_a_machine_is_no_part_of_an_instance_name(testbed: Testbed) -> None:
    """CreateEx with a machine's name before the default instance's fails, or a BACKUP there misses the set."""
    testbed.backup().succeed()
    for machine in (platform.node(), ".", "(local)", "localhost", "NOSUCHMACHINE"):
        if (statement := _created_for(testbed, f"{machine}\\MSSQLSERVER", "Q9")) is not None:
            _require_missed(statement)


@vdi_requirement("NAM-03")
def test_a_machine_is_no_part_of_the_name_of_a_named_instance(testbed: Testbed) -> None:
    """CreateEx with a machine's name before a named instance's fails, or a BACKUP there misses the set."""
    testbed.need("named_instances", "it needs named instances")
    testbed.backup(Scenario(instance="VDI1")).succeed()
    if (statement := _created_for(testbed, f"{platform.node()}\\VDI1", "Q9", "VDI1")) is not None:
        _require_missed(statement)


@vdi_requirement("NAM-04")
def test_an_instance_that_does_not_exist_has_no_sets(testbed: Testbed) -> None:
    """CreateEx for an instance that does not exist fails."""
    primary = testbed.client("primary")
    _require_creation(primary, testbed.name())
    answer = primary.create_ex(no_such_instance(testbed), testbed.name(), VDConfig())
    answer.observe("Q10", "CreateEx for an instance that does not exist")
    answer.expect_failure()


@vdi_requirement("NAM-05")
def test_a_set_for_another_instance_is_not_found(testbed: Testbed) -> None:
    """A BACKUP on the default instance does not open a set that was created for a named one."""
    testbed.backup().succeed()
    if (statement := _created_for(testbed, "VDI1", "Q10")) is not None:
        _require_missed(statement)


@vdi_requirement("NAM-05")
def test_named_instances_have_sets_of_their_own(testbed: Testbed) -> None:
    """A BACKUP on a named instance does not open a set that was created for any other instance."""
    testbed.need("named_instances", "it needs named instances")
    for instance, statements in INSTANCES:
        statement = _created_for(testbed, instance, "Q10", statements)
        assert statement is not None, f"CreateEx for the instance {instance} was refused"
        _require_missed(statement)
    testbed.backup(Scenario(instance="VDI1")).succeed()


# Names of sets


@alternating_direction("characters", list(CHARACTERS))
@vdi_requirement("NAM-06")
def test_a_set_may_have_any_name_without_a_backslash(testbed: Testbed, kind: Kind, characters: str) -> None:
    """CreateEx accepts any characters but a backslash in a set name; the server and a secondary open the set by it."""
    _run_under(testbed, kind, CHARACTERS[characters].replace("~", testbed.name()), "NAM-06")


@alternating_direction("characters", ["Cyrillic", "surrogate pairs", "quotes", "signs"])
@vdi_requirement("NAM-06")
def test_a_set_of_the_older_form_may_have_any_name(testbed: Testbed, kind: Kind, characters: str) -> None:
    """Create accepts any characters but a backslash in a set name; a secondary joins by it with OpenInSecondary."""
    testbed.need_default_instance()
    _run_under(testbed, kind, CHARACTERS[characters].replace("~", testbed.name()), "NAM-06", older=True)


@BACKUP
@vdi_requirement("NAM-06")
def test_a_set_may_have_a_slash_in_its_name(testbed: Testbed, kind: Kind) -> None:
    """CreateEx accepts a slash in a set name, and the server opens the set by it; on Linux it may be refused."""
    name = f"{testbed.name()}/all"
    if sys.platform != "win32":
        primary = testbed.client("primary")
        answer = primary.create_ex(None, name, VDConfig())
        answer.observe("Q11", "CreateEx with a slash in the name")
        if answer.code != NOERROR:
            answer.expect_failure()
            return
        primary.close().expect(NOERROR)
    _run_under(testbed, kind, name, "NAM-06")


@vdi_requirement("NAM-07")
def test_a_name_with_a_backslash_is_refused(testbed: Testbed) -> None:
    """CreateEx and Create refuse a set name with a backslash in it; libsqlvdi.so may accept it."""
    primary = testbed.client("primary")
    _require_creation(primary, testbed.name())
    forms = ("CreateEx",) if os.environ.get(INSTANCE_VARIABLE) else ("CreateEx", "Create")
    names = (f"{testbed.name()}\\b", f"\\{testbed.name()}", f"Global\\{testbed.name()}", f"{testbed.name()}\\")
    for form, name in product(forms, names):
        answer = _creation(primary, form, name)
        answer.observe("Q11", f"{form} with a backslash in the name {'first' if name[0] == chr(92) else 'inside'}")
        if testbed.session.parties.client_capabilities.native_abi != "libsqlvdi":
            answer.expect_failure()
        if answer.code == NOERROR:
            primary.close().expect(NOERROR)


@alternating_direction("form", ["bare", "in braces"])
@vdi_requirement("NAM-12")
def test_a_guid_is_a_good_name(testbed: Testbed, kind: Kind, form: str) -> None:
    """A GUID works as set name, as 36 characters and as 38 with braces."""
    guid = str(UUID(int=testbed.seed)).upper()
    _run_under(testbed, kind, guid if form == "bare" else f"{{{guid}}}", "NAM-12", ALONE_OR_NOT[kind])


def _run_under(
    testbed: Testbed, kind: Kind, name: str, judged: str, owners: tuple[int, ...] = (0, 1), older: bool = False
) -> None:
    """Run a statement on a set of this name, which another process joins unless the owners say otherwise."""
    statement = testbed.prepared(Scenario(devices=2, owners=owners, older=older), kind, name)
    _require_creation(statement.primary, testbed.name())
    with judging(judged):
        statement.create()
    statement.configure()
    statement.join_all()
    statement.open_devices()
    statement.succeed()


@vdi_requirement("NAM-08")
def test_a_name_in_use_cannot_be_taken(testbed: Testbed) -> None:
    """CreateEx fails for the name of an existing set in another object of its process and in another process."""
    primary = testbed.client("primary")
    others = {"another process": testbed.client("other"), "the same process": testbed.beside(primary)}
    name = testbed.name()
    primary.create_ex(None, name, VDConfig()).expect(NOERROR)
    for who, other in others.items():
        _require_taken(other, name, f"from {who}")
    primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
    primary.signal_abort().expect(NOERROR)
    for other in others.values():
        _require_taken(other, name, "after an abort")
    primary.close().expect(NOERROR)


@vdi_requirement("NAM-08")
def test_the_name_of_a_set_in_full_use_cannot_be_taken(testbed: Testbed, backup: StatementRun) -> None:
    """CreateEx fails for the name of a set whose BACKUP runs in another process, and the BACKUP succeeds."""
    command = backup.next_data_command()
    _require_taken(testbed.client("other"), backup.set_name, "while a command is held")
    backup.answer(command).expect(NOERROR)
    backup.succeed()


def _require_taken(other: Client, name: str, when: str) -> None:
    older = () if os.environ.get(INSTANCE_VARIABLE) else ("Create", "Create")
    for form in ("CreateEx", "CreateEx", *older):
        answer = _creation(other, form, name)
        answer.observe("Q8", f"{form} of a name that is in use, {when}")
        answer.expect_failure()


@vdi_requirement("NAM-09")
def test_a_name_is_free_again_after_close(testbed: Testbed) -> None:
    """After Close, CreateEx takes the name of the set again, in the same process and in another."""
    name = testbed.name()
    one, other = testbed.client("one"), testbed.client("other")
    for ending in ("closed", "aborted"):
        for client in (one, other, other, one):
            client.create_ex(None, name, VDConfig()).expect(NOERROR)
            if ending == "aborted":
                client.signal_abort().expect(NOERROR)
            client.close().expect(NOERROR)


@RESTORE
@vdi_requirement("NAM-09")
def test_a_name_is_free_again_after_its_statement(testbed: Testbed, kind: Kind) -> None:
    """After a RESTORE and Close, CreateEx takes the name of the set again, and a RESTORE runs on the new one."""
    statement = testbed.statement(kind)
    statement.succeed()
    _run_under(testbed, kind, statement.set_name, "NAM-09")


@pytest.mark.parametrize("end", ["close", "death"])
@vdi_requirement("NAM-09")
def test_whoever_is_left_of_an_earlier_set_does_nothing_to_its_namesake(testbed: Testbed, end: str) -> None:
    """A name is free after Close: secondaries left of its earlier set close or die, and the new set works on."""
    earlier = testbed.statement("backup", Scenario(secondaries=2))
    earlier.next_data_command()
    earlier.primary.signal_abort().expect(NOERROR, by="ABT-01")
    earlier.primary.close().expect(NOERROR, VD_E_OPEN)
    later = testbed.prepared(Scenario(secondaries=1), name=earlier.set_name)
    later.start()
    command = later.next_data_command()
    for left in earlier.secondaries:
        if end == "close":
            left.close().expect(NOERROR, VD_E_OPEN)
        else:
            left.kill()
        view = mapped_view(later.secondaries[0], handle_of(command))
        require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    later.answer(command).expect(NOERROR)
    later.succeed()


@vdi_requirement("NAM-10")
def test_a_name_is_free_again_after_a_death(testbed: Testbed) -> None:
    """When the process that created sets has died, CreateEx takes their names in another process."""
    names = testbed.name(), testbed.name()
    for turn in range(3):
        primary = testbed.client(f"primary {turn}")
        for name, owner in zip(names, (primary, testbed.beside(primary)), strict=True):
            owner.create_ex(None, name, VDConfig()).expect(NOERROR)
            if turn:
                owner.send_get_configuration(thread=f"{owner.key} waits")
                owner.get_configuration(0).expect(VD_E_TIMEOUT)
        primary.kill()
    heir = testbed.client("heir")
    for name in names:
        heir.create_ex(None, name, VDConfig()).expect(NOERROR)
        heir.close().expect(NOERROR)


@RESTORE
@vdi_requirement("NAM-10")
def test_a_name_is_free_again_after_a_death_in_full_use(testbed: Testbed, kind: Kind) -> None:
    """When the primary has died in a RESTORE and the RESTORE has failed, CreateEx takes the name of the set."""
    statement = testbed.statement(kind)
    statement.next_data_command()
    statement.primary.kill()
    assert not statement.outcome().succeeded, "the statement succeeded although its primary died"
    testbed.client("heir").create_ex(None, statement.set_name, VDConfig()).expect(NOERROR)


@pytest.mark.parametrize("form", ["CreateEx", "Create"])
@vdi_requirement("NAM-13")
def test_long_names_are_told_apart_or_refused(testbed: Testbed, form: str) -> None:
    """CreateEx and Create tell long set names apart that differ in their last character alone, or refuse them."""
    one, other = testbed.client("one"), testbed.client("other")
    for length in LENGTHS:
        stem = testbed.name().ljust(length - 1, "x")
        answer = _creation(one, form, f"{stem}a")
        answer.observe("Q11", f"{form} with a name of {length} characters")
        if answer.code == NOERROR:
            _creation(other, form, f"{stem}b").expect(NOERROR)
            for client in (one, other):
                client.close().expect(NOERROR)
        else:
            answer.expect_failure()


def _creation(client: Client, form: str, name: str) -> Code:
    if form == "Create":
        return client.create(name, VDConfig())
    return client.create_ex(None, name, VDConfig())


@vdi_requirement("SEC-06")
def test_long_names_of_no_set_are_not_joined(testbed: Testbed) -> None:
    """OpenInSecondaryEx and OpenInSecondary fail for a long name that no set has."""
    stranger = testbed.client("stranger")
    for length in LENGTHS:
        name = testbed.name().ljust(length, "x")
        stranger.open_in_secondary_ex(None, name).expect_failure()
        stranger.open_in_secondary(name).expect_failure()


# Names of devices


@alternating_direction("devices", [1, 2, 3, 3], ["1 device", "2 devices", "3 devices", "3 devices"])
@vdi_requirement("NAM-14")
def test_the_first_device_has_the_name_of_the_set(testbed: Testbed, kind: Kind, devices: int) -> None:
    """OpenDevice with the set's own name opens its first device, in the primary and in a secondary."""
    statement = testbed.configured(kind, Scenario(devices=devices, secondaries=max(ALONE_OR_NOT[kind])))
    statement.join_all()
    first = statement.clients[-1].open_device(statement.set_name).expect(NOERROR)
    statement.devices.append(first)
    for index in range(1, devices):
        statement.open_device(index)
    statement.succeed()


@vdi_requirement("NAM-15")
def test_further_devices_have_names_of_any_text(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice opens further devices by names of any text, and two sets may have the same names for them."""
    scenario = Scenario(devices=2 + len(FURTHER_NAMES), owners=ALONE_OR_NOT[kind])
    sets = [testbed.prepared(scenario, kind) for _ in range(2)]
    for statement, other in zip(sets, reversed(sets), strict=True):
        statement.device_names = (statement.set_name, *FURTHER_NAMES, other.set_name)
        statement.create()
        statement.configure()
        statement.join_all()
    for index in (0, 1):
        sets[0].open_device(index)
    with judging("NAM-15"):
        for index in range(2, scenario.devices):
            sets[0].open_device(index)
        # Its first device bears a name that a further device of the first set bears as well.
        sets[1].open_devices()
    for statement in reversed(sets):
        statement.succeed()


@RESTORE
@vdi_requirement("NAM-17")
def test_a_device_name_in_other_letters_is_observed(testbed: Testbed, kind: Kind) -> None:
    """OpenDevice with a device's name in capital letters answers VD_E_INVALID or NOERROR; it is recorded which."""
    statement = testbed.configured(kind, Scenario(devices=2))
    subject = "OpenDevice with the name in capital letters"
    answer = statement.primary.open_device(statement.device_names[1].upper())
    if answer.permit("Q30", subject, VD_E_INVALID, NOERROR) == NOERROR:
        statement.primary.open_device(statement.device_names[1]).expect(VD_E_PROTOCOL)
    else:
        statement.open_devices()
        statement.succeed()
