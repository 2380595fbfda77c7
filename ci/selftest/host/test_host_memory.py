"""Memory of a host: what may be touched is, what may not is refused without a signal."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdi_conformance.host.child.memory import expand
from vdi_conformance.host.errors import InvalidParams, MemoryFault
from vdi_conformance.host.messages.memory import (
    AllocateMemory,
    DigestMemory,
    FillMemory,
    FindOutsideAddresses,
    LoadMemory,
    ReadMemory,
    ReserveMemory,
    SaveMemory,
    WriteMemory,
)

if TYPE_CHECKING:
    from pathlib import Path

    from vdi_conformance.host.messages.base import Request
    from vdi_conformance.host.process import Host

MIB = 1 << 20


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def allocated(host: Host, size: int) -> str:
    return host.call(AllocateMemory(size=size)).address


def test_contents_follow_from_their_seed_as_it_is_written_down() -> None:
    pattern = b"".join(hashlib.sha256(f"7:{block}".encode()).digest() for block in range(128))
    second = bytes([pattern[0] ^ 1]) + pattern[1:]
    assert expand(7, 3 * 4096)[: 2 * 4096] == pattern + second


@given(seed=st.integers(), size=st.integers(0, 20000), cut=st.integers(0, 20000))
@settings(max_examples=50, deadline=None)
def test_contents_of_one_size_begin_those_of_another(seed: int, size: int, cut: int) -> None:
    contents = expand(seed, size)
    assert len(contents) == size
    assert contents.startswith(expand(seed, min(size, cut)))


def test_no_two_pages_of_a_buffer_and_no_two_seeds_are_equal() -> None:
    contents = b"".join(expand(seed, 4 * MIB) for seed in (0, 1, -1))
    pages = [contents[start : start + 4096] for start in range(0, len(contents), 4096)]
    assert len(set(pages)) == len(pages)


def test_fresh_memory_is_zero_and_keeps_what_is_written(host: Host) -> None:
    address = allocated(host, 100_000)
    assert host.call(DigestMemory(address=address, size=100_000)).sha256 == sha256(bytes(100_000))
    host.call(WriteMemory(address=address, data="00ff10"))
    assert host.call(ReadMemory(address=address, size=4)).data == "00ff1000"


def test_the_largest_read_and_write(host: Host) -> None:
    address = hex(int(allocated(host, 80_000), 16) + 13)
    data = expand(3, 65536)
    host.call(WriteMemory(address=address, data=data.hex()))
    assert bytes.fromhex(host.call(ReadMemory(address=address, size=65536)).data) == data


@pytest.mark.parametrize("size", [0, 1, 4096, 3 * MIB + 5])
def test_what_is_filled_has_the_digest_of_its_contents(host: Host, size: int) -> None:
    address = hex(int(allocated(host, 3 * MIB + 4096), 16) + 3)
    host.call(FillMemory(address=address, size=size, seed=99))
    assert host.call(DigestMemory(address=address, size=size)).sha256 == sha256(expand(99, size))


def test_save_and_load_move_bytes_by_files(host: Host, tmp_path: Path) -> None:
    size = 2 * MIB + 1
    source, target = allocated(host, size), allocated(host, size)
    host.call(FillMemory(address=source, size=size, seed=1))
    path = tmp_path / "bytes"
    saved = host.call(SaveMemory(address=source, size=size, path=str(path), offset=10))
    assert saved.sha256 == sha256(path.read_bytes()[10:]) == sha256(expand(1, size))
    loaded = host.call(LoadMemory(address=target, size=size, path=str(path), offset=10))
    assert loaded.sha256 == host.call(DigestMemory(address=target, size=size)).sha256 == saved.sha256
    with pytest.raises(InvalidParams, match="ends before byte"):
        host.call(LoadMemory(address=target, size=size, path=str(path), offset=11))


def test_outside_addresses_lie_in_four_kinds_of_memory(host: Host) -> None:
    marks = host.call(FindOutsideAddresses())
    assert len({int(address, 16) >> 12 for address in (marks.stack, marks.heap, marks.data, marks.unmapped)}) == 4
    for address in (marks.stack, marks.heap, marks.data):
        assert host.call(ReadMemory(address=address, size=1)).data
    with pytest.raises(MemoryFault):
        host.call(ReadMemory(address=marks.unmapped, size=1))
    assert host.call(FindOutsideAddresses()) == marks


def test_address_space_is_reserved_where_it_is_asked_for(host: Host) -> None:
    anywhere = host.call(ReserveMemory(size=1 << 40)).address
    wanted = hex(int(anywhere, 16) - (1 << 32))
    assert host.call(ReserveMemory(size=65536, address=wanted)).address == wanted
    taken = host.call(ReserveMemory(size=65536, address=wanted)).address
    assert taken != wanted


@pytest.mark.parametrize("address", ["0x0", "0x1", "0xffff800000000000", "0xffffffffffffffff", "0x7fffffffffffffff"])
def test_memory_that_is_not_there_is_refused_without_a_signal(host: Host, address: str, tmp_path: Path) -> None:
    sentence = re.escape(f"bytes at {address} cannot all be")
    requests: list[Request[Any]] = [
        ReadMemory(address=address, size=16),
        WriteMemory(address=address, data="00"),
        FillMemory(address=address, size=16, seed=0),
        DigestMemory(address=address, size=16),
        SaveMemory(address=address, size=16, path=str(tmp_path / "x"), offset=0),
    ]
    for request in requests:
        with pytest.raises(MemoryFault, match=sentence):
            host.call(request)
    address = allocated(host, 16)
    host.call(WriteMemory(address=address, data="0102"))
    assert host.call(ReadMemory(address=address, size=3)).data == "010200"


def test_a_span_that_is_cut_off_is_refused_as_a_whole(host: Host) -> None:
    start = int(host.call(ReserveMemory(size=1 << 30)).address, 16)
    # On Linux the next map lies right below, so that the span below begins with bytes that are there.
    below = int(allocated(host, 1 << 16), 16)
    for address, size in ((start, 16), (start - 8, 16), (start - 60_000, 65536)):
        with pytest.raises(MemoryFault):
            host.call(ReadMemory(address=hex(address), size=size))
        with pytest.raises(MemoryFault):
            host.call(WriteMemory(address=hex(address), data="00" * size))
    host.call(WriteMemory(address=hex(below), data="0102"))
    assert host.call(ReadMemory(address=hex(below), size=3)).data == "010200"
