"""Who plays: adapters are found by their references and asked who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.records import Party
from vdi_conformance.host.errors import HostError
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.suite.bench import Cast, Limits

if TYPE_CHECKING:
    from vdi_conformance.host.spec import AdapterSpec, Settings
    from vdi_conformance.suite.bench import Start

NO_LIMITS: Final = Limits()


class NoCast(ValueError):
    """An adapter cannot be found, started or used in its role; one sentence says why."""


def parties(
    reference: str, server_reference: str | None, settings: Settings, start: Start | None = None
) -> tuple[Party, Party]:
    """Ask the client, and the server: that of the client where none is named and it has one, or else the emulator's."""
    try:
        spec = resolve(reference)
        server_spec = resolve(server_reference) if server_reference else None
        client = _party(spec, settings, start, makes_sets=True)
        if server_spec is None:
            server_spec = resolve("emulator") if client.capabilities["server"] == "none" else spec
        server = client if server_spec == spec else _party(server_spec, settings, start)
    except (UnknownAdapter, HostError, ValueError) as error:
        raise NoCast(str(error)) from error
    if server.capabilities["server"] == "none":
        raise NoCast(f"{server.reference} has no server role: name another adapter with --server")
    return client, server


def cast(client: Party, server: Party, settings: Settings, limits: Limits = NO_LIMITS) -> Cast:
    """Give each its role."""
    return Cast(
        client=resolve(client.reference),
        server=resolve(server.reference),
        client_capabilities=Capabilities.from_mapping(client.capabilities),
        server_capabilities=Capabilities.from_mapping(server.capabilities),
        seed=settings.seed,
        timeout_scale=settings.time_scale,
        limits=limits,
    )


def _party(spec: AdapterSpec, settings: Settings, start: Start | None, makes_sets: bool = False) -> Party:
    supervisor = Supervisor(start)
    try:
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
