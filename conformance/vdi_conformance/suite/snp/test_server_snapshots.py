"""BACKUP and RESTORE WITH SNAPSHOT, as the server leads them."""

from typing import Final

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.server_messages import require_failure, require_message
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE

SNAPSHOT: Final = Scenario(snapshot=True)
PREPARED: Final = Scenario(snapshot=True, features=vdc.VDF_SNAPSHOT_PREPARE)


def up_to(statement: StatementRun, code: int) -> tuple[list[int], Fetched]:
    """Be an ordinary client up to a command of this code; give the codes before it, and the command."""
    codes: list[int] = []
    for command in statement.commands():
        if command.code == code:
            return codes, command
        codes.append(command.code)
        statement.answer_any(command).expect(NOERROR, by="CMP-01")
    raise ConformanceFailure(f"after {named(codes)} the device was closed, {vdc.name_of(code)} never came")


def codes_of(statement: StatementRun) -> list[int]:
    """Be an ordinary client to the end; give the codes of all commands."""
    codes = []
    for command in statement.commands():
        codes.append(command.code)
        statement.answer_any(command).expect(NOERROR)
    statement.require_success(statement.outcome())
    return codes


def named(codes: list[int]) -> str:
    """Name commands."""
    return ", ".join(map(vdc.name_of, codes)) or "nothing"


@vdi_requirement("SNP-01")
def test_a_snapshot_has_one_device(testbed: Testbed) -> None:
    """BACKUP WITH SNAPSHOT uses exactly one virtual device: a statement that names two fails."""
    statement = testbed.created("backup", Scenario(devices=2, snapshot=True))
    require_failure(statement.refuse(), "WITH SNAPSHOT it names two devices")


@vdi_requirement("SNP-02")
def test_the_snapshot_is_asked_for_when_its_metadata_are_written(testbed: Testbed) -> None:
    """VDC_Snapshot comes after all Writes of the metadata, and its completion with success makes the BACKUP succeed."""
    statement = testbed.backup(SNAPSHOT)
    codes, command = up_to(statement, vdc.VDC_SNAPSHOT)
    assert vdc.VDC_WRITE in codes, f"before the Snapshot came {named(codes)}"
    statement.device.complete(command).expect(NOERROR)
    for later in statement.commands():
        assert later.code != vdc.VDC_WRITE, "a Write followed the Snapshot: the metadata were not complete"
        statement.answer_any(later).expect(NOERROR)
    statement.require_success(statement.outcome())


@vdi_requirement("SNP-03")
def test_a_client_calls_the_snapshot_off(testbed: Testbed) -> None:
    """Completing VDC_Snapshot with ERROR_OPERATION_ABORTED calls the BACKUP off."""
    statement = testbed.backup(SNAPSHOT)
    _, command = up_to(statement, vdc.VDC_SNAPSHOT)
    statement.device.complete(command, ERROR_OPERATION_ABORTED).expect(NOERROR)
    require_failure(statement.drain(), "the Snapshot was completed with ERROR_OPERATION_ABORTED")


@vdi_requirement("SNP-04")
def test_nothing_follows_the_snapshot(testbed: Testbed) -> None:
    """After VDC_Snapshot GetCommand gives VD_E_CLOSE."""
    statement = testbed.backup(SNAPSHOT)
    _, command = up_to(statement, vdc.VDC_SNAPSHOT)
    statement.device.complete(command).expect(NOERROR)
    statement.device.get_command().expect(VD_E_CLOSE)


@vdi_requirement("SNP-05")
def test_a_client_that_prepares_is_told_before_the_freeze(testbed: Testbed) -> None:
    """With VDF_SnapshotPrepare the server sends Writes, VDC_PrepareToFreeze, more Writes, and VDC_Snapshot."""
    statement = testbed.backup(PREPARED)
    before, prepare = up_to(statement, vdc.VDC_PREPARE_TO_FREEZE)
    statement.device.complete(prepare).expect(NOERROR)
    after, snapshot = up_to(statement, vdc.VDC_SNAPSHOT)
    statement.device.complete(snapshot).expect(NOERROR)
    if vdc.VDC_WRITE not in before or vdc.VDC_WRITE not in after or vdc.VDC_PREPARE_TO_FREEZE in after:
        raise ConformanceFailure(f"before PrepareToFreeze came {named(before)}, then {named(after)}")
    statement.require_success(statement.drain())


@vdi_requirement("SNP-06")
def test_a_client_that_does_not_prepare_is_told_nothing(testbed: Testbed) -> None:
    """VDC_PrepareToFreeze comes neither without VDF_SnapshotPrepare nor without WITH SNAPSHOT."""
    for scenario in (SNAPSHOT, Scenario(features=vdc.VDF_SNAPSHOT_PREPARE)):
        codes = codes_of(testbed.backup(scenario))
        assert vdc.VDC_PREPARE_TO_FREEZE not in codes, f"{named(codes)} came, WITH SNAPSHOT {scenario.snapshot}"


@vdi_requirement("SNP-07")
def test_a_snapshot_is_brought_back_when_its_metadata_are_read(testbed: Testbed) -> None:
    """RESTORE WITH SNAPSHOT sends the Reads of the metadata and then one VDC_MountSnapshot, and succeeds."""
    codes = codes_of(testbed.restore(SNAPSHOT))
    reads = [number for number, code in enumerate(codes) if code == vdc.VDC_READ]
    mounted = [number for number, code in enumerate(codes) if code == vdc.VDC_MOUNT_SNAPSHOT]
    if len(mounted) != 1 or not reads or reads[-1] > mounted[0]:
        raise ConformanceFailure(f"the RESTORE brought {named(codes)}")


@vdi_requirement("SNP-07")
def test_a_snapshot_that_is_not_brought_back_fails_the_restore(testbed: Testbed) -> None:
    """RESTORE WITH SNAPSHOT fails if VDC_MountSnapshot is completed with an error."""
    statement = testbed.restore(SNAPSHOT)
    _, command = up_to(statement, vdc.VDC_MOUNT_SNAPSHOT)
    statement.device.complete(command, ERROR_OPERATION_ABORTED).expect(NOERROR)
    require_failure(statement.drain(), "MountSnapshot was completed with an error")


@vdi_requirement("SNP-08")
def test_what_was_made_without_a_snapshot_is_not_restored_with_one(testbed: Testbed) -> None:
    """RESTORE WITH SNAPSHOT of a set that was made without fails with message 3276."""
    streams = testbed.directory("streams")
    testbed.backup(keep=streams).succeed()
    require_message(testbed.restore(SNAPSHOT, streams).drain(), 3276)
