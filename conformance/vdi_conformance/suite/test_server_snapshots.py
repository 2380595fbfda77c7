"""BACKUP and RESTORE WITH SNAPSHOT, as the server leads them."""

from typing import Final

from vdi_conformance.suite.device import Fetched
from vdi_conformance.suite.endings import require_failure, require_message
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Operation
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE

SNAPSHOT: Final = Geometry(snapshot=True)
PREPARED: Final = Geometry(snapshot=True, features=vdc.VDF_SNAPSHOT_PREPARE)


def up_to(operation: Operation, code: int) -> tuple[list[int], Fetched]:
    """Be an ordinary client up to a command of this code; give the codes before it, and the command."""
    codes: list[int] = []
    while (command := operation.device.next_command()).code != code:
        codes.append(command.code)
        operation.answer_any(command).expect(NOERROR)
    return codes, command


def codes_of(operation: Operation) -> list[int]:
    """Be an ordinary client to the end; give the codes of all commands."""
    codes = []
    for command in operation.commands():
        codes.append(command.code)
        operation.answer_any(command).expect(NOERROR)
    operation.require_success(operation.outcome())
    return codes


def named(codes: list[int]) -> str:
    """Name commands."""
    return ", ".join(map(vdc.name_of, codes)) or "nothing"


@judges("SNP-01")
def test_a_snapshot_has_one_device(stage: Stage) -> None:
    operation = stage.created("backup", Geometry(devices=2, snapshot=True))
    require_failure(operation.refuse(), "WITH SNAPSHOT it names two devices")


@judges("SNP-02")
def test_the_snapshot_is_asked_for_when_its_metadata_are_written(stage: Stage) -> None:
    operation = stage.backup(SNAPSHOT)
    codes, command = up_to(operation, vdc.VDC_SNAPSHOT)
    assert vdc.VDC_WRITE in codes, f"before the Snapshot came {named(codes)}"
    operation.device.complete(command).expect(NOERROR)
    for later in operation.commands():
        assert later.code != vdc.VDC_WRITE, "a Write followed the Snapshot: the metadata were not complete"
        operation.answer_any(later).expect(NOERROR)
    operation.require_success(operation.outcome())


@judges("SNP-03")
def test_a_client_calls_the_snapshot_off(stage: Stage) -> None:
    operation = stage.backup(SNAPSHOT)
    _, command = up_to(operation, vdc.VDC_SNAPSHOT)
    operation.device.complete(command, ERROR_OPERATION_ABORTED).expect(NOERROR)
    require_failure(operation.drain(), "the Snapshot was completed with ERROR_OPERATION_ABORTED")


@judges("SNP-04")
def test_nothing_follows_the_snapshot(stage: Stage) -> None:
    operation = stage.backup(SNAPSHOT)
    _, command = up_to(operation, vdc.VDC_SNAPSHOT)
    operation.device.complete(command).expect(NOERROR)
    operation.device.get_command().require(VD_E_CLOSE)


@judges("SNP-05")
def test_a_client_that_prepares_is_told_before_the_freeze(stage: Stage) -> None:
    operation = stage.backup(PREPARED)
    before, prepare = up_to(operation, vdc.VDC_PREPARE_TO_FREEZE)
    operation.device.complete(prepare).expect(NOERROR)
    after, snapshot = up_to(operation, vdc.VDC_SNAPSHOT)
    operation.device.complete(snapshot).expect(NOERROR)
    if vdc.VDC_WRITE not in before or vdc.VDC_WRITE not in after or vdc.VDC_PREPARE_TO_FREEZE in after:
        raise ConformanceFailure(f"before PrepareToFreeze came {named(before)}, then {named(after)}")
    operation.require_success(operation.drain())


@judges("SNP-06")
def test_a_client_that_does_not_prepare_is_told_nothing(stage: Stage) -> None:
    for geometry in (SNAPSHOT, Geometry(features=vdc.VDF_SNAPSHOT_PREPARE)):
        codes = codes_of(stage.backup(geometry))
        assert vdc.VDC_PREPARE_TO_FREEZE not in codes, f"{named(codes)} came, WITH SNAPSHOT {geometry.snapshot}"


@judges("SNP-07")
def test_a_snapshot_is_brought_back_when_its_metadata_are_read(stage: Stage) -> None:
    codes = codes_of(stage.restore(SNAPSHOT))
    reads = [number for number, code in enumerate(codes) if code == vdc.VDC_READ]
    mounted = [number for number, code in enumerate(codes) if code == vdc.VDC_MOUNT_SNAPSHOT]
    if len(mounted) != 1 or not reads or reads[-1] > mounted[0]:
        raise ConformanceFailure(f"the RESTORE brought {named(codes)}")


@judges("SNP-07")
def test_a_snapshot_that_is_not_brought_back_fails_the_restore(stage: Stage) -> None:
    operation = stage.restore(SNAPSHOT)
    _, command = up_to(operation, vdc.VDC_MOUNT_SNAPSHOT)
    operation.device.complete(command, ERROR_OPERATION_ABORTED).expect(NOERROR)
    require_failure(operation.drain(), "MountSnapshot was completed with an error")


@judges("SNP-08")
def test_what_was_made_without_a_snapshot_is_not_restored_with_one(stage: Stage) -> None:
    streams = stage.directory("streams")
    stage.backup(keep=streams).succeed()
    require_message(stage.restore(SNAPSHOT, streams).drain(), 3276)
