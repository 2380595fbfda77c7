"""Emulated servers, with and without a broker beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.emulator.brokers import site_in
from selftest.sqlserver.servers import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selftest.emulator.applications import Site


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server that nobody gives virtual devices."""
    return Server(tmp_path / "server")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A broker that runs, for all tests."""
    with site_in(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def vdi_server(tmp_path: Path, site: Site) -> Server:
    """A server whose virtual devices have clients."""
    return Server(tmp_path / "server", site)
