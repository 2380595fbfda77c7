"""Names, instances and configurations, of the client and of the server."""

from __future__ import annotations

import pytest

from selftest.emulator.worlds import SIZE, World, session
from vdi_conformance.vdi.commands import (
    VDF_COMPLETE_ENABLED,
    VDF_FILE_MARKS,
    VDF_LIKE_DISK,
    VDF_LIKE_TAPE,
    VDF_REMOVABLE,
    VDF_REQUEST_COMPLETE,
    VDF_REWIND,
    VDF_SNAPSHOT_PREPARE,
    VDF_WRITE_MEDIA,
)
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INSTANCE_NAME,
    VD_E_INVALID,
    VD_E_MEMORY,
    VD_E_NOTSUPPORTED,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import VDConfig


@pytest.mark.parametrize("name", [None, "", "a\\b", "\\"])
def test_a_bad_name_is_invalid(name: str | None) -> None:
    client = World().client()
    assert client.create(name) == VD_E_INVALID
    assert client.attach(name) == VD_E_INVALID
    assert client.create() == NOERROR


@pytest.mark.parametrize("name", ["with blank", "o'clock", "a/b:c", "Датабаза", "\U0001f600", "x" * 1000])
def test_any_other_name_is_good(name: str) -> None:
    world = World()
    assert world.client().create(name) == NOERROR
    assert world.server().open(name) == NOERROR


def test_no_configuration_is_invalid() -> None:
    client = World().client()
    assert client.create(config=None) == VD_E_INVALID
    assert client.close() == VD_E_PROTOCOL


@pytest.mark.parametrize(
    "config",
    [
        VDConfig(device_count=0),
        VDConfig(device_count=65),
        VDConfig(alignment=3),
        VDConfig(alignment=1000),
        VDConfig(alignment=131072),
        VDConfig(features=VDF_REWIND),
        VDConfig(features=VDF_FILE_MARKS | VDF_LIKE_DISK),
        VDConfig(features=VDF_LIKE_TAPE & ~VDF_REMOVABLE),
    ],
)
def test_a_configuration_that_cannot_be_served_leaves_the_object_as_it_was(config: VDConfig) -> None:
    client = World().client()
    assert client.create(config=config) == VD_E_NOTSUPPORTED
    assert client.close() == VD_E_PROTOCOL
    assert client.create() == NOERROR


@pytest.mark.parametrize(
    "config",
    [
        VDConfig(device_count=64),
        VDConfig(alignment=1),
        VDConfig(alignment=65536),
        VDConfig(features=VDF_LIKE_TAPE),
        VDConfig(features=VDF_LIKE_DISK | VDF_REMOVABLE),
        VDConfig(features=VDF_SNAPSHOT_PREPARE | VDF_REQUEST_COMPLETE),
        VDConfig(features=0x8000),
        VDConfig(block_size=7, max_io_depth=7, max_transfer_size=7, buffer_area_size=7),
    ],
)
def test_a_configuration_that_can_be_served_is_accepted(config: VDConfig) -> None:
    assert World().client().create(config=config) == NOERROR


def test_a_name_belongs_to_one_set_of_an_instance_at_a_time() -> None:
    world = World()
    first, second = world.client(1), world.client(2)
    assert first.create() == NOERROR
    assert second.create() == VD_E_PROTOCOL
    assert second.create("SET") == NOERROR
    assert second.close() == NOERROR
    assert second.create(instance="OTHER") == NOERROR
    assert second.close() == NOERROR
    first.close()
    assert second.create() == NOERROR


@pytest.mark.parametrize("instance", [None, "", "MSSQLSERVER", "mssqlserver"])
def test_the_default_instance_has_several_names(instance: str | None) -> None:
    world = World()
    world.client().create(instance=instance)
    assert world.server().open(instance=None) == NOERROR


def test_sets_are_scoped_by_instance() -> None:
    world = World()
    world.client().create(instance="SQL_2")
    assert world.server().open(instance=None) == VD_E_INVALID
    assert world.server().open(instance="OTHER") == VD_E_INVALID
    assert world.server().open(instance="sql_2") == NOERROR


@pytest.mark.parametrize("instance", ["HOST\\SQL", "a b", "1SQL", "NAMES_OF_17_CHARS"])
def test_what_cannot_be_an_instance_is_none(instance: str) -> None:
    world = World()
    assert world.client().create(instance=instance) == VD_E_INSTANCE_NAME
    assert world.client().attach(instance=instance) == VD_E_INSTANCE_NAME


def test_the_clients_half_reaches_the_server_unchanged() -> None:
    world = World()
    wish = VDConfig(3, VDF_LIKE_TAPE, 24, 4096, 512, 8192, 60000, 1, 2, 3, 4)
    features = wish.features | VDF_WRITE_MEDIA | VDF_COMPLETE_ENABLED
    world.client().create(config=wish._replace(features=features))
    server = world.server()
    server.open()
    seen = VDConfig.unpack(bytes.fromhex(server.call("server_get_configuration").out[0]))
    assert seen[:7] == wish[:7]


