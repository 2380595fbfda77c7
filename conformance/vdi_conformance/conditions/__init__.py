"""The conditions under which rules are tried: axes with their values, what cannot go together, and the scenarios."""

from vdi_conformance.conditions.shipped import axes
from vdi_conformance.conditions.values import Axis, Value

__all__ = ["Axis", "Value", "axes"]
