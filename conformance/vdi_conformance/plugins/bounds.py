"""Numbers that a run cannot be asked for are usage errors, before anything is started."""

import pytest

from vdi_conformance.bounds import wrong_seed, wrong_stretch, wrong_workers


def pytest_configure(config: pytest.Config) -> None:
    """Look at the options of the controller; to pytest-xdist 0 means that there are no workers."""
    if hasattr(config, "workerinput"):
        return
    workers = config.getoption("numprocesses", None) or None
    for option, sentence in (
        ("-n", workers and wrong_workers(workers)),
        ("--vdi-timeout-scale", wrong_stretch(config.getoption("vdi_timeout_scale"))),
        ("--vdi-seed", wrong_seed(config.getoption("vdi_seed"))),
    ):
        if sentence:
            raise pytest.UsageError(f"{option}: {sentence}")
