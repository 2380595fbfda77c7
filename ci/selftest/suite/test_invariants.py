"""What is held at the end of every check: it notices what no check had asked for."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulated import emulator_bench
from vdi_conformance.suite.bench import Bench
from vdi_conformance.suite.judging import ConformanceFailure, RecommendationBroken
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.completion import ERROR_DISK_FULL
from vdi_conformance.vdi.hresult import NOERROR, VD_E_BUSY, VD_E_CLOSE, VD_E_PROTOCOL


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = emulator_bench()
    yield bench
    bench.close()


@pytest.fixture
def stage(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(bench, request.node.nodeid)
    yield stage
    stage.processes.end(orderly=False)


def test_what_went_well_passes(stage: Stage) -> None:
    stage.backup(Geometry(devices=2, owners=(0, 1))).succeed()
    stage.restore().succeed()
    stage.check_invariants()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals")
def test_a_process_that_left_by_itself_is_noticed(stage: Stage) -> None:
    backup = stage.backup(Geometry(secondaries=1))
    host = backup.secondaries[0].host
    if sys.platform != "win32":
        os.kill(host.initialized.process.pid, signal.SIGKILL)
    host.wait_until_ended()
    with pytest.raises(ConformanceFailure, match="secondary 1 was killed by SIGKILL"):
        stage.check_invariants()


def test_a_process_that_the_check_killed_is_none_of_it(stage: Stage) -> None:
    backup = stage.backup(Geometry(secondaries=1))
    backup.secondaries[0].kill()
    backup.secondaries[0].host.wait_until_ended()
    stage.check_invariants()


def test_a_backup_that_succeeds_without_a_completion_is_noticed(stage: Stage) -> None:
    backup = stage.backup()
    backup.answer(backup.device.next_data_command()).expect(NOERROR)
    backup.succeed()
    stage.check_invariants()
    backup.device.accepted.clear()
    with pytest.raises(ConformanceFailure, match="nobody completed"):
        stage.check_invariants()


def test_a_backup_that_fails_for_nothing_is_noticed(stage: Stage) -> None:
    backup = stage.backup()
    command = backup.device.next_data_command()
    backup.device.complete(command, ERROR_DISK_FULL, 0).expect(NOERROR)
    assert not backup.finish().succeeded
    stage.check_invariants()
    backup.device.accepted[-1] = replace(backup.device.accepted[-1], whole=True)
    with pytest.raises(ConformanceFailure, match="the BACKUP failed"):
        stage.check_invariants()


def test_a_code_that_no_document_lists_for_its_method_is_recorded_once(stage: Stage) -> None:
    first, second = (stage.participant(name).host for name in ("first", "second"))
    first.codes.update({("Close", VD_E_PROTOCOL), ("Close", VD_E_BUSY)})
    second.codes.update({("Close", VD_E_BUSY)})
    stage.check_invariants()
    (seen,) = stage.observations
    assert (seen.question, seen.subject) == ("ABI-28", "Close giving VD_E_BUSY, which no document lists for it")


def test_another_success_than_noerror_is_noticed(stage: Stage) -> None:
    stage.participant("primary").host.codes.add(("MapBufferHandle", 1))
    with pytest.raises(RecommendationBroken, match="MapBufferHandle gave 0x00000001"):
        stage.check_invariants()


def test_what_hosts_call_by_themselves_counts_too(stage: Stage) -> None:
    backup = stage.backup()
    backup.succeed()
    assert {("GetCommand", VD_E_CLOSE), ("Close", NOERROR)} <= stage.processes.codes
