"""Writes the published JSON Schemas into reports/schemas: run it after a change of the message or record types."""

from pathlib import Path

from vdi_conformance.cli.schema import published

DIRECTORY = Path(__file__).parent.parent / "reports" / "schemas"


if __name__ == "__main__":
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for name, text in published().items():
        (DIRECTORY / f"{name}.json").write_text(text, encoding="utf-8")
