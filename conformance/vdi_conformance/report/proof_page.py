"""x."""

from vdi_conformance.evidence.proof import Proof


def page(proof: Proof) -> str:
    """X."""
    return ""
