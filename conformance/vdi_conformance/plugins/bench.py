"""The bench of an ordinary run: one for each worker, with the adapters that the run names."""

from collections.abc import Iterator

import pytest

from vdi_conformance.plugins.adapter import PARTIES, cpu_of, limits_of, settings_of, start_of
from vdi_conformance.plugins.casting import cast
from vdi_conformance.suite.bench import Bench


@pytest.fixture(scope="session")
def vdi_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Start what the checks of one worker share."""
    config = request.config
    chosen = cast(*config.stash[PARTIES], settings_of(config), limits_of(config))
    bench = Bench(chosen, start_of(config), cpu_of(config))
    yield bench
    bench.close()
