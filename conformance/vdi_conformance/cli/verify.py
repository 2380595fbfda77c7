"""`vdi-conformance verify`: whether a certificate is what it says, without a network and without running anything."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from vdi_conformance import __version__
from vdi_conformance.cli import values
from vdi_conformance.cli.keys import public_key
from vdi_conformance.cli.output import distinct, writable, written
from vdi_conformance.cli.refusal import UsageRefusal
from vdi_conformance.cli.shipped import shipped
from vdi_conformance.report.certificate_archive import LIMIT, InvalidCertificate
from vdi_conformance.report.certificate_demands import Demands, check_demands
from vdi_conformance.report.certificate_summary import summary
from vdi_conformance.report.certificate_verification import verified
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.printable import shown

REFUSED: Final = 7
REASON: Final = 20_000
"""So many characters of each of its reasons are told."""
MOST_DAYS: Final = 36_500
_SHA_256: Final = re.compile("[0-9a-f]{64}")


def verify(
    certificate: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `certify` wrote.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.pub", help="The owner of this public key must have signed it; may be repeated."),
    ] = None,
    challenge: Annotated[
        str | None,
        typer.Option(metavar="TEXT", parser=values.challenge, help="Every run must have had this challenge."),
    ] = None,
    max_age: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            parser=values.whole(1, MOST_DAYS),
            help="The runs must not be older.",
        ),
    ] = None,
    digest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="This library or other file, or this SHA-256, must have been judged; may be repeated."
        ),
    ] = None,
    statement: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=writable, help="Write the in-toto statement that a signature is about."),
    ] = None,
) -> int:
    """Check a certificate, without a network.

    It checks every digest, and works out every verdict anew from the evidence. The exit code is 0 where it is
    authentic, is what was asked for and the adapter conforms, 1 where the adapter does not conform, 7 where it is
    refused, 4 on wrong usage. Digests show that nothing was damaged; only a signature whose public key you got from its
    owner shows who made it.
    """
    distinct([("--statement", statement)], [("FILE.zip", certificate), *(("--key", one) for one in key or ())])
    now = datetime.now(UTC)
    demands = Demands(
        keys=[public_key(one) for one in key or ()],
        challenge=challenge,
        max_age=None if max_age is None else timedelta(days=max_age),
        digests=[(one, _digest(one)) for one in digest or ()],
    )
    try:
        authentic = verified(read(certificate), shipped(), now)
        check_demands(authentic, demands, now)
    except InvalidCertificate as error:
        refused(certificate, error)
        return REFUSED
    for line in summary(authentic, demands, __version__):
        typer.echo(shown(line, REASON))
    if statement is not None:
        written(statement, authentic.statement)
    return 0 if authentic.manifest.outcome == "conformant" else 1


def read(certificate: Path) -> bytes:
    """Read a certificate; one that is too large is refused."""
    try:
        return decoding.file_bytes(certificate, LIMIT)
    except decoding.TooLarge as error:
        raise InvalidCertificate(str(error)) from error
    except decoding.Unreadable as error:
        raise UsageRefusal(f"{certificate} cannot be read ({error}): correct its path.") from error


def refused(certificate: Path, error: InvalidCertificate) -> None:
    """Say why."""
    typer.echo(f"vdi-conformance: {shown(str(certificate))} is refused: {shown(str(error))}.", err=True)


def _digest(given: str) -> str:
    """Take a SHA-256 as it is, and that of a file otherwise."""
    if _SHA_256.fullmatch(given):
        return given
    try:
        with Path(given).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageRefusal(
            f"--digest: {given} is no SHA-256 in 64 small hexadecimal digits, and no file that can be read ({reason})."
        ) from error
