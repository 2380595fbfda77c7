"""What is published is what is spoken."""

import json

import jsonschema
import msgspec

from schemas import DIRECTORY
from selftest.evidence.samples import CHECK, FOOTER, HEADER, KNOWN
from vdi_conformance.cli.schema import published
from vdi_conformance.host.messages.schemas import requests


def test_the_committed_schemas_are_the_types_own() -> None:
    for name, text in published().items():
        path = DIRECTORY / f"{name}.json"
        assert path.read_text(encoding="utf-8") == text, f"run ci/schemas.py: {path.name} is out of date"
    assert {path.stem for path in DIRECTORY.iterdir()} == set(published())


def test_records_fit_their_schema() -> None:
    schema = json.loads((DIRECTORY / "evidence-line.json").read_text(encoding="utf-8"))
    for record in (HEADER, CHECK, KNOWN, FOOTER):
        jsonschema.validate(msgspec.to_builtins(record), schema)


def test_every_method_is_published() -> None:
    schema = json.loads((DIRECTORY / "host-protocol.json").read_text(encoding="utf-8"))
    assert set(schema["methods"]) == set(requests())
    parameters = [method["params"] for method in schema["methods"].values()]
    jsonschema.Draft202012Validator.check_schema({"$defs": schema["$defs"], "anyOf": parameters})
