"""Writes the published JSON Schemas into reports/schemas: run it after a change of the message or record types."""

import json
from pathlib import Path

from vdi_conformance.differences.report import differences_schema
from vdi_conformance.evidence.schemas import evidence_line, proof
from vdi_conformance.host.messages.schemas import host_protocol
from vdi_conformance.report.certificate import manifest_schema as certificate_manifest
from vdi_conformance.report.schemas import report_schemas

DIRECTORY = Path(__file__).parent.parent / "reports" / "schemas"


def published() -> dict[str, str]:
    """Give the text of every schema file by its name."""
    documents = {
        "host-protocol.json": host_protocol(),
        "evidence-line.json": evidence_line(),
        "proof.json": proof(),
        **report_schemas(),
        "differences.json": differences_schema(),
        "certificate-manifest.json": certificate_manifest(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, text in published().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")
