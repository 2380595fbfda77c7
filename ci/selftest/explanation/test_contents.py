"""What is known of the bytes of a buffer: what was stored and seen, and what can then not be seen any more."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from vdi_conformance.explanation.contents import Contents, Stretch, forgotten, seen, stored, stretch

SIZE = 24
bytes_ = st.integers(0, SIZE - 1).flatmap(
    lambda start: st.tuples(st.just(start), st.binary(min_size=1, max_size=SIZE - start))
)


def _digest(start: int, data: bytes) -> Stretch:
    return Stretch(start, len(data), None, hashlib.sha256(data).hexdigest(), "digest")


@given(st.lists(bytes_, max_size=6), bytes_)
def test_bytes_are_right_where_they_are_those_of_a_memory(
    stores: list[tuple[int, bytes]], look: tuple[int, bytes]
) -> None:
    memory: list[int | None] = [None] * SIZE
    contents: Contents = ()
    for start, data in stores:
        memory[start : start + len(data)] = data
        contents = stored(contents, stretch(start, data, "stored"))
    start, data = look
    right = all(known in (None, byte) for known, byte in zip(memory[start:], data, strict=False))
    assert isinstance(seen(contents, stretch(start, data, "seen")), str) == (not right)
    whole = all(known is not None for known in memory[start : start + len(data)])
    assert isinstance(seen(contents, _digest(start, data)), str) == (whole and not right)


@given(bytes_, bytes_)
def test_what_was_seen_stays_so_until_something_is_stored(first: tuple[int, bytes], second: tuple[int, bytes]) -> None:
    contents = seen((), stretch(*first, "seen"))
    assert isinstance(contents, tuple)
    assert seen(contents, stretch(*first, "again")) is contents
    assert isinstance(seen(stored(contents, stretch(*second, "stored")), stretch(*second, "seen")), tuple)
    assert isinstance(seen(forgotten(contents, 0, SIZE), stretch(first[0], first[1][::-1], "seen")), tuple)


def test_a_digest_is_remembered_until_something_of_it_is_stored() -> None:
    contents = seen((), _digest(0, b"four"))
    assert isinstance(contents, tuple)
    assert seen(contents, _digest(0, b"five")) == "digest"
    assert isinstance(seen(stored(contents, stretch(3, b"k", "stored")), _digest(0, b"five")), tuple)
