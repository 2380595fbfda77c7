"""Address layouts: no two live hosts map the same things at the same addresses."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.host.child.layout import SLOTS, Slots, separate
from vdi_conformance.host.messages.memory import AllocateMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.supervisor import Start

HOSTS = 12


@pytest.mark.parametrize("size", [4096, 65536, 4 << 20, 64 << 20, 1 << 30], ids=hex)
def test_fresh_maps_of_live_hosts_never_overlap(launch: Callable[..., Host], start: Start, size: int) -> None:
    hosts = [launch(name=str(number)) for number in range(HOSTS)]
    assert all(host.initialized.process.own_layout for host in hosts)
    spans = []
    for host in hosts:
        addresses = [int(host.call(AllocateMemory(size=size)).address, 16) for _ in range(2)]
        spans.append((min(addresses), max(addresses) + size))
    # Hosts that are started by themselves differ by chance beyond what their low bits tell apart.
    if size <= 4 << 20 or start == "forkserver":
        for one, other in itertools.combinations(spans, 2):
            assert one[1] <= other[0] or other[1] <= one[0]
    assert len({start & 0xFFFFFFFF for start, _ in spans}) == HOSTS


def test_slots_are_used_again_and_run_out() -> None:
    slots = Slots()
    taken = [slots.take() for _ in range(SLOTS)]
    assert len(set(taken)) == SLOTS
    assert slots.take() == 0
    slots.give_back(taken[5])
    assert slots.take() == taken[5]


def test_without_a_slot_there_is_no_layout_of_its_own() -> None:
    assert not separate(0)
