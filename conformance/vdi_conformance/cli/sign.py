"""`vdi-conformance sign`: adds a signature to a certificate that verifies."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from vdi_conformance.cli.keys import private_key
from vdi_conformance.cli.output import distinct, writable, written
from vdi_conformance.cli.shipped import shipped
from vdi_conformance.cli.verify import REFUSED, read, refused
from vdi_conformance.report.certificate_archive import InvalidCertificate
from vdi_conformance.report.certificate_verification import verified


def sign(
    certificate: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `certify` wrote.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The private key, such as `keys new` makes.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.zip", callback=writable, help="Write it here, not in its place."),
    ] = None,
) -> int:
    """Sign a certificate, beside those who have signed it already.

    A signature is about the manifest, whose digests cover all other files, and says how the certificate came out as an
    in-toto test result. Only what `verify` accepts is signed: the exit code is 0 where that is so, 7 where it is
    refused, 4 on wrong usage.
    """
    distinct([("--output", output)], [("--key", key)])
    distinct([("FILE.zip", certificate)], [("--key", key)])
    signer = private_key(key)
    try:
        authentic = verified(read(certificate), shipped(), datetime.now(UTC))
        signed = authentic.signed(signer.sign)
    except InvalidCertificate as error:
        refused(certificate, error)
        return REFUSED
    typer.echo(f"signed with the key {signer.public.id}")
    written(output or certificate, signed)
    return 0
