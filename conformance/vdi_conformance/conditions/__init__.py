"""The conditions under which rules are tried: axes with their values, what cannot go together, and combinations."""

from vdi_conformance.conditions.shipped import axes, combinations, constraints, triples
from vdi_conformance.conditions.values import Axis, Combination, Constraint, Value

__all__ = ["Axis", "Combination", "Constraint", "Value", "axes", "combinations", "constraints", "triples"]
