"""What processes share while commands are outstanding: single bytes at once, their own addresses, fresh contents."""

from collections.abc import Iterator

import pytest

from vdi_conformance.harness.device import Fetched, await_commands
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.memory import PAGE
from vdi_conformance.harness.parametrizations import OWNERS
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    keep_free,
    mapped_view,
    mark,
    require_each_the_same,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE
from vdi_conformance.vdi.structures import MAX_TRANSFER_SIZE, MIN_BLOCK_SIZE


@pytest.mark.parametrize(
    ("kind", "owner", "transfer"),
    [("backup", 0, 64 << 10), ("restore", 1, 64 << 10), ("backup", 2, 1 << 20), ("restore", 0, MAX_TRANSFER_SIZE)],
    ids=["backup-primary-64 KiB", "restore-secondary-64 KiB", "backup-secondary-1 MiB", "restore-primary-4 MiB"],
)
@vdi_requirement("MBH-02", "MBH-17")
def test_single_bytes_at_page_edges_show_everywhere(testbed: Testbed, kind: Kind, owner: int, transfer: int) -> None:
    """Single bytes that any process stores at the edges of pages show in all that have the buffer mapped."""
    scenario = Scenario(owners=(owner,), secondaries=2, max_transfer_size=transfer, buffer_count=1, transfers=1)
    statement = testbed.statement(kind, scenario)
    statement.answer(statement.next_data_command()).expect(NOERROR)
    command = statement.next_data_command()
    handle = handle_of(command)
    others = [one for one in statement.clients if one is not command.device.client]
    views = [fetched_view(command), mapped_view(others[0], handle)]
    with judging("MBH-17"):
        views += [mapped_view(one, handle) for one in others[1:]]
    edges = _edges(command.size)
    for number, writer in enumerate(views, 1):
        values = {edge: (index + 85 * number) % 256 for index, edge in enumerate(edges)}
        writer.process.poke({writer.address + edge: value for edge, value in values.items()})
        for reader in views:
            # What one mapping shows of the fetched buffer is MBH-02; what two of them show of each other, MBH-17.
            with judging("MBH-02" if views[0] in (reader, writer) else "MBH-17"):
                _require_bytes(reader, values, writer)


