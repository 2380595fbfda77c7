"""MapBufferHandle of numbers that are no handles: far from every handle, and beside one."""

import random
from itertools import product

from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import OWNER_NAMES, OWNERS, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import (
    BufferView,
    fetched_view,
    handle_of,
    mapped_view,
    require_inside,
    require_same_contents,
    require_same_memory,
)
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import MIN_BLOCK_SIZE

DISTANCES = (1, 2, 4, 512, -1, -2, -4, -512)
NEAR = 1 << 22
"""So many bytes that a pool of a few small buffers is surely smaller."""


@alternating_direction("owner", [0, 1], OWNER_NAMES)
@vdi_requirement("MBH-04")
def test_a_number_that_is_no_handle_is_refused(testbed: Testbed, kind: Kind, owner: int) -> None:
    """MapBufferHandle answers VD_E_INVALID for a number further from every handle than the pool is large."""
    statement = testbed.statement(kind, Scenario(devices=2, owners=(owner,), secondaries=1))
    commands = statement.hold_all()
    handles = [handle_of(command) for command in commands]
    mapper = statement.clients[1 - owner]
    for number in _far_numbers(handles, statement.pool_size, testbed.seed):
        for client in (mapper, statement.clients[owner]):
            client.map_buffer_handle(number).expect(VD_E_INVALID)
    for command, handle in zip(commands, handles, strict=True):
        require_same_contents(command.size, fetched_view(command), mapped_view(mapper, handle))


def _far_numbers(handles: list[int], pool_size: int, seed: int) -> list[int]:
    """Numbers so far from every handle that no reading of a handle makes them one of the pool's."""
    draw = random.Random(seed)
    candidates = [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, *(draw.randrange(1 << 32) for _ in range(12))]
    distances = {one: [(one - handle) % (1 << 32) for handle in handles] for one in candidates}
    return [one for one, far in distances.items() if all(pool_size < gap < (1 << 32) - pool_size for gap in far)]


@OWNERS
@vdi_requirement("MBH-04")
def test_all_bits_of_a_handle_count(testbed: Testbed, owner: int) -> None:
    """A handle with one of its upper 16 bits changed maps to another buffer at most, never to its own."""
    statement = testbed.backup(Scenario(devices=2, owners=(owner,), secondaries=1))
    commands = statement.hold_all()
    mapper = statement.clients[1 - owner]
    for number, command in enumerate(commands):
        testbed.fill(fetched_view(command), command.size, testbed.seed + number)
    for command in commands:
        handle = handle_of(command)
        wanted = command.device.client.digest(command.buffer, MIN_BLOCK_SIZE)
        mapped_view(mapper, handle)
        for bit in range(16, 32):
            # A changed bit may make it the handle of another buffer, but never one of the same buffer.
            result = mapper.map_buffer_handle(handle ^ 1 << bit)
            result.expect(VD_E_INVALID, NOERROR)
            if result.succeeded and mapper.digest(result.expect(NOERROR), MIN_BLOCK_SIZE) == wanted:
                raise ConformanceFailure(f"bit {bit} of a handle makes no difference")


@vdi_requirement("MBH-25")
def test_a_neighbour_of_a_handle_reaches_no_foreign_memory(testbed: Testbed) -> None:
    """A number beside a handle gives VD_E_INVALID or a readable address that is no private memory."""
    statement = testbed.backup(Scenario(devices=2, secondaries=1))
    commands = statement.hold_all()
    secondary = statement.secondaries[0]
    canary = secondary.allocate(65536)
    seen: set[str] = set()
    for handle, distance in product(map(handle_of, commands), DISTANCES):
        result = secondary.map_buffer_handle((handle + distance) % (1 << 32))
        result.expect(VD_E_INVALID, NOERROR)
        seen.add(result.name)
        if result.succeeded:
            address = result.expect(NOERROR)
            secondary.read(address, 1)
            assert not canary <= address < canary + 65536, "a neighbour of a handle reached private memory"
    testbed.observe("Q57", "MapBufferHandle beside the handles of two devices", " and ".join(sorted(seen)))
    for command in commands:
        statement.answer(command).expect(NOERROR)
    statement.succeed()


@vdi_requirement("MBH-25")
def test_a_neighbour_of_a_handle_is_no_memory_of_the_process(testbed: Testbed) -> None:
    """A number beside a handle gives VD_E_INVALID or an address of the pool, and never other memory."""
    scripted = testbed.scripted(Scenario(secondaries=1, buffer_count=2))
    buffers = [scripted.allocate() for _ in range(scripted.scenario.buffer_count)]
    for buffer in buffers:
        scripted.send(buffer)
    commands = [scripted.device.next_command() for _ in buffers]
    places = [fetched_view(command) for command in commands]
    handles = [handle_of(command) for command in commands]
    secondary = scripted.secondaries[0]
    known = []
    for place, handle in zip(places, handles, strict=True):
        view = mapped_view(secondary, handle)
        require_same_memory(scripted.scenario.max_transfer_size, place, view, seed=testbed.seed)
        known.append(view.address)
    seen: set[str] = set()
    for handle, distance in product(handles, DISTANCES):
        result = secondary.map_buffer_handle((handle + distance) % (1 << 32))
        result.expect(VD_E_INVALID, NOERROR)
        seen.add(result.name)
        if result.succeeded:
            mapped = BufferView(secondary, result.expect(NOERROR))
            mapped.process.read(mapped.address, 1)
            if all(abs(mapped.address - address) > NEAR for address in known):
                with judging("MBH-25"):
                    require_inside(mapped, scripted.scenario.max_transfer_size, places, testbed.seed)
    testbed.observe("Q57", "MapBufferHandle beside the handles of a whole pool", " and ".join(sorted(seen)))
