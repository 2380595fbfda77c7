"""`vdi-conformance schema`: the published schemas of what programs read and write."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.refusal import unknown


def published() -> dict[str, str]:
    """Give the text of every published schema by its name."""
    # Here, so that the help is there at once.
    from vdi_conformance.differences.report import differences_schema
    from vdi_conformance.doctor.findings import report_schema
    from vdi_conformance.evidence.schemas import evidence_line, proof
    from vdi_conformance.host.messages.schemas import host_protocol
    from vdi_conformance.report.certificate import manifest_schema as certificate_manifest
    from vdi_conformance.report.schemas import report_schemas

    documents = {
        "host-protocol": host_protocol(),
        "evidence-line": evidence_line(),
        "proof": proof(),
        **report_schemas(),
        "certificate-manifest": certificate_manifest(),
        "differences": differences_schema(),
        "doctor": report_schema(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", autocompletion=values.completing(published), help="Print this one, such as host-protocol."
        ),
    ] = None,
) -> None:
    """Print a published schema, or the names of all."""
    known = published()
    if name is None:
        for one in known:
            typer.echo(one)
        return
    if name not in known:
        raise unknown("schema", name, known)
    typer.echo(known[name], nl=False)
