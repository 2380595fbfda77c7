"""A broker in a process of its own, for the tests that need real shared memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.emulator.brokers import on_loopback, site_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selftest.emulator.applications import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A broker that runs."""
    with site_in(tmp_path) as made:
        yield made


@pytest.fixture(params=["wherever it likes", "on the loopback interface"])
def either_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A broker that runs, once on each kind of socket."""
    directory = on_loopback(tmp_path) if request.param.startswith("on") else tmp_path
    with site_in(directory) as made:
        yield made