def _edges(size: int) -> list[int]:
    """The first and last bytes of the buffer and of at most 16 of its pages, evenly spread."""
    pages = range(0, size, max(PAGE, size // 16 // PAGE * PAGE))
    return sorted({edge for page in pages for edge in (page, min(page + PAGE, size) - 1)} | {size - 1})


def _require_bytes(reader: BufferView, values: dict[int, int], writer: BufferView) -> None:
    seen = reader.process.peek([reader.address + offset for offset in values])
    for (offset, value), found in zip(values.items(), seen, strict=True):
        if found != value:
            raise ConformanceFailure(
                f"byte {offset} that {writer.process.name} stored does not show in {reader.process.name}"
            )


@OWNERS
@vdi_requirement("MBH-02")
def test_nothing_appears_at_the_fetchers_address_elsewhere(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle takes another address where the fetcher's is occupied, and leaves that one alone."""
    statement = testbed.statement(kind, Scenario(owners=(owner,), secondaries=1))
    command = statement.next_data_command()
    mapper = statement.clients[1 - owner]
    keep_free(mapper, command)
    view = mapped_view(mapper, handle_of(command))
    require_same_memory(command.size, fetched_view(command), view, seed=testbed.seed)
    if any(mapper.has_memory_at(command.buffer + offset) for offset in (0, command.size - 1)):
        raise ConformanceFailure(f"mapping put something at the fetcher's address {command.buffer:#x}, which was taken")


@vdi_requirement("GBH-01", "MBH-01", "MBH-02")
def test_a_thousand_fresh_handles_map_the_current_bytes(testbed: Testbed) -> None:
    """In a thousand transfers each handle maps, in a third process, to the bytes that its buffer has then."""
    backup = testbed.backup(Scenario(devices=4, owners=(0, 1), secondaries=2, buffer_count=6, transfers=260))
    mapper = backup.secondaries[1]
    for batch in _batches(backup, testbed):
        # Many steps at once, since each alone would wait for a process to be woken.
        data = [command for command in batch if command.code in vdc.DATA_COMMANDS]
        asked = [command.device.client.send_get_buffer_handle(command.buffer) for command in data]
        with judging("GBH-01"):
            handles = [later.result().expect(NOERROR) for later in asked]
        mapped = [mapper.send_map_buffer_handle(handle) for handle in handles]
        with judging("MBH-01"):
            views = [BufferView(mapper, later.result().expect(NOERROR)) for later in mapped]
        pairs = [(fetched_view(command), view) for command, view in zip(data, views, strict=True)]
        with judging("MBH-02"):
            require_each_the_same(MIN_BLOCK_SIZE, pairs)
        for later in [one.device.send_complete(one, 0, one.size if one in data else 0) for one in batch]:
            later.result().expect(NOERROR)
    backup.close()
    backup.require_success(backup.outcome())


def _batches(backup: StatementRun, testbed: Testbed) -> Iterator[list[Fetched]]:
    """Give what has come for all devices at the same moment, until all are closed; the caller completes each."""
    waiting = {device: device.send_get_command() for device in backup.devices}
    while waiting:
        results = [waiting.pop(device).result() for device in await_commands(testbed.session.supervisor, waiting)]
        for result in results:
            result.expect(NOERROR, VD_E_CLOSE)
        if batch := [result.expect(NOERROR) for result in results if result.succeeded]:
            yield batch
        waiting |= {command.device: command.device.send_get_command() for command in batch}


@vdi_requirement("GBH-08", "MBH-27")
def test_processes_fill_each_others_buffers(testbed: Testbed, kind: Kind) -> None:
    """A statement succeeds in which primary and secondary each move the data of the other's commands."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(0, 1), transfers=5))
    for _ in range(2):
        commands = statement.hold_all()
        views = _views_of_others(commands)
        with judging("MBH-27"):
            for command, view in zip(commands, views, strict=True):
                require_same_contents(command.size, fetched_view(command), view)
        for command, view in reversed(list(zip(commands, views, strict=True))):
            statement.answer(command, view).expect(NOERROR)
    end = statement.finish()
    with judging("MBH-27"):
        statement.require_success(end)


@vdi_requirement("CMP-01", "GBH-08", "MBH-27")
def test_the_server_sees_what_the_other_process_stored(testbed: Testbed) -> None:
    """The server takes from a completed Read what another process than the fetcher stored by its mapping."""
    scripted = testbed.scripted(Scenario(devices=2, owners=(0, 1)), features=vdc.VDF_READ_MEDIA)
    buffers, size = [scripted.allocate() for _ in range(2)], scripted.scenario.max_transfer_size
    for turn in range(4):
        tags = [scripted.send(buffer, vdc.VDC_READ, device=number) for number, buffer in enumerate(buffers)]
        commands = [device.next_command() for device in scripted.devices]
        views = _views_of_others(commands)
        stored = [mark(view, size, testbed.seed + 2 * turn + number) for number, view in enumerate(views)]
        for number in (1, 0):
            with judging("CMP-01"):
                scripted.devices[number].complete(commands[number], 0, size - turn - number).expect(NOERROR)
                scripted.completed(tags[number], 0, size - turn - number)
        with judging("MBH-27"):
            for buffer, one in zip(buffers, stored, strict=True):
                if scripted.server.digest(buffer, size) != one.digest:
                    raise ConformanceFailure("the server sees other bytes than were stored")


def _views_of_others(commands: list[Fetched]) -> list[BufferView]:
    """Map each of two buffers in the process that fetched the other one."""
    with judging("GBH-08"):
        first, second = [handle_of(command) for command in commands]
    in_first, in_second = [command.device.client for command in commands]
    return [mapped_view(in_second, first), mapped_view(in_first, second)]
