"""The streams that a BACKUP writes, and which of them a RESTORE accepts."""

from __future__ import annotations

from itertools import cycle

import pytest

from vdi_conformance.contract import Database
from vdi_conformance.emulator.stream import Backup, StreamError, StreamReader

SIZE = 300_000
DATABASE = Database(7, SIZE)


def streams(
    database: Database = DATABASE,
    devices: int = 2,
    block_size: int = 512,
    max_transfer_size: int = 65536,
    backup_id: bytes = b"an id of a backup"[:16],
) -> list[bytes]:
    """Write a backup; the buffers hold something else before."""
    backup = Backup(database, devices, block_size, max_transfer_size, backup_id)
    written = []
    for device in range(devices):
        buffer = bytearray(b"\xff" * max_transfer_size)
        stream = b""
        for frame in backup.frames(device):
            assert frame.size % block_size == 0
            assert frame.size <= max_transfer_size
            frame.write_to(memoryview(buffer))
            stream += buffer[: frame.size]
        written.append(stream)
    return written


def read(stream: bytes, device: int = 0, devices: int = 2, pieces: tuple[int, ...] = (65536,)) -> bytes | None:
    """Restore one stream in pieces of these sizes, in turn; give the id of its backup."""
    reader = StreamReader(DATABASE, device, devices)
    view, sizes = memoryview(stream), cycle(pieces)
    while len(view) and not reader.finished:
        size = next(sizes)
        reader.feed(view[:size])
        view = view[size:]
    reader.end()
    return reader.backup_id


def refusal(stream: bytes, device: int = 0, devices: int = 2) -> int:
    """Give the number of the message that a stream is refused with."""
    with pytest.raises(StreamError) as caught:
        read(stream, device, devices)
    return caught.value.number


@pytest.mark.parametrize("size", [0, 1, 65472, 65473, SIZE, 1 << 20])
@pytest.mark.parametrize("devices", [1, 2, 5, 64])
@pytest.mark.parametrize(("block_size", "max_transfer_size"), [(512, 65536), (65536, 65536), (4096, 4194304)])
def test_every_scenario_comes_back(size: int, devices: int, block_size: int, max_transfer_size: int) -> None:
    database = Database(-3, size)
    readers = [StreamReader(database, device, devices) for device in range(devices)]
    for reader, stream in zip(readers, streams(database, devices, block_size, max_transfer_size), strict=True):
        reader.feed(memoryview(stream))
        reader.end()
    assert len({reader.backup_id for reader in readers}) == 1


@pytest.mark.parametrize("pieces", [(1,), (63, 1), (512, 65536), (0, 7, 4096), (100_000,), (1 << 30,)])
def test_a_stream_may_be_read_in_pieces_of_any_size(pieces: tuple[int, ...]) -> None:
    for device, stream in enumerate(streams()):
        assert read(stream, device, pieces=pieces)


def test_a_backup_can_be_made_again_and_differs_from_others() -> None:
    assert streams() == streams()
    assert streams()[0] != streams(Database(8, SIZE))[0]
    assert streams()[0] != streams(backup_id=bytes(16))[0]


@pytest.mark.parametrize("place", [0, 9, 30, 63, 64, 79, 80, 511, 512, 512 + 64, 30_000, 66_047, -1, -449, -450, -512])
def test_one_altered_byte_is_found(place: int) -> None:
    stream = bytearray(streams()[0])
    stream[place] ^= 1
    assert refusal(bytes(stream)) in (3241, 3154, 3256)


def test_swapped_devices_are_found() -> None:
    first, second = streams()
    assert refusal(second, 0) == 3241
    assert refusal(first, 1) == 3241


def test_another_number_of_devices_is_found() -> None:
    assert refusal(streams()[0], devices=1) == 3132


def test_another_database_is_found() -> None:
    assert refusal(streams(Database(8, SIZE))[0]) == 3154
    assert refusal(streams(Database(7, SIZE + 1))[0]) == 3154


def test_a_frame_of_another_backup_is_found() -> None:
    one, other = streams()[0], streams(backup_id=bytes(16))[0]
    assert refusal(one[:512] + other[512:]) == 3241


def test_missing_repeated_and_swapped_frames_are_found() -> None:
    stream = streams()[0]
    media, first, second, rest = stream[:512], stream[512:66048], stream[66048:131584], stream[131584:]
    assert media + first + second + rest == stream
    for wrong in (first + second + rest, media + second + rest, media + second + first + rest, media + media + first):
        assert refusal(wrong) == 3241


def test_what_follows_the_closing_frame_is_found() -> None:
    reader = StreamReader(DATABASE, 0, 2)
    with pytest.raises(StreamError, match="goes on"):
        reader.feed(memoryview(streams()[0] + bytes(1)))


@pytest.mark.parametrize(("length", "number"), [(0, 3254), (1, 3256), (512, 3256), (70_000, 3256), (-1, 3256)])
def test_a_stream_that_ends_early_is_found(length: int, number: int) -> None:
    assert refusal(streams()[0][:length]) == number
