"""What `verify` says of a certificate: who, what, when, by which profile, and who vouches for it; pure."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from vdi_conformance.evidence.records import Party
from vdi_conformance.report.certificate import Manifest
from vdi_conformance.report.certificate_demands import Demands
from vdi_conformance.report.certificate_verification import Authentic


def summary(certificate: Authentic, demands: Demands, version: str) -> list[str]:
    """Tell it line by line; `version` is that of the suite which verifies."""
    manifest = certificate.manifest
    client, server = manifest.client, manifest.server
    lines = [
        f"{client.name} {client.version}: {manifest.outcome} to the profile {manifest.profile.label}",
        *manifest.reasons,
        f"vendor: {client.vendor or 'not named'}; adapter: {client.reference}",
        *_judged(client),
        f"against the server role of {_called(server)}, on {manifest.platform}",
        _when(certificate),
        f"in answer to the challenge {manifest.challenge}" if manifest.challenge else "in answer to no challenge",
        *_unmet(certificate),
        "All digests are right, and every verdict follows from the evidence.",
        *_vouched(certificate, demands),
    ]
    return lines + _unlike(manifest, version)


def _judged(client: Party) -> Iterator[str]:
    """Name libraries and programs with their digests, and count the files beside them."""
    for path, sha256 in client.core.items():
        yield f"judged: {path}, SHA-256 {sha256}"
    kinds = Counter(pin.kind for pin in client.pins.values())
    others = f"{kinds['adapter']} files of its adapter, {kinds['loaded']} other files of code that its process had"
    yield f"judged: {others}; {len(client.pins)} digests in all, in the manifest"


def _called(server: Party) -> str:
    behind = f" (server {server.server_version})" if server.server_version else ""
    return f"{server.name} {server.version}{behind}"


def _when(certificate: Authentic) -> str:
    last = max(
        (*certificate.found.runs, *(run for _, run in certificate.found.canaries)), key=lambda run: run.header.started
    )
    ended = datetime.fromisoformat(last.header.started) + timedelta(seconds=last.footer.duration)
    made = f"by version {certificate.manifest.suite_version} of the suite"
    return f"from {certificate.manifest.started} to {ended.isoformat(timespec='seconds')}, {made}"


def _unmet(certificate: Authentic) -> Iterator[str]:
    """Name each recommendation that was not met, in its words."""
    said = {requirement.id: requirement.statement for requirement in certificate.found.catalogue.requirements}
    for id_ in certificate.manifest.warned:
        yield f"SHOULD, not met: {id_} {said[id_]}"


def _vouched(certificate: Authentic, demands: Demands) -> Iterator[str]:
    """Say who vouches for it; what was not checked, or cannot be, must not be overlooked."""
    if certificate.envelope is None:
        yield "NOT SIGNED: nothing shows who made this certificate, or that its runs ever took place."
        return
    checked = [key.id for key in demands.keys]
    for id_ in certificate.envelope.key_ids:
        if id_ in checked:
            yield f"signed with the key {id_}"
        else:
            yield f"NOT CHECKED: the signature by the name of the key {id_}, whose public half --key would name."
    if not checked:
        yield "Anybody could have written that name: as it stands, nothing shows who made this certificate."


def _unlike(manifest: Manifest, version: str) -> list[str]:
    if manifest.suite_version == version:
        return []
    made = f"It was made with version {manifest.suite_version} of the suite, this is {version}"
    return [f"{made}: its catalogue and checks could not be compared."]
