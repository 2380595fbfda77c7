"""Buffers: that a Write shows what the server stored, and that a Read gives the server what the client stored."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.expectations import Code
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import USUAL, Scenario
from vdi_conformance.harness.shared_memory import BufferView, fetched_view, mark, require_same_contents
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_HANDLE_EOF, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE

LAYOUTS = pytest.mark.parametrize(
    "scenario",
    [
        Scenario(buffer_count=2),
        Scenario(owners=(1,), block_size=4096, max_transfer_size=131072, prefix_zone_size=24, buffer_count=2),
        Scenario(block_size=65536, max_transfer_size=1 << 20, alignment=65536, prefix_zone_size=513, buffer_count=2),
        Scenario(owners=(1,), block_size=512, max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=1),
    ],
    ids=["64 KiB", "128 KiB", "1 MiB", "4 MiB"],
)


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(transfers=8),
        Scenario(devices=2, owners=(0, 1), block_size=4096, max_transfer_size=131072, prefix_zone_size=24),
        Scenario(devices=3, owners=(1, 2, 3), block_size=65536, max_transfer_size=1 << 20, transfers=2),
        Scenario(owners=(1,), max_transfer_size=MAX_TRANSFER_SIZE, buffer_count=2, transfers=2),
    ],
    ids=["64 KiB", "128 KiB", "1 MiB", "4 MiB"],
)
@vdi_requirement("BUF-03")
def test_what_a_backup_wrote_can_be_restored(testbed: Testbed, scenario: Scenario) -> None:
    """A RESTORE of the very bytes that a BACKUP wrote succeeds, whatever its sizes, devices and processes."""
    streams = testbed.directory("streams")
    testbed.backup(scenario, streams).succeed()
    restore = testbed.restore(scenario, streams)
    end = restore.finish()
    with judging("BUF-03"):
        restore.require_success(end)


@OWNERS
@vdi_requirement("BUF-03", "BUF-04")
def test_one_changed_byte_makes_a_restore_fail(testbed: Testbed, owner: int) -> None:
    """A RESTORE of what a BACKUP wrote succeeds, and one fails whose first byte was changed."""
    scenario = replace(USUAL, owners=(owner,))
    streams = testbed.directory("streams")
    testbed.backup(scenario, streams).succeed()
    with judging("BUF-03"):
        testbed.restore(scenario, streams).succeed()
    # The first byte says what kind of stream it is: one deep inside a database's pages need not be checked.
    _change_byte(streams / "0.stream", 0)
    restore = testbed.restore(scenario, streams)
    if _succeeds(restore, restore.answer_any):
        sentence = "a RESTORE accepted a stream whose first byte was changed"
        raise ConformanceFailure(sentence, ("failure",), "success", by="BUF-04")


def _succeeds(restore: StatementRun, answer: Callable[[Fetched], Code]) -> bool:
    """Serve a RESTORE that may fail, and tell whether it succeeded; whether it then aborts is the server's choice."""
    while (result := restore.device.get_command()).succeeded:
        answer(result.expect(NOERROR)).expect(NOERROR, VD_E_ABORT)
    result.expect(VD_E_CLOSE, VD_E_ABORT)
    return bool(restore.outcome().succeeded)


