"""SignalAbort: when it may be called, and when not."""

import pytest

from vdi_conformance.harness.judging import judging, vdi_requirement
from vdi_conformance.harness.parametrizations import ALONE_OR_NOT, BACKUP, OWNER_NAMES, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_SNAPSHOT
from vdi_conformance.vdi.hresult import NOERROR, VD_E_OPEN, VD_E_PROTOCOL
from vdi_conformance.vdi.structures import VDConfig

CONFIG = VDConfig(device_count=1)


@vdi_requirement("ABT-01", "ABT-11")
def test_a_set_without_a_server_can_be_aborted_and_again(testbed: Testbed) -> None:
    """SignalAbort of a set that no server has opened gives NOERROR, and repeating it is harmless."""
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), CONFIG).expect(NOERROR, by="CRE-01")
    for requirement in ("ABT-01", "ABT-11", "ABT-11"):
        with judging(requirement):
            primary.signal_abort().expect(NOERROR)


@alternating_direction("moment", ["configured", "open", "told of its end"])
@vdi_requirement("ABT-01")
def test_a_set_can_be_aborted_at_any_time(testbed: Testbed, kind: Kind, moment: str) -> None:
    """SignalAbort gives NOERROR when the set is configured, when its device is open, and after VD_E_CLOSE."""
    statement = testbed.configured(kind)
    if moment != "configured":
        statement.open_devices()
    if moment == "told of its end":
        statement.run_out()
    for _ in range(2):
        statement.primary.signal_abort().expect(NOERROR)


@pytest.mark.parametrize("earlier", ["nothing", "a set that it closed", "a set that it aborted and closed"])
@vdi_requirement("ABT-02")
def test_an_object_without_a_set_cannot_be_aborted(testbed: Testbed, earlier: str) -> None:
    """SignalAbort gives VD_E_PROTOCOL before CreateEx and after Close."""
    primary = testbed.client("primary")
    if earlier != "nothing":
        primary.create_ex(None, testbed.name(), CONFIG).expect(NOERROR)
        if earlier == "a set that it aborted and closed":
            primary.signal_abort().expect(NOERROR)
        primary.close().expect(NOERROR)
    for _ in range(2):
        primary.signal_abort().expect(VD_E_PROTOCOL)


@BACKUP
@vdi_requirement("ABT-02")
def test_who_has_left_cannot_abort(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort of a secondary after its Close gives VD_E_PROTOCOL and leaves the set working."""
    statement = testbed.statement(kind, Scenario(secondaries=1))
    leaver = statement.secondaries[0]
    leaver.close().expect(NOERROR)
    statement.forget(leaver)
    leaver.signal_abort().expect(VD_E_PROTOCOL)
    statement.succeed()


@alternating_direction("holder", [0, 1], OWNER_NAMES)
@vdi_requirement("ABT-14")
def test_who_holds_a_command_may_abort_and_close(testbed: Testbed, kind: Kind, holder: int) -> None:
    """SignalAbort, and then Close, are legal while a command is held, and the statement fails."""
    statement = testbed.statement(kind, Scenario(owners=(holder,)))
    client = statement.next_data_command().device.client
    client.signal_abort().expect(NOERROR)
    client.close().permit("Q4", "Close after an abort with a command held", NOERROR, VD_E_OPEN)
    statement.require_failure()


@vdi_requirement("SNP-09")
def test_who_holds_the_snapshot_command_may_abort_and_close(testbed: Testbed) -> None:
    """SignalAbort, and then Close, are legal while VDC_Snapshot is uncompleted, and the BACKUP fails."""
    statement = testbed.backup(Scenario(snapshot=True))
    while (command := statement.device.next_command()).code != VDC_SNAPSHOT:
        statement.answer_any(command).expect(NOERROR)
    statement.primary.signal_abort().expect(NOERROR)
    answer = statement.primary.close()
    answer.permit("Q4", "Close after an abort with a Snapshot command held", NOERROR, VD_E_OPEN)
    statement.require_failure()


@vdi_requirement("ABT-19")
def test_an_abort_after_the_end_fails_no_statement(testbed: Testbed, kind: Kind) -> None:
    """SignalAbort after VD_E_CLOSE on every device gives NOERROR and does not make the statement fail."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=ALONE_OR_NOT[kind]))
    for command in statement.commands():
        statement.answer_any(command).expect(NOERROR)
    for client in statement.clients:
        client.signal_abort().expect(NOERROR)
    with judging("ABT-19"):
        statement.require_success(statement.outcome())
    for client in reversed(statement.clients):
        answer = client.close()
        answer.permit("Q49", "Close after an abort in Normally Terminated", NOERROR)
