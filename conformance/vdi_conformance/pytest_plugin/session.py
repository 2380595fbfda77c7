"""The session of an ordinary run: one for each worker, with the adapters that the run names."""

from collections.abc import Iterator

import pytest

from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.pytest_plugin.adapter import cpu_of, limits_of, settings_of, start_of
from vdi_conformance.pytest_plugin.parties import PARTIES, parties_of


@pytest.fixture(scope="session")
def vdi_session(request: pytest.FixtureRequest) -> Iterator[WorkerSession]:
    """Start what the checks of one worker share."""
    config = request.config
    chosen = parties_of(*config.stash[PARTIES], settings_of(config), limits_of(config))
    session = WorkerSession(chosen, start_of(config), cpu_of(config))
    yield session
    session.close()