def _change_byte(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        before = file.read(1)
        file.seek(offset)
        file.write(bytes([before[0] ^ 1]))


@OWNERS
@vdi_requirement("BUF-04")
def test_a_restore_takes_short_reads_as_they_are(testbed: Testbed, owner: int) -> None:
    """A RESTORE may be given fewer bytes than it asks for, and how it ends is recorded."""
    restore = testbed.restore(Scenario(owners=(owner,), transfers=6))
    draw = random.Random(testbed.seed)

    def answer_in_part(command: Fetched) -> Code:
        if command.code != vdc.VDC_READ:
            return restore.answer_any(command)
        content = restore.content(command)
        part = replace(content, size=min(content.size, draw.randint(1, command.size)))
        command.device.client.fill(command.buffer, part)
        ended = part.size == content.size < command.size
        return command.device.complete(command, ERROR_HANDLE_EOF if ended else ERROR_SUCCESS, part.size)

    # Whether short Reads are enough for it is up to the server (CMP-16): the scripted sister shows what it was given.
    ended = "success" if _succeeds(restore, answer_in_part) else "failure"
    testbed.observe("Q15", "a RESTORE whose Reads move fewer bytes than asked for", ended)


@LAYOUTS
@vdi_requirement("BUF-03")
def test_a_write_shows_exactly_what_the_server_stored(testbed: Testbed, scenario: Scenario) -> None:
    """The buffer of a Write holds exactly the bytes that the server sent, as many as it sent."""
    scripted = testbed.scripted(scenario)
    buffers = [scripted.allocate() for _ in range(scenario.buffer_count)]
    for number, size in enumerate(_sizes(scenario, testbed.seed)):
        buffer = buffers[number % len(buffers)]
        stored = mark(BufferView(scripted.server, buffer), size, testbed.seed + number)
        tag = scripted.send(buffer, size=size)
        command = scripted.device.next_command()
        assert command.size == size, f"a Write of {size} bytes came as one of {command.size}"
        require_same_contents(size, stored.view, fetched_view(command))
        scripted.device.complete(command, ERROR_SUCCESS, size).expect(NOERROR)
        scripted.completed(tag, ERROR_SUCCESS, size)


@LAYOUTS
@vdi_requirement("BUF-04")
def test_a_read_gives_the_server_exactly_what_was_stored(testbed: Testbed, scenario: Scenario) -> None:
    """The server sees exactly the bytes that the client stored for a Read, up to the byte count."""
    scripted = testbed.scripted(scenario, features=vdc.VDF_READ_MEDIA)
    buffers = [scripted.allocate() for _ in range(scenario.buffer_count)]
    draw = random.Random(testbed.seed)
    for number, size in enumerate(_sizes(scenario, testbed.seed)):
        buffer = buffers[number % len(buffers)]
        tag = scripted.send(buffer, vdc.VDC_READ, size)
        command = scripted.device.next_command()
        assert command.size == size, f"a Read of {size} bytes came as one of {command.size}"
        count = size if number % 3 == 0 else draw.randint(1, size)
        stored = mark(fetched_view(command), count, testbed.seed + number)
        scripted.device.complete(command, ERROR_SUCCESS, count).expect(NOERROR)
        scripted.completed(tag, ERROR_SUCCESS, count)
        if scripted.server.digest(buffer, count) != stored.digest:
            raise ConformanceFailure(f"the server sees other bytes than the {count} that the client stored")


@OWNERS
@vdi_requirement("BUF-04", "CMP-17")
def test_the_last_bytes_come_with_the_end_of_data(testbed: Testbed, owner: int) -> None:
    """A Read that is completed with ERROR_HANDLE_EOF gives the server the count, and the bytes that were stored."""
    scripted = testbed.scripted(Scenario(devices=4, owners=(owner,)), features=vdc.VDF_READ_MEDIA)
    for index, count in enumerate((1, 1000, 65535, 65536)):
        buffer = scripted.allocate()
        tag = scripted.send(buffer, vdc.VDC_READ, device=index)
        command = scripted.devices[index].next_command()
        stored = mark(fetched_view(command), count, testbed.seed + index)
        command.device.complete(command, ERROR_HANDLE_EOF, count).expect(NOERROR, by="CMP-01")
        with judging("CMP-17"):
            scripted.completed(tag, ERROR_HANDLE_EOF, count)
        if scripted.server.digest(buffer, count) != stored.digest:
            raise ConformanceFailure(f"the server sees other bytes than the last {count}", by="BUF-04")


def _sizes(scenario: Scenario, seed: int) -> list[int]:
    """Legal sizes: one, two and three blocks, all and all but one, and others between as drawn; few large ones."""
    blocks = scenario.max_transfer_size // scenario.block_size
    others = random.Random(seed).choices(range(1, blocks + 1), k=max(2, (2 << 20) // scenario.max_transfer_size))
    return [count * scenario.block_size for count in (1, 2, 3, blocks - 1, blocks, *others, 1)]
