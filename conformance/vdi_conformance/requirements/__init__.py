"""The catalogue: every testable statement about the interface, with its sources and open questions."""

from vdi_conformance.requirements.catalogue import catalogue, digest
from vdi_conformance.requirements.values import (
    Catalogue,
    Change,
    Question,
    Reading,
    Requirement,
    Scope,
    Source,
    Unchecked,
)

__all__ = [
    "Catalogue",
    "Change",
    "Question",
    "Reading",
    "Requirement",
    "Scope",
    "Source",
    "Unchecked",
    "catalogue",
    "digest",
]
