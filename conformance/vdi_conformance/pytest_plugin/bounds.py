"""The numbers and the challenge of a run: what they cannot be is a usage error, before anything is started."""

from collections.abc import Callable
from typing import Final

import pytest

from vdi_conformance.untrusted import bounds

READ: Final[dict[str, tuple[Callable[[str], object], object]]] = {
    "vdi_timeout_scale": (bounds.stretch, 1.0),
    "vdi_seed": (bounds.seed, 0),
    "vdi_challenge": (bounds.challenge, ""),
}
"""How the text of an option becomes its value, and what it is without one."""


def pytest_configure(config: pytest.Config) -> None:
    """Read them in every process, since pytest-xdist hands its workers the words; 0 workers means none to it."""
    workers = config.getoption("numprocesses", None)
    try:
        option = "-n"
        if workers:
            bounds.workers(str(workers))
        for name, (read, default) in READ.items():
            option = f"--{name.replace('_', '-')}"
            given = getattr(config.option, name)
            setattr(config.option, name, default if given is None else read(given))
    except ValueError as error:
        raise pytest.UsageError(f"{option}: {error}") from error
