"""MapBufferHandle of numbers that are no handles: far from every handle, and beside one."""

import random
from itertools import product

from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import (
    View,
    fetched_view,
    handle_of,
    mapped_view,
    require_inside,
    require_same_contents,
)
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import OWNER_NAMES, OWNERS, in_turn
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import MIN_BLOCK_SIZE

DISTANCES = (1, 2, 4, 512, -1, -2, -4, -512)
NEAR = 1 << 22
"""So many bytes that a pool of a few small buffers is surely smaller."""


@in_turn("owner", [0, 1], OWNER_NAMES)
@judges("MBH-04")
def test_a_number_that_is_no_handle_is_refused(stage: Stage, kind: Kind, owner: int) -> None:
    operation = stage.operation(kind, Geometry(devices=2, owners=(owner,), secondaries=1))
    commands = operation.hold_all()
    handles = [handle_of(command) for command in commands]
    mapper = operation.participants[1 - owner]
    for number in _far_numbers(handles, operation.pool_size, stage.seed):
        for participant in (mapper, operation.participants[owner]):
            participant.map_buffer_handle(number).expect(VD_E_INVALID)
    for command, handle in zip(commands, handles, strict=True):
        require_same_contents(command.size, fetched_view(command), mapped_view(mapper, handle))


def _far_numbers(handles: list[int], pool_size: int, seed: int) -> list[int]:
    """Numbers so far from every handle that no reading of a handle makes them one of the pool's."""
    draw = random.Random(seed)
    candidates = [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, *(draw.randrange(1 << 32) for _ in range(12))]
    distances = {one: [(one - handle) % (1 << 32) for handle in handles] for one in candidates}
    return [one for one, far in distances.items() if all(pool_size < gap < (1 << 32) - pool_size for gap in far)]


@OWNERS
@judges("MBH-04")
def test_all_bits_of_a_handle_count(stage: Stage, owner: int) -> None:
    operation = stage.backup(Geometry(devices=2, owners=(owner,), secondaries=1))
    commands = operation.hold_all()
    mapper = operation.participants[1 - owner]
    for number, command in enumerate(commands):
        stage.fill(fetched_view(command), command.size, stage.seed + number)
    for command in commands:
        handle = handle_of(command)
        wanted = command.device.participant.digest(command.buffer, MIN_BLOCK_SIZE)
        mapped_view(mapper, handle)
        for bit in range(16, 32):
            # A changed bit may make it the handle of another buffer, but never one of the same buffer.
            result = mapper.map_buffer_handle(handle ^ 1 << bit)
            result.require(VD_E_INVALID, NOERROR)
            if result.succeeded and mapper.digest(result.expect(NOERROR), MIN_BLOCK_SIZE) == wanted:
                raise ConformanceFailure(f"bit {bit} of a handle makes no difference")


@judges("MBH-25")
def test_a_neighbour_of_a_handle_reaches_no_foreign_memory(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=2, secondaries=1))
    commands = operation.hold_all()
    secondary = operation.secondaries[0]
    canary = secondary.allocate(65536)
    seen: set[str] = set()
    for handle, distance in product(map(handle_of, commands), DISTANCES):
        result = secondary.map_buffer_handle((handle + distance) % (1 << 32))
        result.require(VD_E_INVALID, NOERROR)
        seen.add(result.name)
        if result.succeeded:
            address = result.expect(NOERROR)
            secondary.read(address, 1)
            assert not canary <= address < canary + 65536, "a neighbour of a handle reached private memory"
    stage.observe("Q57", "MapBufferHandle beside the handles of two devices", " and ".join(sorted(seen)))
    for command in commands:
        operation.answer(command).expect(NOERROR)
    operation.succeed()


@judges("MBH-25")
def test_a_neighbour_of_a_handle_is_no_memory_of_the_process(stage: Stage) -> None:
    scripted = stage.scripted(Geometry(secondaries=1, buffer_count=2))
    buffers = [scripted.allocate() for _ in range(scripted.geometry.buffer_count)]
    for buffer in buffers:
        scripted.send(buffer)
    commands = [scripted.device.next_command() for _ in buffers]
    places = [fetched_view(command) for command in commands]
    handles = [handle_of(command) for command in commands]
    secondary = scripted.secondaries[0]
    known = [mapped_view(secondary, handle).address for handle in handles]
    seen: set[str] = set()
    for handle, distance in product(handles, DISTANCES):
        result = secondary.map_buffer_handle((handle + distance) % (1 << 32))
        result.require(VD_E_INVALID, NOERROR)
        seen.add(result.name)
        if result.succeeded:
            mapped = View(secondary, result.expect(NOERROR))
            mapped.process.read(mapped.address, 1)
            if all(abs(mapped.address - address) > NEAR for address in known):
                require_inside(mapped, scripted.geometry.max_transfer_size, places, stage.seed)
    stage.observe("Q57", "MapBufferHandle beside the handles of a whole pool", " and ".join(sorted(seen)))
