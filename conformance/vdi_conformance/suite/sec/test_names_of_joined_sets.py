"""OpenInSecondaryEx and OpenInSecondary by other names of sets and instances than those of a set that there is."""

import platform

import pytest

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import fetched_view, handle_of, mapped_view, require_same_memory
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import INSTANCE_VARIABLE, Testbed
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig


@pytest.mark.parametrize("name", ["unknown", "longer", "shorter", "closed"])
@vdi_requirement("SEC-06")
def test_a_set_that_does_not_exist_cannot_be_joined(testbed: Testbed, name: str) -> None:
    """OpenInSecondaryEx and OpenInSecondary fail when there is no set of that name, or no longer."""
    statement = testbed.backup()
    if name == "closed":
        statement.succeed()
    names = {"unknown": testbed.name(), "longer": statement.set_name + "x", "shorter": statement.set_name[:-1]}
    secondary = testbed.client("secondary")
    for attempt in (
        secondary.open_in_secondary_ex(None, names.get(name, statement.set_name)),
        secondary.open_in_secondary(names.get(name, statement.set_name)),
    ):
        attempt.expect_failure()
        attempt.observe("Q34", f"joining a set by {name} name")


@pytest.mark.parametrize("older", [False, True], ids=["OpenInSecondaryEx", "OpenInSecondary"])
@pytest.mark.parametrize("form", ["{}-z", "É-{}-Ж-z"], ids=["small letters", "both kinds"])
@vdi_requirement("NAM-11")
def test_the_name_of_a_set_is_compared_with_its_case(testbed: Testbed, form: str, older: bool) -> None:
    """OpenInSecondary(Ex) matches the set name case-sensitively: a name in another case fails."""
    if older:
        testbed.need_default_instance()
    statement = testbed.prepared(Scenario(older=older), name=form.format(testbed.name()))
    statement.start()
    name, secondary = statement.set_name, testbed.client("secondary")
    middle = name.replace("Ж", "ж"), name.replace("vdi", "vDi"), name.upper(), name.lower(), name.swapcase()
    first = name[0].swapcase() + name[1:]
    for other in {first, name[:-1] + name[-1].upper(), *middle} - {name}:
        answer = secondary.open_in_secondary(other) if older else secondary.open_in_secondary_ex(None, other)
        answer.expect_failure()
    statement.enlist(secondary)
    statement.succeed()


@alternating_direction(
    "instance",
    ["NOSUCHINSTANCE", "HOST\\MSSQLSERVER", "\\MSSQLSERVER", f"{platform.node()}\\MSSQLSERVER"],
    ["NOSUCHINSTANCE", "HOST\\MSSQLSERVER", "\\MSSQLSERVER", "this machine\\MSSQLSERVER"],
)
@vdi_requirement("SEC-07")
def test_a_set_of_the_default_instance_is_not_that_of_another(testbed: Testbed, kind: Kind, instance: str) -> None:
    """OpenInSecondaryEx with another instance's name fails for a set of the default instance."""
    statement = testbed.statement(kind)
    secondary = testbed.client("secondary")
    secondary.open_in_secondary_ex(instance, statement.set_name).expect_failure()
    testbed.secondary(statement)
    statement.succeed()


@RESTORE
@vdi_requirement("SEC-07")
def test_an_empty_instance_name_is_observed(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx with an empty instance name fails, or joins the set of the default instance (recorded)."""
    statement = testbed.statement(kind)
    secondary = testbed.client("secondary")
    answer = secondary.open_in_secondary_ex("", statement.set_name)
    answer.observe("Q9", "OpenInSecondaryEx with an empty instance name")
    if answer.code != NOERROR:
        answer.expect_failure()
        statement.join(secondary).expect(NOERROR)
    command = statement.next_data_command()
    view = mapped_view(secondary, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)


@BACKUP
@vdi_requirement("SEC-07")
def test_a_set_of_a_named_instance_is_joined_by_that_name_alone(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx joins a set of a named instance by exactly that instance name and no other."""
    testbed.need("named_instances", "it needs named instances")
    statement = testbed.configured(kind, Scenario(instance="VDI1", owners=(1,)))
    for instance in (None, "VDI2", "VDI", "VDI10", f"{platform.node()}\\VDI1", ".\\VDI1"):
        testbed.client("stranger").open_in_secondary_ex(instance, statement.set_name).expect_failure()
    statement.join_all()
    statement.open_devices()
    statement.succeed()


@RESTORE
@vdi_requirement("SEC-07")
def test_a_set_is_not_that_of_the_same_name_on_another_instance(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondaryEx with another instance's name fails, although a set of the same name was created there."""
    testbed.need("named_instances", "it needs named instances")
    statement = testbed.configured(kind, Scenario(instance="VDI1"))
    secondary = testbed.client("secondary")
    other = testbed.client("other primary").create_ex("VDI2", statement.set_name, VDConfig())
    other.observe("Q8", "CreateEx of a name that is in use on another instance")
    secondary.open_in_secondary_ex("VDI2", statement.set_name).expect_failure()
    statement.enlist(secondary)
    statement.open_devices()
    statement.succeed()


@RESTORE
@vdi_requirement("SEC-08")
def test_who_joins_by_the_older_form_takes_the_instance_of_the_variable(testbed: Testbed, kind: Kind) -> None:
    """OpenInSecondary takes its instance from _VIRTUAL_SERVER_NAME_ and joins sets of that one alone."""
    testbed.need("named_instances", "it needs named instances")
    testbed.need_default_instance()
    named = testbed.configured(kind, Scenario(instance="VDI1"))
    usual = testbed.configured(kind)
    joining, other = (testbed.client(name, {INSTANCE_VARIABLE: name}) for name in ("VDI1", "VDI2"))
    for statement in (named, usual):
        other.open_in_secondary(statement.set_name).expect_failure()
    joining.open_in_secondary(usual.set_name).expect_failure()
    joining.open_in_secondary(named.set_name).expect(NOERROR)
    joining.close().expect(NOERROR)
    for statement in (named, usual):
        statement.open_devices()
        statement.succeed()
