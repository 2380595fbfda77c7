"""What is held at the end of every check: it notices what no check had asked for."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulated import emulator_session
from vdi_conformance.harness.judging import ConformanceFailure, RecommendationBroken
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.vdi.completion import ERROR_DISK_FULL
from vdi_conformance.vdi.hresult import NOERROR, VD_E_BUSY, VD_E_CLOSE, VD_E_PROTOCOL


@pytest.fixture(scope="module")
def session() -> Iterator[WorkerSession]:
    session = emulator_session()
    yield session
    session.close()


@pytest.fixture
def testbed(session: WorkerSession, request: pytest.FixtureRequest) -> Iterator[Testbed]:
    testbed = Testbed(session, request.node.nodeid)
    yield testbed
    testbed.processes.end(orderly=False)


def test_what_went_well_passes(testbed: Testbed) -> None:
    testbed.backup(Scenario(devices=2, owners=(0, 1))).succeed()
    testbed.restore().succeed()
    testbed.check_invariants()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals")
def test_a_process_that_left_by_itself_is_noticed(testbed: Testbed) -> None:
    backup = testbed.backup(Scenario(secondaries=1))
    host = backup.secondaries[0].host
    if sys.platform != "win32":
        os.kill(host.initialized.process.pid, signal.SIGKILL)
    host.wait_until_ended()
    with pytest.raises(ConformanceFailure, match="secondary 1 was killed by SIGKILL"):
        testbed.check_invariants()


def test_a_process_that_the_check_killed_is_none_of_it(testbed: Testbed) -> None:
    backup = testbed.backup(Scenario(secondaries=1))
    backup.secondaries[0].kill()
    backup.secondaries[0].host.wait_until_ended()
    testbed.check_invariants()


def test_a_backup_that_succeeds_without_a_completion_is_noticed(testbed: Testbed) -> None:
    backup = testbed.backup()
    backup.answer(backup.device.next_data_command()).expect(NOERROR)
    backup.succeed()
    testbed.check_invariants()
    backup.device.accepted.clear()
    with pytest.raises(ConformanceFailure, match="nobody completed"):
        testbed.check_invariants()


def test_a_backup_that_fails_for_nothing_is_noticed(testbed: Testbed) -> None:
    backup = testbed.backup()
    command = backup.device.next_data_command()
    backup.device.complete(command, ERROR_DISK_FULL, 0).expect(NOERROR)
    assert not backup.finish().succeeded
    testbed.check_invariants()
    backup.device.accepted[-1] = replace(backup.device.accepted[-1], whole=True)
    with pytest.raises(ConformanceFailure, match="the BACKUP failed"):
        testbed.check_invariants()


def test_a_code_that_no_document_lists_for_its_method_is_recorded_once(testbed: Testbed) -> None:
    first, second = (testbed.client(name).host for name in ("first", "second"))
    first.codes.update({("Close", VD_E_PROTOCOL), ("Close", VD_E_BUSY)})
    second.codes.update({("Close", VD_E_BUSY)})
    testbed.check_invariants()
    (seen,) = testbed.observations
    assert (seen.question, seen.subject) == ("ABI-28", "Close giving VD_E_BUSY, which no document lists for it")


def test_another_success_than_noerror_is_noticed(testbed: Testbed) -> None:
    testbed.client("primary").host.codes.add(("MapBufferHandle", 1))
    with pytest.raises(RecommendationBroken, match="MapBufferHandle gave 0x00000001"):
        testbed.check_invariants()


def test_what_hosts_call_by_themselves_counts_too(testbed: Testbed) -> None:
    backup = testbed.backup()
    backup.succeed()
    assert {("GetCommand", VD_E_CLOSE), ("Close", NOERROR)} <= testbed.processes.codes
