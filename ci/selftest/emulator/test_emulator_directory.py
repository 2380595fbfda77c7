"""The directory of a broker: used again after a kill, never shared."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from selftest.emulator.applications import Site, backup
from selftest.emulator.brokers import on_loopback, site_in
from selftest.emulator.worlds import SIZE, World
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Environment, Unavailable
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from pathlib import Path


def with_an_area(site: Site) -> object:
    """Have a set with memory for as long as this object lives."""
    server, primary = site.emulator().scripted_server(), site.emulator().virtual_device_set()
    assert primary.create_ex(None, "set", VDConfig()) == NOERROR
    assert server.open(None, "set") == NOERROR
    assert server.begin_configuration(0x10000, 0, 512, SIZE, 0) == NOERROR
    assert server.request_buffers(SIZE, 0, 1) == NOERROR
    assert server.end_configuration() == NOERROR
    return server, primary


def areas_in(directory: Path) -> set[Path]:
    """List the areas."""
    return set(directory.glob("area-*"))


@pytest.mark.parametrize("long", [False, True], ids=["wherever it likes", "on the loopback interface"])
def test_after_a_kill_the_directory_is_used_anew(tmp_path: Path, long: bool) -> None:
    directory = on_loopback(tmp_path) if long else tmp_path
    with site_in(directory) as killed:
        survivors = with_an_area(killed)
        assert areas_in(directory)
    (directory / "area-7000").write_bytes(b"of one that had it before")
    (directory / "broker.endpoint.new").write_bytes(b"half of i")
    (directory / "notes of somebody else").touch()
    with site_in(directory) as site:
        assert not areas_in(directory)
        assert not (directory / "broker.endpoint.new").exists()
        assert (directory / "notes of somebody else").exists()
        assert site.back_up(backup())
        newcomers = with_an_area(site)
        assert areas_in(directory)
        del survivors, newcomers


def test_areas_that_a_dead_one_left_mapped_are_not_taken_for_new_ones() -> None:
    numbers = []
    for taken in (0, 7000):
        world = World(taken=taken)
        client, server = world.client(), world.server()
        assert client.create() == server.open() == NOERROR
        assert server.call("server_begin_configuration", 0x10000, 0, 512, SIZE).code == NOERROR
        assert server.call("server_request_buffers", SIZE, 0, 1).code == NOERROR
        numbers.append(server.call("server_end_configuration").out[0])
    assert numbers[1] == numbers[0] + 7000


def test_a_living_broker_is_not_displaced(tmp_path: Path) -> None:
    with site_in(tmp_path) as site:
        held = with_an_area(site)
        areas = areas_in(tmp_path)
        with pytest.raises(Unavailable, match=f"^A broker runs in {tmp_path} already: end it first, or take another"):
            Emulator(Environment(str(tmp_path))).start_broker()
        assert areas_in(tmp_path) == areas != set()
        del held
        assert site.back_up(backup())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sockets among its files")
def test_a_file_in_the_place_of_the_socket_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "broker.socket").write_bytes(b"restored from an archive")
    (tmp_path / "broker.endpoint").symlink_to(tmp_path / "nowhere")
    with site_in(tmp_path) as site:
        assert (tmp_path / "broker.socket").is_socket()
        assert site.back_up(backup())


def test_where_no_broker_can_run_one_sentence_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(Unavailable, match=f"^No broker can run in {missing} \\(.+\\): name one that is there"):
        Emulator(Environment(str(missing))).start_broker()


@pytest.mark.parametrize("left", [b"", b"x2f 7", b"x2f x", b"x2fnowhere x", b"1", b"- x", b"99999999 x", b"\xff\n"])
def test_an_endpoint_that_leads_nowhere_is_no_broker(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "broker.endpoint").write_bytes(left)
    with pytest.raises(ConnectionError, match="start a process with the role of broker there first"):
        Site(tmp_path).emulator().virtual_device_set()
