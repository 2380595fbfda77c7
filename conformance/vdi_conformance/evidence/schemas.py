"""The published JSON Schemas of a line of evidence and of a proof, made from the record types."""

from typing import Any

import msgspec

from vdi_conformance.evidence import proof as proofs
from vdi_conformance.evidence.records import FORMAT, CheckRecord, Footer, Header


def evidence_line() -> dict[str, Any]:
    """Give the schema of one line: a header, a check or a footer."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of evidence of vdi-conformance, format {FORMAT}",
        **msgspec.json.schema(Header | CheckRecord | Footer),
    }


def proof() -> dict[str, Any]:
    """Give the schema of what `prove --json` writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A proof of vdi-conformance, format {proofs.FORMAT}",
        **msgspec.json.schema(proofs.Proof),
    }
