"""How an ordinary client moves on a pipe, a tape and a disk."""

import pytest

from vdi_conformance.host.medium import Medium
from vdi_conformance.vdi import commands as vdc


def test_a_tape_reads_up_to_each_mark_and_past_it() -> None:
    tape = Medium(vdc.VDF_LIKE_TAPE, marks=(512, 512, 2048))
    assert [tape.readable(1024), tape.has_read(1024, 512)] == [512, 1101]
    assert [tape.readable(1024), tape.has_read(1024, 0)] == [0, 1101]
    assert [tape.readable(1024), tape.has_read(1024, 1024)] == [1024, 0]
    assert [tape.readable(1024), tape.has_read(1024, 512)] == [512, 1101]
    assert [tape.readable(1024), tape.has_read(1024, 0)] == [1024, 38]


def test_every_position_on_a_tape_is_found_again() -> None:
    marks = (0, 512, 512, 2048)
    places = []
    for skipped in range(len(marks) + 1):
        tape = Medium(vdc.VDF_LIKE_TAPE, marks=marks)
        tape.perform(vdc.VDC_REWIND, 0, 0, 4096)
        assert tape.perform(vdc.VDC_SKIP_MARKS, skipped, 0, 4096)[0] == 0
        places.append((tape.perform(vdc.VDC_GET_POSITION, 0, 0, 4096)[1], tape.readable(8192)))
    assert len(set(places)) == len(places)
    for position, readable in places:
        tape = Medium(vdc.VDF_LIKE_TAPE, marks=marks)
        assert tape.perform(vdc.VDC_SET_POSITION, 0, position, 4096) == (0, position)
        assert tape.readable(8192) == readable


def test_what_is_written_on_a_tape_ends_it() -> None:
    tape = Medium(vdc.VDF_LIKE_TAPE, marks=(512, 1024))
    tape.perform(vdc.VDC_SKIP_MARKS, 1, 0, 2048)
    tape.has_written(512)
    assert (tape.marks, tape.end) == ([512], 1024)
    tape.perform(vdc.VDC_WRITE_MARK, 0, 0, 1024)
    assert tape.marks == [512, 1024]
    assert tape.perform(vdc.VDC_SKIP_MARKS, 1, 0, 1024) == (1104, 0)


def test_blocks_are_skipped_up_to_a_mark() -> None:
    tape = Medium(vdc.VDF_LIKE_TAPE, block_size=512, marks=(1024,))
    assert [tape.perform(vdc.VDC_SKIP_BLOCKS, 1, 0, 4096)[0] for _ in range(3)] == [0, 0, 1101]


@pytest.mark.parametrize(
    ("origin", "position", "found"),
    [(0, 7, 7), (1, 7, 107), (2, 0, 1000), (2, (1 << 64) - 10, 990)],
)
def test_a_disk_counts_from_three_origins(origin: int, position: int, found: int) -> None:
    disk = Medium(vdc.VDF_LIKE_DISK, offset=100)
    assert disk.perform(vdc.VDC_SET_POSITION, origin, position, 1000) == (0, found)
    assert disk.perform(vdc.VDC_GET_POSITION, 0, 0, 1000) == (0, found)


@pytest.mark.parametrize("features", [vdc.VDF_LIKE_PIPE, vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK])
def test_what_nobody_knows_is_not_supported(features: int) -> None:
    medium = Medium(features)
    assert [medium.perform(code, 0, 0, 0)[0] for code in (vdc.VDC_FLUSH, vdc.VDC_GET_ERROR, 999)] == [0, 50, 50]
