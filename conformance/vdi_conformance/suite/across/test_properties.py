"""Properties: whatever is done in whatever order, and with whatever numbers, what must hold holds."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.expectations import in_hexadecimal
from vdi_conformance.harness.exploration import Exploration, numbers, telling
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.random_workload import ACTIONS, Action, RandomWorkload
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.shared_memory import Marked, fetched_view, handle_of, mark, require_unchanged, zone_view
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_INVALID
from vdi_conformance.vdi.structures import TRANSFER_SIZE_UNIT

STEPS = st.lists(
    st.builds(Action, numbers(3).map(ACTIONS.__getitem__), numbers(2), numbers(3), numbers(8)), min_size=24, max_size=24
)


@pytest.mark.parametrize("zone", [0, 24], ids=["no zone", "zone of 24 bytes"])
@vdi_requirement("BUF-03", "BUF-04", "CMP-01", "CMP-03", "GBH-01", "GBH-02", "MBH-01", "MBH-02")
def test_work_in_any_order_keeps_every_byte(testbed: Testbed, zone: int) -> None:
    """Whatever order commands are sent, mapped, filled and completed in, every byte and count is right."""
    scenario = Scenario(devices=3, owners=(0, 1), secondaries=2, buffer_count=4, prefix_zone_size=zone)

    def begin() -> RandomWorkload:
        return RandomWorkload(testbed.scripted(scenario, vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA), testbed.seed)

    Exploration(testbed, begin, RandomWorkload.perform).run(STEPS, examples=12)


FAR = 1 << 32
"""So many bytes from a buffer nothing of the set is expected."""


@dataclass(frozen=True)
class Holding:
    """A statement with a command of each device held, their handles and what was stored into their buffers."""

    statement: StatementRun
    handles: list[int]
    marked: list[Marked]


def _hold(statement: StatementRun) -> Holding:
    commands = statement.hold_all()
    marked = [mark(fetched_view(command), command.size, number) for number, command in enumerate(commands)]
    return Holding(statement, [handle_of(command) for command in commands], marked)


@vdi_requirement("MBH-04", "MBH-25")
def test_any_number_maps_to_memory_of_the_set_or_nothing(testbed: Testbed, kind: Kind) -> None:
    """MapBufferHandle refuses any number far from all handles, and one near them harms no buffer."""

    def begin() -> Holding:
        return _hold(testbed.statement(kind, Scenario(devices=2, owners=(0, 1), secondaries=2)))

    def attempt(holding: Holding, drawn: tuple[int, int, int, int]) -> None:
        who, way, number, bit = drawn
        handle = holding.handles[number % 2]
        number = (number, handle ^ 1 << bit, (handle + number % 1024 - 512) % (1 << 32), number ^ 1 << bit)[way]
        mapper = holding.statement.clients[who % 3]
        if number not in holding.handles:
            requirement = "MBH-25" if _may_name_a_buffer(number, holding) else "MBH-04"
            told = f"{mapper.name} maps {number:#x}, handles are {in_hexadecimal(holding.handles)}"
            with judging(requirement), telling(lambda: told):
                _map_a_stray_number(mapper, number, holding)

    Exploration(testbed, begin, attempt).run(st.tuples(numbers(2), numbers(2), numbers(32), numbers(5)), examples=20)


def _map_a_stray_number(mapper: Client, number: int, holding: Holding) -> None:
    result = mapper.map_buffer_handle(number)
    result.expect(VD_E_INVALID, *[NOERROR] * _may_name_a_buffer(number, holding))
    with judging("MBH-25"):
        if result.succeeded:
            mapper.read(result.expect(NOERROR), 1)
        require_unchanged(*holding.marked)


def _may_name_a_buffer(number: int, holding: Holding) -> bool:
    """Tell whether a number is as close to a handle as an index or an offset of the same pool may be."""
    near = holding.statement.pool_size
    return any(not near < (number - handle) % (1 << 32) < (1 << 32) - near for handle in holding.handles)


@vdi_requirement("GBH-04")
def test_any_address_outside_the_set_has_no_handle(testbed: Testbed, kind: Kind) -> None:
    """GetBufferHandle answers VD_E_INVALID for any address that is far from the set's buffers."""

    def begin() -> Holding:
        return _hold(testbed.statement(kind, Scenario(devices=2, owners=(0, 1))))

    def attempt(holding: Holding, drawn: tuple[int, int, int]) -> None:
        who, place, offset = drawn
        asker = holding.statement.clients[who]
        marks = asker.outside_addresses()
        foreign = (marks.stack - offset % 256, marks.heap, marks.data, marks.unmapped + offset % 4096)
        widths = [width for width in (16, 32, 47, 64) if width <= 8 * asker.host.initialized.process.pointer_bytes]
        address = offset % (1 << widths[place % len(widths)])
        buffers = [one.view.address for one in holding.marked if one.view.process is asker]
        near = in_hexadecimal(buffers)
        if place < len(foreign) or any(abs(address - buffer) < FAR for buffer in buffers):
            address = foreign[place % len(foreign)]
        with telling(lambda: f"{asker.name} asks for the handle of {address:#x}, its buffers are at {near}"):
            asker.get_buffer_handle(address).expect(VD_E_INVALID)

    Exploration(testbed, begin, attempt).run(st.tuples(numbers(1), numbers(3), numbers(64)), examples=20)


GEOMETRIES = st.builds(
    lambda devices, owners, block, transfer, alignment, zone: Scenario(
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


@vdi_requirement("BUF-01", "BUF-05", "BUF-06", "BUF-07", "BUF-09")
def test_any_scenario_gives_good_buffers(testbed: Testbed) -> None:
    """In any scenario buffers are aligned, apart from each other, no larger than allowed, and have their zone."""

    def attempt(_: None, scenario: Scenario) -> None:
        testbed.clear()
        with telling(lambda: f"a BACKUP began with {scenario}"):
            _require_good_buffers(testbed.backup(scenario))

    Exploration(testbed, lambda: None, attempt).run(GEOMETRIES, examples=6)


def _require_good_buffers(statement: StatementRun) -> None:
    configured = statement.primary.get_configuration(0).expect(NOERROR)
    alignment, zone = max(configured.alignment, statement.scenario.alignment), statement.scenario.prefix_zone_size
    commands = statement.hold_all()
    with judging("BUF-01"):
        require_unchanged(*[mark(fetched_view(one), one.size, number) for number, one in enumerate(commands)])
    for command in commands:
        with judging("BUF-06"):
            require_unchanged(mark(zone_view(command, zone), zone, command.buffer))
        sentence = f"a buffer of {command.size} bytes was given at {command.buffer:#x}"
        if command.buffer % alignment:
            zone_is_aligned = zone and (command.buffer - zone) % alignment == 0
            raise ConformanceFailure(sentence, by="BUF-09" if zone_is_aligned else "BUF-05")
        if command.size > configured.max_transfer_size:
            raise ConformanceFailure(sentence, by="BUF-07")
