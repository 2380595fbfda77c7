"""Who is under test: resolves the adapters, asks them who they are, and gives each worker its session."""

import gc
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from vdi_conformance.evidence.records import Party
from vdi_conformance.harness.worker_session import ProfileLimits
from vdi_conformance.host.lifeline import die_with_parent
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.machines import MACHINES, ORDINAL, machine_of
from vdi_conformance.pytest_plugin.parties import PARTIES, UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe
from vdi_conformance.pytest_plugin.profile import PROFILE
from vdi_conformance.pytest_plugin.selection import needs_server
from vdi_conformance.untrusted.printable import shown_lines

if TYPE_CHECKING:
    from vdi_conformance.harness.worker_session import Start

SENTENCE: Final = 8000
"""So many characters are told of why an adapter cannot be used."""
_KEY: Final = "vdi_parties"


def pytest_configure(config: pytest.Config) -> None:
    """Find out who is under test, or end with a usage error (exit code 4)."""
    if (worker := _worker_input(config)) is not None:
        die_with_parent(os.getppid())
        client, server = (msgspec.convert(party, Party) for party in worker[_KEY])
    elif visited := config.stash[MACHINES]:
        client, server = visited[0].parties
    else:
        client, server = _ask(config)
    config.stash[PARTIES] = client, server


def pytest_collection_finish() -> None:
    """Spare the collector what stays to the end of the run anyway: checks make enough of their own."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the workers of pytest-xdist what was found out, where they are."""
    visited = machine_of(node.config, node)
    parties = node.config.stash[PARTIES] if visited is None else visited.parties
    node.workerinput[_KEY] = [msgspec.to_builtins(party) for party in parties]


def limits_of(config: pytest.Config) -> ProfileLimits:
    """Tell what the profile of the run lets checks ask for."""
    profile = config.stash[PROFILE]
    return ProfileLimits() if profile is None else ProfileLimits(profile.name, profile.server, profile.joining)


def _ask(config: pytest.Config) -> tuple[Party, Party]:
    settings = settings_of(config)
    with Supervisor(start_of(config)) as supervisor:
        try:
            found = ask_parties(supervisor, config.getoption("vdi_adapter"), config.getoption("vdi_server"), settings)
            if _probes(config):
                probe(parties_of(*found, settings), supervisor, needs_server(config))
        except (UnknownParties, Trouble) as error:
            raise pytest.UsageError(shown_lines(str(error), SENTENCE)) from error
    return found


def _probes(config: pytest.Config) -> bool:
    """Whether checks are going to run; `-p no:vdi-probe` leaves the probe out, as it does with any plugin."""
    idle = config.getoption("collectonly") or config.getoption("setupplan") or config.getoption("vdi_proof")
    return not (idle or config.pluginmanager.is_blocked("vdi-probe"))


def settings_of(config: pytest.Config) -> RunSettings:
    """Give what every process of the run is told."""
    return RunSettings(config.getoption("vdi_seed"), config.getoption("vdi_timeout_scale"))


def start_of(config: pytest.Config) -> "Start | None":
    """Tell how processes are to be started, where the run was told."""
    chosen: Start | None = config.getoption("vdi_start")
    return chosen


def _worker_input(config: pytest.Config) -> dict[str, Any] | None:
    return getattr(config, "workerinput", None)


def cpu_of(config: pytest.Config) -> int | None:
    """Choose one processor for the processes of a worker: their ping-pong is faster on one."""
    worker = _worker_input(config)
    if sys.platform == "linux" and worker is not None:
        cpus = sorted(os.sched_getaffinity(0))
        # Workers may have names of their own, and those on other machines take no processor of this one.
        number = worker.get(ORDINAL)
        return cpus[int(worker["workerid"].removeprefix("gw") if number is None else number) % len(cpus)]
    return None
