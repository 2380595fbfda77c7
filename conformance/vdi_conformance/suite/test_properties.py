"""Properties: whatever is done in whatever order, and with whatever numbers, what must hold holds."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st

from vdi_conformance.suite.exploring import Exploration, numbers, telling
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.outcomes import in_hexadecimal
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.play import ACTS, Play, Step
from vdi_conformance.suite.scene import Geometry
from vdi_conformance.suite.sharing import Marked, fetched_view, handle_of, mark, require_unchanged, zone_view
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import TRANSFER_SIZE_UNIT

STEPS = st.lists(
    st.builds(Step, numbers(3).map(ACTS.__getitem__), numbers(2), numbers(3), numbers(8)), min_size=24, max_size=24
)


@pytest.mark.parametrize("zone", [0, 24])
@judges("BUF-03", "BUF-04", "CMP-01", "CMP-03", "GBH-01", "GBH-02", "MBH-01", "MBH-02")
def test_work_in_any_order_keeps_every_byte(stage: Stage, zone: int) -> None:
    geometry = Geometry(devices=3, owners=(0, 1), secondaries=2, buffer_count=4, prefix_zone_size=zone)

    def begin() -> Play:
        return Play(stage.scripted(geometry, vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA), stage.seed)

    Exploration(stage, begin, Play.perform).run(STEPS, examples=12)


FAR = 1 << 32
"""So many bytes from a buffer nothing of the set is expected."""


@dataclass(frozen=True)
class Holding:
    """A statement with a command of each device held, their handles and what was stored into their buffers."""

    operation: Operation
    handles: list[int]
    marked: list[Marked]


def _hold(operation: Operation) -> Holding:
    commands = operation.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    return Holding(operation, [handle_of(command) for command in commands], marked)


@judges("MBH-04", "MBH-25")
def test_any_number_maps_to_memory_of_the_set_or_nothing(stage: Stage, kind: Kind) -> None:
    def begin() -> Holding:
        return _hold(stage.operation(kind, Geometry(devices=2, owners=(0, 1), secondaries=2)))

    def play(holding: Holding, drawn: tuple[int, int, int, int]) -> None:
        who, way, number, bit = drawn
        handle = holding.handles[number % 2]
        number = (number, handle ^ 1 << bit, (handle + number % 1024 - 512) % (1 << 32), number ^ 1 << bit)[way]
        mapper = holding.operation.participants[who % 3]
        if number not in holding.handles:
            with telling(lambda: f"{mapper.name} maps {number:#x}, handles are {in_hexadecimal(holding.handles)}"):
                _map_a_stray_number(mapper, number, holding)

    Exploration(stage, begin, play).run(st.tuples(numbers(2), numbers(2), numbers(32), numbers(5)), examples=20)


def _map_a_stray_number(mapper: Participant, number: int, holding: Holding) -> None:
    result = mapper.map_buffer_handle(number)
    result.require(VD_E_INVALID, *[NOERROR] * _may_name_a_buffer(number, holding))
    if result.succeeded:
        mapper.read(result.expect(NOERROR), 1)
    require_unchanged(*holding.marked)


def _may_name_a_buffer(number: int, holding: Holding) -> bool:
    """Tell whether a number is as close to a handle as an index or an offset of the same pool may be."""
    near = holding.operation.pool_size
    return any(not near < (number - handle) % (1 << 32) < (1 << 32) - near for handle in holding.handles)


@judges("GBH-04")
def test_any_address_outside_the_set_has_no_handle(stage: Stage, kind: Kind) -> None:
    def begin() -> Holding:
        return _hold(stage.operation(kind, Geometry(devices=2, owners=(0, 1))))

    def play(holding: Holding, drawn: tuple[int, int, int]) -> None:
        who, place, offset = drawn
        asker = holding.operation.participants[who]
        marks = asker.landmarks()
        foreign = (marks.stack - offset % 256, marks.heap, marks.data, marks.unmapped + offset % 4096)
        widths = [width for width in (16, 32, 47, 64) if width <= 8 * asker.host.initialized.process.pointer_bytes]
        address = offset % (1 << widths[place % len(widths)])
        buffers = [one.view.address for one in holding.marked if one.view.process is asker]
        near = in_hexadecimal(buffers)
        if place < len(foreign) or any(abs(address - buffer) < FAR for buffer in buffers):
            address = foreign[place % len(foreign)]
        with telling(lambda: f"{asker.name} asks for the handle of {address:#x}, its buffers are at {near}"):
            asker.get_buffer_handle(address).expect(VD_E_INVALID)

    Exploration(stage, begin, play).run(st.tuples(numbers(1), numbers(3), numbers(64)), examples=20)


GEOMETRIES = st.builds(
    lambda devices, owners, block, transfer, alignment, zone: Geometry(
        devices=devices + 1,
        owners=((0,), (1,), (0, 1), (1, 0, 2))[owners],
        block_size=512 << block,
        max_transfer_size=TRANSFER_SIZE_UNIT * (1 + transfer),
        alignment=256 << alignment if 0 < alignment < 9 else 0,
        prefix_zone_size=zone,
        buffer_count=devices + 1,
    ),
    devices=numbers(2),
    owners=numbers(2),
    block=numbers(3),
    transfer=numbers(2),
    alignment=numbers(4),
    zone=numbers(10),
)


@judges("BUF-01", "BUF-05", "BUF-06", "BUF-07", "BUF-09")
def test_any_geometry_gives_good_buffers(stage: Stage) -> None:
    def play(_: None, geometry: Geometry) -> None:
        stage.clear()
        with telling(lambda: f"a BACKUP began with {geometry}"):
            _require_good_buffers(stage.backup(geometry))

    Exploration(stage, lambda: None, play).run(GEOMETRIES, examples=6)


def _require_good_buffers(operation: Operation) -> None:
    configured = operation.primary.get_configuration(0).expect(NOERROR)
    alignment, zone = max(configured.alignment, operation.geometry.alignment), operation.geometry.prefix_zone_size
    commands = operation.hold_all()
    require_unchanged(*[mark(fetched_view(one), one.size, number) for number, one in enumerate(commands)])
    for command in commands:
        require_unchanged(mark(zone_view(command, zone), zone, command.buffer))
        if command.buffer % alignment or command.size > configured.max_transfer_size:
            raise ConformanceFailure(f"a buffer of {command.size} bytes was given at {command.buffer:#x}")
