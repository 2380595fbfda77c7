"""A supervisor of each kind, and hosts of the toy adapter."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.host.supervisor import Start, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec, Role

STARTS: tuple[Start, ...] = ("forkserver", "spawn") if sys.platform == "linux" else ("spawn",)


@pytest.fixture(scope="session", params=STARTS)
def start(request: pytest.FixtureRequest) -> Start:
    chosen: Start = request.param
    return chosen


@pytest.fixture(scope="session")
def shared_supervisor(start: Start) -> Iterator[Supervisor]:
    with Supervisor(start) as supervisor:
        yield supervisor


@pytest.fixture
def supervisor(shared_supervisor: Supervisor) -> Iterator[Supervisor]:
    """Start with no host of another test."""
    yield shared_supervisor
    for host in shared_supervisor.hosts:
        host.kill()
        host.wait_until_ended()


@pytest.fixture(scope="session")
def toy() -> AdapterSpec:
    return resolve(f"{Path(__file__).with_name('toy.py')}:Toy")


@pytest.fixture
def launch(supervisor: Supervisor, toy: AdapterSpec) -> Callable[..., Host]:
    """Launch a host of the toy adapter."""

    def launched(role: Role = "client", name: str = "primary") -> Host:
        return supervisor.launch(toy, role, name)

    return launched


@pytest.fixture
def host(launch: Callable[..., Host]) -> Host:
    return launch()
