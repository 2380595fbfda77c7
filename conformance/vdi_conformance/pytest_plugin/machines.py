"""Runs over several machines, or on several platforms: the places in which they have workers.

Where checks are spread over them, they agree in all that the verdicts depend on; with --dist each they may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from vdi_conformance.evidence.records import Machine

if TYPE_CHECKING:
    from vdi_conformance.evidence.records import Party
    from vdi_conformance.pytest_plugin.examination import Examined
    from vdi_conformance.pytest_plugin.places import Place

EACH: Final = "each"
"""How all checks are run in every place."""
ORDINAL: Final = "vdi_ordinal"
"""In the input of a worker: how many were started in its place before."""
_ADDED: Final = "execmodel=main_thread_only//"
"""What pytest-xdist puts before a specification that does not say it."""


@dataclass(frozen=True)
class Visited:
    """A place, and what it said."""

    place: Place
    found: Examined

    @property
    def parties(self) -> tuple[Party, Party]:
        """The client and the server there."""
        assert self.found.client is not None
        assert self.found.server is not None
        return self.found.client, self.found.server

    @property
    def machine(self) -> Machine:
        """How the evidence names it."""
        return Machine(name=self.place.name, platform=self.found.platform, python=self.found.python)


MACHINES: Final = pytest.StashKey[tuple[Visited, ...]]()
"""The places of a run over machines, in the order of --tx; none in any other run."""


def is_spread(config: pytest.Config) -> bool:
    """Whether checks are going to run in places that --tx names, or -n."""
    idle = config.getoption("collectonly") or config.getoption("vdi_proof")
    return bool(config.getoption("tx", None)) and config.getoption("dist") != "no" and not idle


def apart(config: pytest.Config) -> bool:
    """Whether each place has verdicts of its own."""
    return bool(config.stash[MACHINES]) and config.getoption("dist") == EACH


def machine_of(config: pytest.Config, node: Any) -> Visited | None:
    """Give the place of a worker of pytest-xdist; None in a run that is not over machines."""
    return place_of(config, node.gateway)


def place_of(config: pytest.Config, gateway: Any) -> Visited | None:
    """Give the place of a process of execnet, by what it was specified with."""
    key = str(gateway.spec).removeprefix(_ADDED)
    return next((one for one in config.stash[MACHINES] if one.place.spec == key), None)


def pytest_configure(config: pytest.Config) -> None:
    """Examine the places where there are some; what that needs is imported only then."""
    config.stash[MACHINES] = ()
    if not hasattr(config, "workerinput") and is_spread(config):
        from vdi_conformance.pytest_plugin import visits

        visits.pay(config)
