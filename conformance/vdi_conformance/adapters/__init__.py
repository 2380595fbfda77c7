"""Adapters by reference: built-in names, Python classes, and manifests of host programs in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.adapters.unknown import UnknownAdapter as UnknownAdapter

if TYPE_CHECKING:
    from vdi_conformance.host.spec import AdapterSpec


def resolve(reference: str) -> AdapterSpec:
    """Find out how the adapter of that reference is started; the adapter itself is not imported here.

    A reference that leads nowhere is an UnknownAdapter, in one sentence with a remedy.
    """
    # Every host of a built-in adapter imports this package: what only the parent needs must not slow it down.
    from vdi_conformance.adapters import references

    return references.resolve(reference)
