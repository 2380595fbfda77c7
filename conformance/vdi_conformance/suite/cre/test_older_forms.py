"""Create: CreateEx for the default instance, or for the one that an environment variable names."""

from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, RESTORE
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import INSTANCE_VARIABLE, Testbed
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_NOTSUPPORTED,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import MAX_DEVICES, VDConfig

SHORT = 1
"""A time-out in milliseconds that is over at once, or after one second where the unit is seconds (Q53)."""
OLDER = Scenario(older=True)


@RESTORE
@vdi_requirement("CRE-17")
def test_create_makes_a_set_of_the_default_instance(testbed: Testbed, kind: Kind) -> None:
    """Create makes a set of the default instance: a RESTORE finds it, and OpenInSecondaryEx(NULL, ...) joins it."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, Scenario(older=True, secondaries=1))
    testbed.client("newer").open_in_secondary_ex(None, statement.set_name).expect(NOERROR)
    statement.succeed()


@BACKUP
@vdi_requirement("CRE-18")
def test_create_makes_a_set_of_the_instance_that_a_variable_names(testbed: Testbed, kind: Kind) -> None:
    """Create takes its instance from _VIRTUAL_SERVER_NAME_: only there do a BACKUP and secondaries find the set."""
    testbed.need("named_instances", "it needs named instances")
    testbed.need_default_instance()
    primary, stranger, secondary = (testbed.client(name, _naming("VDI1")) for name in ("primary", "one", "other"))
    statement = testbed.created(kind, Scenario(instance="VDI1", older=True), [primary])
    statement.configure()
    testbed.client("third").open_in_secondary(statement.set_name).expect_failure()
    stranger.open_in_secondary_ex(None, statement.set_name).expect_failure()
    secondary.open_in_secondary_ex("VDI1", statement.set_name).expect(NOERROR)
    statement.open_devices()
    statement.run_out()
    secondary.close().expect(NOERROR)
    statement.close()
    statement.require_success(statement.outcome())
    testbed.again(statement).succeed()


@vdi_requirement("CRE-18")
def test_a_set_of_an_instance_in_a_variable_is_not_one_of_the_default_instance(testbed: Testbed) -> None:
    """A BACKUP on the default instance does not find a set whose Create had _VIRTUAL_SERVER_NAME_ name another."""
    testbed.need("named_instances", "it needs named instances")
    primary = testbed.client("primary", _naming("VDI1"))
    statement = testbed.prepared()
    primary.create(statement.set_name, statement.scenario.config).expect(NOERROR)
    configuring = primary.send_get_configuration()
    assert statement.ends_before(configuring), "the statement found a set that was created for another instance"
    assert not statement.outcome().succeeded, "the statement succeeded without its set"
    primary.signal_abort().expect(NOERROR)
    configuring.result().expect(VD_E_ABORT)


def _naming(instance: str) -> dict[str, str]:
    return {INSTANCE_VARIABLE: instance}


@vdi_requirement("CRE-04")
def test_create_refuses_what_create_ex_refuses(testbed: Testbed) -> None:
    """Create answers VD_E_NOTSUPPORTED for a deviceCount that is not from 1 to 64, as CreateEx does."""
    testbed.need_default_instance()
    primary = testbed.client("primary")
    for count in (0, MAX_DEVICES + 1, 256 + 1, 0x80000001):
        primary.create(testbed.name(), VDConfig(device_count=count)).expect(VD_E_NOTSUPPORTED)


@vdi_requirement("LNX-04")
def test_create_answers_as_the_linux_interface_lists(testbed: Testbed) -> None:
    """Create answers NOERROR, VD_E_NOTSUPPORTED and VD_E_PROTOCOL as CreateEx does."""
    testbed.need_default_instance()
    primary, name = testbed.client("primary"), testbed.name()
    for count in (0, MAX_DEVICES + 1):
        primary.create(name, VDConfig(device_count=count)).expect(VD_E_NOTSUPPORTED)
    for count in (1, MAX_DEVICES):
        primary.create(name, VDConfig(device_count=count)).expect(NOERROR)
        for other in (name, testbed.name()):
            primary.create(other, VDConfig()).expect(VD_E_PROTOCOL)
        primary.close().expect(NOERROR, by="CLS-01")


@vdi_requirement("CRE-19")
def test_create_has_the_codes_of_create_ex(testbed: Testbed) -> None:
    """Create answers NOERROR, VD_E_NOTSUPPORTED and VD_E_PROTOCOL as CreateEx does, and its set has the same states."""
    testbed.need_default_instance()
    primary, name = testbed.client("primary"), testbed.name()
    for count in (0, MAX_DEVICES + 1):
        primary.create(name, VDConfig(device_count=count)).expect(VD_E_NOTSUPPORTED)
    primary.close().expect(VD_E_PROTOCOL)
    for count in (1, MAX_DEVICES):
        primary.create(name, VDConfig(device_count=count)).expect(NOERROR)
        for other in (name, testbed.name()):
            primary.create(other, VDConfig()).expect(VD_E_PROTOCOL)
            primary.create_ex(None, other, VDConfig()).expect(VD_E_PROTOCOL)
        primary.get_configuration(SHORT).expect(VD_E_TIMEOUT)
        primary.close().expect(NOERROR)
    primary.create(name, VDConfig()).expect(NOERROR)
    primary.signal_abort().expect(NOERROR)
    primary.get_configuration(SHORT).expect(VD_E_ABORT)
    primary.create(name, VDConfig()).expect(VD_E_PROTOCOL)
    primary.close().expect(NOERROR)


@BACKUP
@vdi_requirement("CRE-19")
def test_a_set_by_create_ends_as_one_by_create_ex(testbed: Testbed, kind: Kind) -> None:
    """After Create, Create, OpenDevice and Close answer as after CreateEx when all devices are open and at the end."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, OLDER)
    statement.primary.create(statement.set_name, VDConfig()).expect(VD_E_PROTOCOL)
    statement.primary.open_device(statement.set_name).permit(
        "Q2", "OpenDevice of an open device, all devices open", VD_E_OPEN, VD_E_PROTOCOL
    )
    statement.succeed()
    statement.primary.close().expect(VD_E_PROTOCOL)
    testbed.again(statement).succeed()


@BACKUP
@vdi_requirement("CRE-19")
def test_a_set_by_create_is_closed_with_a_device_open_as_one_by_create_ex(testbed: Testbed, kind: Kind) -> None:
    """Close with a device open ends a set made by Create as one made by CreateEx, and its BACKUP fails."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, OLDER)
    answer = statement.primary.close()
    answer.permit("Q3", "Close of the primary with open devices", VD_E_OPEN, NOERROR)
    statement.primary.close().expect(VD_E_PROTOCOL)
    assert not statement.outcome().succeeded, "the statement succeeded although its set was closed"
    testbed.again(statement).succeed()


@RESTORE
@vdi_requirement("CRE-19")
def test_a_set_by_create_is_aborted_as_one_by_create_ex(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort ends a set made by Create as one made by CreateEx, and its RESTORE fails."""
    testbed.need_default_instance()
    statement = testbed.statement(kind, OLDER)
    statement.next_data_command()
    statement.primary.signal_abort().expect(NOERROR)
    statement.device.await_abort()
    statement.primary.create(statement.set_name, VDConfig()).expect(VD_E_PROTOCOL)
    statement.primary.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    assert not statement.outcome().succeeded, "the statement succeeded although it was aborted"
