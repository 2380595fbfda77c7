"""`vdi-conformance verify`: whether a certificate is what it says, without a network and without running anything."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from vdi_conformance import __version__
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.cli.shipped import shipped
from vdi_conformance.report.certificate import Manifest
from vdi_conformance.report.certificate_archive import LIMIT, InvalidCertificate
from vdi_conformance.report.certificate_verification import verified
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.printable import shown

REFUSED: Final = 7
REASON: Final = 20_000
"""So many characters of each of its reasons are told."""


def verify(certificate: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `certify` wrote.")]) -> int:
    """Check a certificate, without a network.

    It checks every digest, and works out every verdict anew from the evidence. The exit code is 0 where it is
    authentic and the adapter conforms, 1 where it is authentic and the adapter does not, 7 where it is refused.
    Digests show that nothing was damaged, not who made it: it is not signed.
    """
    try:
        manifest = verified(decoding.file_bytes(certificate, LIMIT), shipped(), datetime.now(UTC))
    except (InvalidCertificate, decoding.TooLarge) as error:
        typer.echo(f"vdi-conformance: {shown(str(certificate))} is refused: {shown(str(error))}.", err=True)
        return REFUSED
    except decoding.Unreadable as error:
        raise UsageRefusal(f"{certificate} cannot be read ({error}): correct its path.") from error
    for line in _told(manifest):
        typer.echo(shown(line, REASON))
    return 0 if manifest.outcome == "conformant" else 1


def _told(manifest: Manifest) -> list[str]:
    client, server = manifest.client, manifest.server
    lines = [
        f"{client.name} {client.version}: {manifest.outcome} to the profile {manifest.profile.label}",
        f"against the server role of {server.name} {server.version}, on {manifest.platform}",
        *manifest.reasons,
        "All digests are right, and every verdict follows from the evidence. It is not signed: this does not show who",
        "made it.",
    ]
    if manifest.suite_version != __version__:
        made = f"It was made with version {manifest.suite_version} of the suite, this is {__version__}"
        lines.append(f"{made}: its catalogue and checks could not be compared.")
    return lines
