"""BACKUP and RESTORE against small client applications, over real shared memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.emulator.applications import PATIENCE, Run, Site, Tape, backup, poke, restore
from vdi_conformance.vdi.commands import (
    VDC_COMPLETE,
    VDC_FLUSH,
    VDC_LOAD,
    VDC_READ,
    VDC_WRITE,
    VDF_COMPLETE_ENABLED,
    VDF_LIKE_DISK,
    VDF_READ_MEDIA,
    VDF_REMOVABLE,
    VDF_REQUEST_COMPLETE,
    VDF_WRITE_MEDIA,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.contract import Command, Statement


@pytest.mark.parametrize("devices", [("set",), ("set", "two", "three")])
@pytest.mark.parametrize(("block_size", "transfer", "restored_by"), [(512, 65536, 1 << 20), (65536, 1 << 20, 65536)])
def test_what_a_backup_wrote_a_restore_takes(
    site: Site, devices: tuple[str, ...], block_size: int, transfer: int, restored_by: int
) -> None:
    made = backup(*devices, block_size=block_size, max_transfer_size=transfer)
    tapes = [Tape(stream) for stream in site.back_up(made)]
    run = site.run(made._replace(operation="restore", max_transfer_size=restored_by, buffer_count=1), tapes)
    assert run == Run(run.outcome, [VD_E_CLOSE] * len(devices), NOERROR)
    assert run.numbers == [3014]
    for command in (command for tape in tapes for command in tape.commands):
        assert command.code == VDC_READ
        assert command.size % block_size == 0
        assert command.size <= restored_by


@pytest.mark.parametrize("buffers", [1, 2, 7])
def test_many_devices_share_few_buffers(site: Site, buffers: int) -> None:
    devices = ("set", *(f"d{number}" for number in range(63)))
    tapes = [Tape() for _ in devices]
    assert site.run(backup(*devices, size=10_000_000, buffer_count=buffers), tapes).outcome.succeeded
    commands = [command for tape in tapes for command in tape.commands if command.code == VDC_WRITE]
    large = {command.buffer for command in commands if command.size > 512}
    assert len(large) == buffers
    assert all(tape.commands[-1].code == VDC_FLUSH for tape in tapes)


def test_every_buffer_is_aligned_and_has_its_prefix_zone(site: Site) -> None:
    def mark(command: Command, count: int) -> tuple[int, int]:
        if command.code == VDC_WRITE:
            poke(command.buffer - 24, b"\xee" * 24)
        return 0, count

    tapes = [Tape(complete=mark), Tape(complete=mark)]
    assert site.run(backup("set", "two"), tapes, VDConfig(prefix_zone_size=24, alignment=4096)).outcome.succeeded
    buffers = [command.buffer for tape in tapes for command in tape.commands if command.buffer]
    assert {buffer % 4096 for buffer in buffers} == {0}
    tapes = [Tape(tape.stream) for tape in tapes]
    assert site.run(restore("set", "two"), tapes, VDConfig(prefix_zone_size=24)).outcome.succeeded


def test_the_configuration_tells_the_direction_and_the_sizes(site: Site) -> None:
    made = backup(block_size=2048, max_transfer_size=131072)
    primary, execution = site.configured(made, VDConfig(features=VDF_REQUEST_COMPLETE))
    config = primary.get_configuration(0).value
    assert config is not None
    assert config.features == VDF_REQUEST_COMPLETE | VDF_WRITE_MEDIA | VDF_COMPLETE_ENABLED
    assert (config.block_size, config.max_transfer_size, config.alignment) == (2048, 131072, 2048)
    primary.release()
    assert not execution.result(PATIENCE / 1000).succeeded
    primary, execution = site.configured(made._replace(operation="restore"))
    config = primary.get_configuration(0).value
    assert config is not None
    assert config.features == VDF_READ_MEDIA
    primary.release()
    assert not execution.result(PATIENCE / 1000).succeeded


def test_complete_comes_last_where_it_was_asked_for(site: Site) -> None:
    tapes = [Tape(), Tape()]
    assert site.run(backup("set", "two"), tapes, VDConfig(features=VDF_REQUEST_COMPLETE)).outcome.succeeded
    assert [[command.code for command in tape.commands][-2:] for tape in tapes] == [[VDC_FLUSH, VDC_COMPLETE]] * 2
    refusing = Tape(complete=lambda command, count: (112 if command.code == VDC_COMPLETE else 0, count))
    run = site.run(backup(), [refusing], VDConfig(features=VDF_REQUEST_COMPLETE))
    assert (run.outcome.succeeded, run.ends, run.close) == (False, [VD_E_CLOSE], NOERROR)


def test_a_disk_is_told_where_each_transfer_goes(site: Site) -> None:
    tape = Tape()
    assert site.run(backup(), [tape], VDConfig(features=VDF_LIKE_DISK)).outcome.succeeded
    expected = 0
    for command in tape.commands:
        if command.code == VDC_WRITE:
            assert command.position == expected
            expected += command.size


def test_a_write_that_fell_short_at_the_end_of_a_medium_goes_to_the_next(site: Site) -> None:
    def run_out(command: Command, count: int) -> tuple[int, int]:
        if command.code == VDC_WRITE and len(tape.commands) == 3:
            tape.stream = tape.stream[: -command.size]
            return 1100, 0
        return 0, count

    tape = Tape(complete=run_out)
    assert site.run(backup(), [tape], VDConfig(features=VDF_REMOVABLE)).outcome.succeeded
    assert [command.code for command in tape.commands[2:5]] == [VDC_WRITE, VDC_LOAD, VDC_WRITE]
    assert site.run(restore(), [Tape(tape.stream)]).outcome.succeeded


@pytest.mark.parametrize(
    "complete",
    [
        pytest.param(lambda _command, count: (0, min(count, 512)), id="a block at a time"),
        pytest.param(lambda _command, count: (0, min(count, 1000)), id="odd counts"),
        pytest.param(
            lambda command, count: (38 if count < command.size else 0, count), id="end of file with the last bytes"
        ),
    ],
)
def test_short_reads_are_followed_by_more(site: Site, complete: Callable[[Command, int], tuple[int, int]]) -> None:
    (stream,) = site.back_up(backup())
    assert site.run(restore(), [Tape(stream, complete)]).outcome.succeeded


def test_empty_reads_are_borne_for_a_while(site: Site) -> None:
    (stream,) = site.back_up(backup())
    patient = Tape(stream, lambda _command, count: (0, 0 if len(patient.commands) % 3 else count))
    assert site.run(restore(), [patient]).outcome.succeeded
    run = site.run(restore(), [Tape(stream, lambda _command, _count: (0, 0))])
    assert run.numbers == [3254, 3013]


@pytest.mark.parametrize("code", [38, 1104])
@pytest.mark.parametrize(("length", "number"), [(0, 3254), (512, 3256), (200_000, 3256)])
def test_a_stream_that_ends_early_fails_the_restore(site: Site, code: int, length: int, number: int) -> None:
    (stream,) = site.back_up(backup())
    cut = Tape(stream[:length], lambda command, count: (code if count < command.size else 0, count))
    run = site.run(restore(), [cut])
    assert run.numbers == [number, 3013]
    assert (run.ends, run.close) == ([VD_E_CLOSE], NOERROR)


def test_streams_of_different_backups_do_not_go_together(site: Site) -> None:
    first, _ = site.back_up(backup("set", "two"))
    _, second = site.back_up(backup("other", "two"))
    run = site.run(restore("set", "two"), [Tape(first), Tape(second)])
    assert run.numbers == [3241, 3013]


@pytest.mark.parametrize("code", [29, 112, 995, 1129])
def test_a_write_that_fails_ends_the_backup_without_an_abort(site: Site, code: int) -> None:
    failing = Tape(complete=lambda _command, count: (code if len(failing.commands) == 3 else 0, count))
    run = site.run(backup("set", "two"), [Tape(), failing])
    assert run.numbers == [3202, 3041, 3013]
    assert f"error {code}" in run.outcome.messages[0][1]
    assert (run.ends, run.close) == ([VD_E_CLOSE] * 2, NOERROR)


def test_a_read_that_fails_ends_the_restore(site: Site) -> None:
    assert site.run(restore(), [Tape(complete=lambda _command, _count: (30, 0))]).numbers == [3203, 3013]


def test_a_write_of_fewer_bytes_than_asked_fails_the_backup(site: Site) -> None:
    run = site.run(backup(), [Tape(complete=lambda _command, _count: (0, 0))])
    assert run.numbers == [3202, 3041, 3013]


def test_an_abort_of_the_client_fails_the_statement(site: Site) -> None:
    primary, execution = site.configured(backup("set", "two"))
    device = primary.open_device("set").value
    assert device is not None
    assert device.get_command(PATIENCE).code == NOERROR
    waiting = site.threads.submit(device.get_command, PATIENCE)
    assert primary.signal_abort() == NOERROR
    assert waiting.result(PATIENCE / 1000).code == VD_E_ABORT
    outcome = execution.result(PATIENCE / 1000)
    assert [number for number, _ in outcome.messages] == [18210, 3271, 3041, 3013]
    assert "995" in outcome.messages[0][1]
    assert primary.close() == NOERROR


def test_an_abort_after_the_end_changes_nothing(site: Site) -> None:
    primary, execution = site.configured(backup())
    device = primary.open_device("set").value
    assert device is not None
    assert Tape().serve(device) == VD_E_CLOSE
    assert primary.signal_abort() == NOERROR
    assert execution.result(PATIENCE / 1000).succeeded


def test_without_a_set_the_statement_fails(site: Site) -> None:
    outcome = site.start(backup()).result(PATIENCE / 1000)
    assert [number for number, _ in outcome.messages] == [18210, 3041, 3013]
    assert "0x80070002" in outcome.messages[0][1]
    assert [number for number, _ in site.start(restore()).result(PATIENCE / 1000).messages] == [18210, 3013]


def test_another_number_of_devices_than_was_created_fails(site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig(device_count=2)) == NOERROR
    outcome = site.start(backup()).result(PATIENCE / 1000)
    assert [number for number, _ in outcome.messages] == [3261, 3041, 3013]
    assert primary.get_configuration(PATIENCE).code == VD_E_ABORT


def test_buffers_beyond_all_memory_fail_the_statement(site: Site) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig()) == NOERROR
    outcome = site.start(backup(buffer_count=1 << 40)).result(PATIENCE / 1000)
    assert [number for number, _ in outcome.messages] == [18210, 3041, 3013]
    assert primary.get_configuration(PATIENCE).code == VD_E_ABORT


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        (backup("set", *(f"d{number}" for number in range(64))), 3205),
        (backup("set", "set"), 3261),
        (backup(block_size=1000), 3250),
        (backup(block_size=131072), 3250),
        (backup(max_transfer_size=65537), 3250),
        (backup(max_transfer_size=8388608), 3250),
        (backup(buffer_count=0), 3250),
    ],
)
def test_a_statement_that_cannot_be_leaves_the_set_to_another(site: Site, wrong: Statement, number: int) -> None:
    primary = site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig()) == NOERROR
    outcome = site.start(wrong).result(PATIENCE / 1000)
    assert [message for message, _ in outcome.messages] == [number, 3041, 3013]
    assert primary.get_configuration(0).code == VD_E_TIMEOUT
    execution = site.start(backup())
    assert primary.get_configuration(PATIENCE).code == NOERROR
    device = primary.open_device("set").value
    assert device is not None
    assert Tape().serve(device) == VD_E_CLOSE
    assert execution.result(PATIENCE / 1000).succeeded