@pytest.mark.parametrize(
    ("wish", "alignment", "block_size", "final"),
    [(0, 0, 512, 512), (1, 0, 512, 512), (4096, 0, 512, 4096), (512, 8192, 4096, 8192), (0, 0, 65536, 65536)],
)
def test_the_final_alignment_satisfies_everybody(wish: int, alignment: int, block_size: int, final: int) -> None:
    world = World()
    client, server = world.client(), world.server()
    client.create(config=VDConfig(alignment=wish, prefix_zone_size=24))
    server.open()
    assert server.begin(alignment, block_size) == NOERROR
    server.call("server_request_buffers", SIZE, 0, 3)
    length = server.make_area(server.call("server_end_configuration"))
    config = VDConfig.unpack(bytes.fromhex(client.configuration().out[0]))
    assert config == VDConfig(1, 0x10000, 24, final, 0, 0, 0, block_size, 4, SIZE, length)
    places = [server.buffer() for _ in range(3)]
    assert all(offset % final == 0 and offset >= 24 for _, offset in places)
    assert length >= max(offset for _, offset in places) + SIZE


@pytest.mark.parametrize(
    ("alignment", "block_size", "max_transfer_size"),
    [
        (0, 256, SIZE),
        (0, 1000, SIZE),
        (0, 131072, SIZE),
        (512, 1024, SIZE),
        (3000, 512, SIZE),
        (131072, 512, SIZE),
        (0, 512, 0),
        (0, 512, SIZE + 512),
        (0, 512, 4194304 + SIZE),
    ],
)
def test_begin_configuration_refuses_bad_sizes(alignment: int, block_size: int, max_transfer_size: int) -> None:
    world = World()
    world.client().create()
    server = world.server()
    server.open()
    assert server.begin(alignment, block_size, max_transfer_size) == VD_E_INVALID
    assert server.begin() == NOERROR


def test_the_server_keeps_to_its_order() -> None:
    world = World()
    client, server = world.client(), world.server()
    assert server.begin() == VD_E_PROTOCOL
    assert server.open() == VD_E_INVALID
    client.create()
    assert server.open() == NOERROR
    assert server.open() == VD_E_PROTOCOL
    assert world.server().open() == VD_E_PROTOCOL
    assert server.call("server_end_configuration").code == VD_E_PROTOCOL
    assert server.call("server_request_buffers", SIZE, 0, 1).code == VD_E_PROTOCOL
    assert server.begin() == NOERROR
    assert server.begin() == VD_E_PROTOCOL
    assert server.call("server_open_device", "set").code == VD_E_PROTOCOL
    assert server.call("server_allocate_buffer", SIZE, 0).code == VD_E_PROTOCOL
    assert server.call("server_end_configuration").code == NOERROR
    assert server.send() == VD_E_PROTOCOL
    assert server.close_device() == VD_E_PROTOCOL
    assert server.call("server_open_device", "two").code == VD_E_INVALID
    assert server.call("server_open_device", "set").code == NOERROR
    assert server.call("server_open_device", "set").code == VD_E_PROTOCOL


def test_without_memory_the_set_stays_configurable() -> None:
    world = World()
    client, server = world.client(), world.server()
    client.create()
    server.open()
    server.begin()
    server.call("server_request_buffers", SIZE, 0, 2)
    waiting = client.configuration(5000)
    server.make_area(server.call("server_end_configuration"), made=False)
    assert waiting.waits
    assert client.configuration().code == VD_E_TIMEOUT
    server.make_area(server.call("server_end_configuration"))
    assert waiting.code == NOERROR


def test_an_area_larger_than_any_memory_is_refused() -> None:
    world = World()
    world.client().create(config=VDConfig(prefix_zone_size=0xFFFFFFFF))
    server = world.server()
    server.open()
    server.begin()
    server.call("server_request_buffers", SIZE, 0, 0xFFFFFFFF)
    assert server.call("server_end_configuration").code == VD_E_MEMORY


def test_a_server_does_not_open_an_aborted_set() -> None:
    world = World()
    client = world.client()
    client.create()
    client.abort()
    assert world.server().open() == VD_E_ABORT


def test_a_server_that_leaves_during_configuration_aborts() -> None:
    world = World()
    client, server = world.client(), world.server()
    client.create()
    server.open()
    waiting = client.configuration(5000)
    assert server.close() == NOERROR
    assert waiting.code == VD_E_ABORT


def test_a_server_that_closes_with_devices_open_aborts() -> None:
    made = session()
    made.server.send(tag=1)
    assert made.server.close() == VD_E_PROTOCOL
    assert made.primary.get(made.device).code == VD_E_ABORT
    assert made.server.close() == VD_E_PROTOCOL
