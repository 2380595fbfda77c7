"""The published JSON Schemas of the host protocol, made from the message types."""

import functools
import inspect
from typing import Any

import msgspec

from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.host.messages import base, client, concurrent_calls, memory, native, server
from vdi_conformance.host.messages.base import Request
from vdi_conformance.host.messages.duties import SAID, duty_of
from vdi_conformance.host.messages.rules import RULES, WHEN


@functools.cache
def requests() -> dict[str, type[Request[Any]]]:
    """Give every request type by its method."""
    found = {
        kind.method: kind
        for module in (base, client, native, memory, server, concurrent_calls)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Request) and hasattr(kind, "method")
    }
    return dict(sorted(found.items()))


def host_protocol() -> dict[str, Any]:
    """Give one document: rules, errors, what a host must have, and for each method its schemas and who needs it."""
    kinds = requests()
    types = [one for kind in kinds.values() for one in (kind, kind.reply)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    described = dict(zip(types, schemas, strict=True))
    methods = {
        method: {
            "description": inspect.cleandoc(kind.__doc__ or ""),
            "needed": SAID[duty_of(method)],
            "params": described[kind],
            "result": described[kind.reply],
        }
        for method, kind in kinds.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Host protocol of vdi-conformance, version {PROTOCOL_VERSION}",
        "version": str(PROTOCOL_VERSION),
        "rules": list(RULES),
        "errors": {str(code): when for code, when in WHEN.items()},
        "must_have": [method for method in kinds if duty_of(method) == "always"],
        "methods": methods,
        "$defs": components,
    }
