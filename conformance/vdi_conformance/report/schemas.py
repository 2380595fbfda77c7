"""The published schemas of what reports write for programs, made from their types."""

from typing import Any, Final

import msgspec

from vdi_conformance.report import comparison, history, matrix, run_report
from vdi_conformance.report.badge import Badge
from vdi_conformance.report.run_csv import table_schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def report_schemas() -> dict[str, dict[str, Any]]:
    """Give each schema by the name; that of the table of checks is a Table Schema, not a JSON Schema."""
    return {
        "run-report": _schema(run_report.RunReport, f"A run as vdi-conformance tells it, format {run_report.FORMAT}"),
        "comparison": _schema(
            comparison.Comparison, f"What changed between two runs of vdi-conformance, format {comparison.FORMAT}"
        ),
        "history": _schema(history.History, f"Runs of one adapter by vdi-conformance, format {history.FORMAT}"),
        "matrix": _schema(matrix.Matrix, f"Runs of one adapter on several platforms, format {matrix.FORMAT}"),
        "badge": _schema(Badge, "The badge of a run of vdi-conformance, as the endpoint of shields.io"),
        "checks-table": table_schema(),
    }


def _schema(of: type[msgspec.Struct], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title, **msgspec.json.schema(of)}
