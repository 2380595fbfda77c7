"""VDConfig as GetConfiguration gives it: what the client asked for and what the server chose, passed on."""

from typing import Final

import pytest

from vdi_conformance.harness.judging import ConformanceFailure, not_tested, vdi_requirement
from vdi_conformance.harness.parametrizations import BACKUP, alternating_direction
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.statement_run import Kind
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import (
    VDF_COMPLETE_ENABLED,
    VDF_DISCARD,
    VDF_LATCH_STATS,
    VDF_LIKE_DISK,
    VDF_LIKE_TAPE,
    VDF_READ_MEDIA,
    VDF_REQUEST_COMPLETE,
    VDF_WRITE_MEDIA,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_NOTSUPPORTED
from vdi_conformance.vdi.structures import IO_DEPTH, MAX_ALIGNMENT, MAX_TRANSFER_SIZE, VDConfig

ZONES: Final = {
    "no zone": 0,
    "8 bytes": 8,
    "4 KiB": 4096,
    "1 byte": 1,
    "100 bytes": 100,
    "more than 64 KiB": 70001,
}
SIZES: Final = {
    "usual sizes": (1024, 131072, 3_600_000),
    "large sizes": (0x89ABCDEF, 0x76543211, 0x80000001),
    "the largest sizes": (1, 0xFFFFFE01, 0xFFFFFFFF),
}
"""softFileMarkBlockSize, EOMWarningSize and serverTimeOut."""


def _require(config: VDConfig, **wanted: int) -> None:
    """Fail the check unless these fields have these values."""
    found = {field: getattr(config, field) for field in wanted}
    if found != wanted:
        raise ConformanceFailure(f"GetConfiguration gave {found} instead of {wanted}")


# What the client asked for


@alternating_direction("devices", [1, 2, 64], ["1 device", "2 devices", "64 devices"])
@vdi_requirement("CFG-11")
def test_the_number_of_devices_comes_back(testbed: Testbed, kind: Kind, devices: int) -> None:
    """GetConfiguration gives back the deviceCount of CreateEx."""
    statement = testbed.configured(kind, Scenario(devices=devices, buffer_count=devices))
    _require(statement.primary.get_configuration().expect(NOERROR), device_count=devices)


@alternating_direction(
    "wish",
    [(0, 1), (1, 2), (32, 3), (0, 1)],
    ["no depth, 1 device", "a depth of 1, 2 devices", "a depth of 32, 3 devices", "no depth, 1 device"],
)
@vdi_requirement("CFG-19")
def test_the_depth_of_requests_is_4_whatever_was_asked(testbed: Testbed, kind: Kind, wish: tuple[int, int]) -> None:
    """GetConfiguration gives 4 as maxIODepth, whatever CreateEx was given."""
    asked, devices = wish
    statement = testbed.prepared(Scenario(devices=devices), kind)
    config = statement.scenario.config._replace(max_io_depth=asked)
    answer = statement.primary.create_ex(None, statement.set_name, config)
    if asked and answer.code != NOERROR:
        answer.observe("Q13", "CreateEx with a maxIODepth")
        statement.create()
    statement.configure()
    _require(statement.primary.get_configuration().expect(NOERROR), max_io_depth=IO_DEPTH)


@alternating_direction("size", list(ZONES.values()), list(ZONES))
@vdi_requirement("CFG-21")
def test_the_size_of_the_prefix_zone_comes_back(testbed: Testbed, kind: Kind, size: int) -> None:
    """GetConfiguration gives back the prefixZoneSize of CreateEx."""
    statement = testbed.configured(kind, Scenario(prefix_zone_size=size))
    _require(statement.primary.get_configuration().expect(NOERROR), prefix_zone_size=size)


@alternating_direction("sizes", list(SIZES.values()), list(SIZES))
@vdi_requirement("CFG-23")
def test_what_concerns_marks_media_and_patience_comes_back(
    testbed: Testbed, kind: Kind, sizes: tuple[int, int, int]
) -> None:
    """GetConfiguration gives back softFileMarkBlockSize, EOMWarningSize and serverTimeOut of CreateEx."""
    fields = dict(zip(("soft_file_mark_block_size", "eom_warning_size", "server_time_out"), sizes, strict=True))
    statement = testbed.prepared(Scenario(devices=1), kind)
    asked = statement.scenario.config._replace(features=VDF_LIKE_TAPE, **fields)
    answer = statement.primary.create_ex(None, statement.set_name, asked)
    if sizes[0] > 1024 and answer.code == VD_E_NOTSUPPORTED:
        not_tested("it refuses sizes as large as these, of which no document says whether they can be")
    answer.expect(NOERROR)
    statement.configure()
    _require(statement.primary.get_configuration().expect(NOERROR), **fields)


@BACKUP
@vdi_requirement("CFG-22")
def test_the_size_of_the_buffer_area_is_observed(testbed: Testbed, kind: Kind) -> None:
    """What GetConfiguration gives as bufferAreaSize is unstated: how it compares with the buffers is recorded."""
    statement = testbed.configured(kind)
    buffers = statement.scenario.buffer_count * statement.scenario.max_transfer_size
    found = statement.primary.get_configuration().expect(NOERROR).buffer_area_size
    none, enough, less = answers = ("none", "that of the buffers, or more", "less")
    size = none if not found else enough if found >= buffers else less
    testbed.observe("Q27", "bufferAreaSize", size, answers)


@BACKUP
@vdi_requirement("CFG-22")
def test_the_size_of_the_buffer_area_in_another_process_is_observed(testbed: Testbed, kind: Kind) -> None:
    """Whether GetConfiguration gives a secondary the same bufferAreaSize as the primary is recorded."""
    statement = testbed.statement(kind, Scenario(secondaries=1))
    sizes = {one.get_configuration().expect(NOERROR).buffer_area_size for one in statement.clients}
    equal, different = answers = ("equal", "different")
    testbed.observe("Q27", "bufferAreaSize in another process", equal if len(sizes) == 1 else different, answers)


# What the server chose

CHOICES: Final = {
    "everything on": (
        VDConfig(features=VDF_DISCARD | VDF_REQUEST_COMPLETE),
        VDConfig(
            features=VDF_DISCARD | VDF_REQUEST_COMPLETE | VDF_WRITE_MEDIA | VDF_READ_MEDIA | VDF_COMPLETE_ENABLED,
            block_size=1024,
            alignment=8192,
            max_transfer_size=MAX_TRANSFER_SIZE,
        ),
    ),
    "a tape read in the largest blocks": (
        VDConfig(features=VDF_LIKE_TAPE),
        VDConfig(
            features=VDF_LIKE_TAPE | VDF_READ_MEDIA,
            block_size=MAX_ALIGNMENT,
            alignment=MAX_ALIGNMENT,
            max_transfer_size=131072,
        ),
    ),
    "every feature that a header knows": (
        VDConfig(features=VDF_LIKE_TAPE | VDF_DISCARD),
        VDConfig(
            features=VDF_LIKE_TAPE | VDF_DISCARD | 0x3C00 | VDF_WRITE_MEDIA | VDF_READ_MEDIA | VDF_COMPLETE_ENABLED,
            block_size=2048,
            alignment=4096,
            max_transfer_size=196608,
        ),
    ),
    "a disk with the highest bit": (
        VDConfig(features=VDF_LIKE_DISK),
        VDConfig(
            features=VDF_LIKE_DISK | VDF_LATCH_STATS | VDF_READ_MEDIA,
            block_size=512,
            alignment=MAX_ALIGNMENT,
            max_transfer_size=65536,
        ),
    ),
    "no alignment of its own": (
        VDConfig(),
        VDConfig(features=VDF_WRITE_MEDIA, block_size=4096, alignment=0, max_transfer_size=65536),
    ),
}


@pytest.mark.parametrize("choice", CHOICES)
@vdi_requirement("CFG-33")
def test_what_the_server_chose_arrives_unchanged(testbed: Testbed, choice: str) -> None:
    """GetConfiguration gives features, alignment and sizes as the server set them, and blockSize for alignment 0."""
    asked, chosen = CHOICES[choice]
    scripted = testbed.scripted_created(Scenario(features=asked.features, secondaries=1))
    server = scripted.server
    server.open(None, scripted.set_name).expect(NOERROR)
    server.begin_configuration(
        chosen.features, chosen.alignment, chosen.block_size, chosen.max_transfer_size, testbed.scaled(1000)
    ).expect(NOERROR)
    server.request_buffers(chosen.max_transfer_size, chosen.block_size, 2).expect(NOERROR)
    server.end_configuration().expect(NOERROR)
    for client in scripted.clients:
        if client is not scripted.primary:
            scripted.join(client).expect(NOERROR)
        _require(
            client.get_configuration().expect(NOERROR),
            features=chosen.features,
            alignment=chosen.alignment or chosen.block_size,
            block_size=chosen.block_size,
            max_transfer_size=chosen.max_transfer_size,
        )
