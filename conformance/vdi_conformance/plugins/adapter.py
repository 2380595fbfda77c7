"""Who is under test: resolves the adapters, asks them who they are, and gives each worker its bench."""

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.records import Party
from vdi_conformance.host.errors import HostError
from vdi_conformance.host.lifeline import die_with_parent
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.spec import AdapterSpec, Settings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.plugins.profile import PROFILE
from vdi_conformance.requirements.profiles import Profile
from vdi_conformance.suite.bench import Bench, Cast, Limits

PARTIES: Final = pytest.StashKey[tuple[Party, Party]]()
_KEY: Final = "vdi_parties"


def pytest_configure(config: pytest.Config) -> None:
    """Find out who plays, or end with a usage error (exit code 4)."""
    if config.getoption("vdi_timeout_scale") < 1:
        raise pytest.UsageError("--vdi-timeout-scale must be at least 1: time limits can only be stretched")
    if (worker := _worker_input(config)) is not None:
        die_with_parent(os.getppid())
        client, server = (msgspec.convert(party, Party) for party in worker[_KEY])
    else:
        client, server = _ask(config)
    config.stash[PARTIES] = client, server


def pytest_collection_finish() -> None:
    """Spare the collector what stays to the end of the run anyway: checks make enough of their own."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the workers of pytest-xdist what was found out."""
    node.workerinput[_KEY] = [msgspec.to_builtins(party) for party in node.config.stash[PARTIES]]


@pytest.fixture(scope="session")
def vdi_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Start what the checks of one worker share."""
    config = request.config
    client, server = config.stash[PARTIES]
    cast = Cast(
        client=resolve(client.reference),
        server=resolve(server.reference),
        client_capabilities=Capabilities.from_mapping(client.capabilities),
        server_capabilities=Capabilities.from_mapping(server.capabilities),
        seed=config.getoption("vdi_seed"),
        timeout_scale=config.getoption("vdi_timeout_scale"),
        limits=_limits(config.stash[PROFILE]),
    )
    bench = Bench(cast, config.getoption("vdi_start"), _cpu(config))
    yield bench
    bench.close()


def _limits(profile: Profile | None) -> Limits:
    return Limits() if profile is None else Limits(profile.name, profile.server, profile.processes)


def _ask(config: pytest.Config) -> tuple[Party, Party]:
    try:
        spec = resolve(config.getoption("vdi_adapter"))
        named = config.getoption("vdi_server")
        server_spec = resolve(named) if named else None
        client = _party(config, spec, makes_sets=True)
        if server_spec is None:
            server_spec = resolve("emulator") if client.capabilities["server"] == "none" else spec
        server = client if server_spec == spec else _party(config, server_spec)
    except (UnknownAdapter, HostError, ValueError) as error:
        raise pytest.UsageError(str(error)) from error
    if server.capabilities["server"] == "none":
        raise pytest.UsageError(f"{server.reference} has no server role: name another adapter with --server")
    return client, server


def _party(config: pytest.Config, spec: AdapterSpec, makes_sets: bool = False) -> Party:
    supervisor = Supervisor(config.getoption("vdi_start"))
    try:
        settings = Settings(config.getoption("vdi_seed"), config.getoption("vdi_timeout_scale"))
        host = supervisor.launch(spec, "client", "adapter", settings)
        found = host.initialized
        if makes_sets and not found.capabilities.get("machine"):
            host.call(NewSet(set="probe"))
    finally:
        supervisor.close()
    return Party(
        reference=spec.reference,
        name=found.identity.name,
        version=found.identity.version,
        vendor=found.identity.vendor,
        library=found.identity.library,
        capabilities=Capabilities.from_mapping(found.capabilities).to_mapping(),
    )


def _worker_input(config: pytest.Config) -> dict[str, Any] | None:
    return getattr(config, "workerinput", None)


def _cpu(config: pytest.Config) -> int | None:
    """Choose one processor for the processes of a worker: their ping-pong is faster on one."""
    worker = _worker_input(config)
    if sys.platform == "linux" and worker is not None:
        cpus = sorted(os.sched_getaffinity(0))
        return cpus[int(worker["workerid"].removeprefix("gw")) % len(cpus)]
    return None
