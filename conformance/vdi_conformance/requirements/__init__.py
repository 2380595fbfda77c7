"""The catalogue: every testable statement about the interface, with its sources and open questions."""

from vdi_conformance.requirements.catalogue import Catalogue, Requirement, Source, catalogue

__all__ = ["Catalogue", "Requirement", "Source", "catalogue"]
