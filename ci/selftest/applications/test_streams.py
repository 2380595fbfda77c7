"""Streams in digests: what a RESTORE reads otherwise than it was written, and which requirement that breaks."""

from __future__ import annotations

from random import Random

import pytest

from vdi_conformance.applications.rules.streams import charged
from vdi_conformance.applications.streams import StreamTrace, first_difference

WRITES = (512, 65536, 65536, 65536, 512)
CONTENTS = [Random(number).randbytes(size) for number, size in enumerate(WRITES)]
OTHERS = [Random(100 + number).randbytes(size) for number, size in enumerate(WRITES)]
STREAM = b"".join(CONTENTS)
CHANGED = bytearray(STREAM)
CHANGED[70_000] ^= 1


def written(name: str, contents: list[bytes], junk: int | None = None) -> StreamTrace:
    """Trace Writes, one of which may have a position that means nothing."""
    trace = StreamTrace(name)
    for number, data in enumerate(contents):
        trace.add(data, number == junk)
    return trace


def read(stream: bytes, sizes: tuple[int, ...], like: StreamTrace, junk: int | None = None) -> StreamTrace:
    """Trace Reads of these sizes, the last one as often as it takes."""
    trace = StreamTrace("read", is_read=True)
    trace.cut_like(like)
    number = 0
    while stream:
        size = sizes[min(number, len(sizes) - 1)]
        trace.add(stream[:size], number == junk)
        stream, number = stream[size:], number + 1
    return trace


def verdict(stream: bytes, sizes: tuple[int, ...] = WRITES, write: int | None = None, read_: int | None = None) -> str:
    """Tell which requirement a stream breaks that is read of one of two devices; nothing where it is right."""
    both = written("one", CONTENTS, write), written("two", OTHERS)
    got = read(stream, sizes, both[0], read_)
    found = first_difference(both, 0, got, to_the_end=True)
    return "" if found is None else charged(both[0], got, found)


@pytest.mark.parametrize("sizes", [(512,), (4096,), (1 << 20,), WRITES, (1536, 512, 20480, 7168)])
def test_sizes_make_no_difference(sizes: tuple[int, ...]) -> None:
    assert verdict(STREAM, sizes) == ""
    assert verdict(bytes(CHANGED), sizes) == "BUF-17"


@pytest.mark.parametrize(
    ("stream", "breaks"),
    [
        pytest.param(b"".join([*CONTENTS[:2], *CONTENTS[3:]]), "VDC-05", id="a Write is missing"),
        pytest.param(STREAM[:-512], "BUF-17", id="the end is missing"),
        pytest.param(STREAM + bytes(512), "BUF-17", id="there is more"),
        pytest.param(STREAM[:66048] + OTHERS[2] + STREAM[131584:], "BUF-18", id="another device's"),
        pytest.param(bytes(CHANGED), "BUF-17", id="a bit is changed"),
    ],
)
def test_what_differs_is_charged_to_what_it_bears_the_traces_of(stream: bytes, breaks: str) -> None:
    assert verdict(stream) == breaks


def test_a_read_that_goes_back_is_not_in_order() -> None:
    assert verdict(STREAM[:66048] + STREAM[512:]) == "VDC-01"


def test_a_read_of_another_size_that_loses_the_place_breaks_the_rule_of_sizes() -> None:
    lost = STREAM[: 512 + 1024] + STREAM[512 + 65536 :]
    assert verdict(lost, sizes=(512, 1024, 65536)) == "BUF-11"


def test_a_transfer_that_went_astray_at_its_position_is_told_from_one_that_is_lost() -> None:
    hole = STREAM[:66048] + bytes(65536) + STREAM[131584:]
    assert verdict(hole, write=2) == "VDC-28"
    assert verdict(hole) == "BUF-17"
    assert verdict(hole, read_=2) == "VDC-28"
