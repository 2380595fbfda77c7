"""Create: CreateEx for the default instance, or for the one that an environment variable names."""

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.operation import Kind
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import INSTANCE_VARIABLE, Stage
from vdi_conformance.suite.variants import BACKUP, RESTORE
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
OLDER = Geometry(older=True)


@RESTORE
@judges("CRE-17")
def test_create_makes_a_set_of_the_default_instance(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    operation = stage.operation(kind, Geometry(older=True, secondaries=1))
    stage.participant("newer").open_in_secondary_ex(None, operation.set_name).expect(NOERROR)
    operation.succeed()


@BACKUP
@judges("CRE-18")
def test_create_makes_a_set_of_the_instance_that_a_variable_names(stage: Stage, kind: Kind) -> None:
    stage.need("named_instances", "it needs named instances")
    stage.need_default_instance()
    primary, stranger, secondary = (stage.participant(name, _naming("VDI1")) for name in ("primary", "one", "other"))
    operation = stage.created(kind, Geometry(instance="VDI1", older=True), [primary])
    operation.configure()
    stage.participant("third").open_in_secondary(operation.set_name).require_failure()
    stranger.open_in_secondary_ex(None, operation.set_name).require_failure()
    secondary.open_in_secondary_ex("VDI1", operation.set_name).expect(NOERROR)
    operation.open_devices()
    operation.run_out()
    secondary.close().expect(NOERROR)
    operation.close()
    operation.require_success(operation.outcome())
    stage.again(operation).succeed()


@judges("CRE-18")
def test_a_set_of_an_instance_in_a_variable_is_not_one_of_the_default_instance(stage: Stage) -> None:
    stage.need("named_instances", "it needs named instances")
    primary = stage.participant("primary", _naming("VDI1"))
    operation = stage.prepared()
    primary.create(operation.set_name, operation.geometry.config).expect(NOERROR)
    configuring = primary.send_get_configuration()
    assert operation.ends_before(configuring), "the statement found a set that was created for another instance"
    assert not operation.outcome().succeeded, "the statement succeeded without its set"
    primary.signal_abort().expect(NOERROR)
    configuring.result().expect(VD_E_ABORT)


def _naming(instance: str) -> dict[str, str]:
    return {INSTANCE_VARIABLE: instance}


@judges("CRE-04")
def test_create_refuses_what_create_ex_refuses(stage: Stage) -> None:
    stage.need_default_instance()
    primary = stage.participant("primary")
    for count in (0, MAX_DEVICES + 1, 256 + 1, 0x80000001):
        primary.create(stage.name(), VDConfig(device_count=count)).expect(VD_E_NOTSUPPORTED)


@judges("CRE-19", "LNX-04")
def test_create_has_the_codes_of_create_ex(stage: Stage) -> None:
    stage.need_default_instance()
    primary, name = stage.participant("primary"), stage.name()
    for count in (0, MAX_DEVICES + 1):
        primary.create(name, VDConfig(device_count=count)).expect(VD_E_NOTSUPPORTED)
    primary.close().expect(VD_E_PROTOCOL)
    for count in (1, MAX_DEVICES):
        primary.create(name, VDConfig(device_count=count)).expect(NOERROR)
        for other in (name, stage.name()):
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
@judges("CRE-19")
def test_a_set_by_create_ends_as_one_by_create_ex(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    operation = stage.operation(kind, OLDER)
    operation.primary.create(operation.set_name, VDConfig()).expect(VD_E_PROTOCOL)
    operation.primary.open_device(operation.set_name).permit(
        "Q2", "OpenDevice of an open device, all devices open", VD_E_OPEN, VD_E_PROTOCOL
    )
    operation.succeed()
    operation.primary.close().expect(VD_E_PROTOCOL)
    stage.again(operation).succeed()


@BACKUP
@judges("CRE-19")
def test_a_set_by_create_is_closed_with_a_device_open_as_one_by_create_ex(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    operation = stage.operation(kind, OLDER)
    answer = operation.primary.close()
    answer.permit("Q3", "Close of the primary with open devices", VD_E_OPEN, NOERROR)
    operation.primary.close().expect(VD_E_PROTOCOL)
    assert not operation.outcome().succeeded, "the statement succeeded although its set was closed"
    stage.again(operation).succeed()


@RESTORE
@judges("CRE-19")
def test_a_set_by_create_is_aborted_as_one_by_create_ex(stage: Stage, kind: Kind) -> None:
    stage.need_default_instance()
    operation = stage.operation(kind, OLDER)
    operation.next_data_command()
    operation.primary.signal_abort().expect(NOERROR)
    operation.device.await_abort()
    operation.primary.create(operation.set_name, VDConfig()).expect(VD_E_PROTOCOL)
    operation.primary.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    assert not operation.outcome().succeeded, "the statement succeeded although it was aborted"
