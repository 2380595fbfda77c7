"""The published JSON Schema of a line of evidence, made from the record types."""

from typing import Any

import msgspec

from vdi_conformance.evidence.records import FORMAT, CheckRecord, Footer, Header


def evidence_line() -> dict[str, Any]:
    """Give the schema of one line: a header, a check or a footer."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of evidence of vdi-conformance, format {FORMAT}",
        **msgspec.json.schema(Header | CheckRecord | Footer),
    }
