"""Client and server under test: adapters are found by their references and asked who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.records import Party
from vdi_conformance.harness.worker_session import Parties, ProfileLimits
from vdi_conformance.host.errors import HostError, ImplementationUnavailable, LacksMethods
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.messages.duties import lacking_as_server
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.host.messages.server import AskServerVersion
from vdi_conformance.pytest_plugin.pins import pins_of
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.messages.base import Initialized
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec, Role, RunSettings
    from vdi_conformance.host.supervisor import Supervisor

    Ask = Callable[[AdapterSpec, tuple[Role, ...]], Party]
    """Asks an adapter who it is, and as a client whether it can make a client object."""

PARTIES: Final = pytest.StashKey[tuple[Party, Party]]()
"""The client and the server of a run."""
NO_LIMITS: Final = ProfileLimits()
SENTENCE: Final = 4000
"""So many characters are told of why a reference leads nowhere."""
NONE: Final = "none"
"""The reference that stands for no server."""
NOBODY: Final = Party(reference=NONE, name="nobody", version="", capabilities=Capabilities().to_mapping())
"""The server of a run of what needs none."""


class UnknownParties(ValueError):
    """An adapter cannot be found, started or used in its role; one sentence says why."""


def ask_parties(
    supervisor: Supervisor, reference: str, server_reference: str | None, settings: RunSettings
) -> tuple[Party, Party]:
    """Ask the client, and the server: that of the client where none is named and it has one, or else the emulator's.

    Where the server is "none", it is nobody.
    """

    def ask(spec: AdapterSpec, roles: tuple[Role, ...]) -> Party:
        return party(supervisor, spec, settings, roles, looked_into=True)

    try:
        if server_reference == NONE:
            return ask(resolve(reference), ("client",)), NOBODY
        server_spec = resolve(server_reference) if server_reference else None
        client, server, _ = paired(ask, resolve(reference), server_spec)
    except HostError as error:
        raise UnknownParties(str(error)) from error
    except ValueError as error:
        raise UnknownParties(shown(str(error), SENTENCE)) from error
    if server.capabilities["server"] == "none":
        raise UnknownParties(f"{shown(server.reference)} has no server role: name another adapter with --server")
    if client != server and client.capabilities.get("broker") and server.capabilities.get("broker"):
        raise UnknownParties(
            f"{shown(client.reference)} and the server {shown(server.reference)} each have a machine of their own, so "
            "that they never meet: leave --server out, or name a server that works with the client's machine"
        )
    return client, server


def paired(ask: Ask, spec: AdapterSpec, server_spec: AdapterSpec | None = None) -> tuple[Party, Party, AdapterSpec]:
    """Ask the client, find it a server, and tell how that is started."""
    client = ask(spec, ("client", "server") if server_spec in (None, spec) else ("client",))
    if server_spec is None:
        server_spec = resolve("emulator") if client.capabilities["server"] == "none" else spec
    return client, client if server_spec == spec else ask(server_spec, ("server",)), server_spec


def parties_of(client: Party, server: Party, settings: RunSettings, limits: ProfileLimits = NO_LIMITS) -> Parties:
    """Give each its role."""
    return Parties(
        client=resolve(client.reference),
        server=None if server == NOBODY else resolve(server.reference),
        client_capabilities=Capabilities.from_mapping(client.capabilities),
        server_capabilities=Capabilities.from_mapping(server.capabilities),
        seed=settings.seed,
        timeout_scale=settings.time_scale,
        limits=limits,
    )


def party(
    supervisor: Supervisor,
    spec: AdapterSpec,
    settings: RunSettings,
    roles: tuple[Role, ...],
    looked_into: bool = False,
) -> Party:
    """Ask an adapter who it is, and as a client whether it can make a client object; a HostError where it cannot.

    One that is looked into has its files pinned, and as a server is asked for the version of what is behind it.
    """
    makes_sets = "client" in roles
    hosts = [supervisor.launch(spec, "client" if makes_sets else "server", "adapter", settings)]
    try:
        (host,) = hosts
        found = host.initialized
        level = Capabilities.from_mapping(found.capabilities).server
        if not makes_sets and (missing := lacking_as_server(found.methods, requests(), level)):
            raise LacksMethods(host.name, missing)
        needs_broker = found.capabilities.get("broker")
        if makes_sets and looked_into and needs_broker:
            hosts.append(supervisor.launch(spec, "broker", "broker", settings))
            _ = hosts[-1].initialized
        if makes_sets and (looked_into or not needs_broker):
            host.call(NewSet(set="probe"))
        asked = party_of(spec, found)
        if looked_into:
            version = _server_version(host) if "server" in roles and level != "none" else ""
            asked = msgspec.structs.replace(asked, server_version=version, pins=pins_of(hosts, spec))
    finally:
        for one in hosts:
            one.kill()
        # Whoever starts a broker next may do so in the same directory, which has room for one at a time.
        for one in hosts:
            one.wait_until_ended()
    return asked


def _server_version(host: Host) -> str:
    """Ask for the version of the server behind a host; one that cannot be asked is told of when it is needed."""
    if AskServerVersion.method not in (host.initialized.methods or ()):
        return ""
    try:
        return host.call(AskServerVersion()).version
    except ImplementationUnavailable:
        return ""


def party_of(spec: AdapterSpec, found: Initialized) -> Party:
    """Say who answered."""
    return Party(
        reference=spec.reference,
        name=found.identity.name,
        version=found.identity.version,
        vendor=found.identity.vendor,
        library=found.identity.library,
        capabilities=Capabilities.from_mapping(found.capabilities).to_mapping(),
    )
