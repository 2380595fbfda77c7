"""What counts as kept: growth without end, and neither what is loaded at first nor what has a limit."""

import mmap
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from vdi_conformance.harness.kept import CALM, ROUNDS, Growth
from vdi_conformance.host.resources import Resources, lasting, resources_of

PATIENCE = 10.0
"""Seconds for what is bound to come."""


def rests(numbers: Iterable[int], least: int = 1) -> bool:
    growth = Growth(CALM, least)
    for number in numbers:
        growth.take(number)
    return growth.rests


@pytest.mark.parametrize("every", [1, 2, 3, CALM])
def test_what_grows_again_and_again_never_rests(every: int) -> None:
    assert not rests(round_ // every for round_ in range(ROUNDS))


@pytest.mark.parametrize("most", [0, 1, 16, ROUNDS - CALM - 1])
def test_what_has_a_limit_rests(most: int) -> None:
    assert rests(min(round_, most) for round_ in range(ROUNDS))


def test_what_is_given_back_late_rests() -> None:
    assert rests(round_ % 5 for round_ in range(ROUNDS))


def test_growth_counts_from_where_it_last_counted() -> None:
    assert rests(range(CALM + 1), least=CALM + 1)
    assert not rests(range(0, ROUNDS * 3, 3), least=CALM * 3)


def own() -> Resources:
    found = resources_of(os.getpid())
    if found is None:
        pytest.skip("this system does not let one look into a process")
    return found


def test_a_process_is_seen_with_what_it_has(tmp_path: Path) -> None:
    before, over = own(), threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    path = tmp_path / "shared"
    path.write_bytes(bytes(1 << 20))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
        found = own()
        assert found.handles > before.handles
        assert found.threads == before.threads + 1
        assert found.mapped >= before.mapped + len(shared)
        assert found.shared >= before.shared + len(shared)
        named = found.files - before.files
        assert lasting(named) == len(named) == 1
    over.set()
    thread.join()
    # The system may still be taking a thread down that Python has joined.
    end = time.monotonic() + PATIENCE
    while own().threads > before.threads and time.monotonic() < end:
        pass
    assert own().threads == before.threads
    if sys.platform != "win32":
        path.unlink()
        assert lasting(named) == 0


def test_nothing_is_seen_of_a_process_that_is_gone() -> None:
    assert resources_of(0x3FFFFFFF) is None
