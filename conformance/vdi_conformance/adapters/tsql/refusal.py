"""The error of a statement that cannot be tried at all."""

from vdi_conformance.contract import Unavailable


class NotRunnable(Unavailable):
    """A statement cannot be run, for a reason that says nothing about VDI: one sentence has cause and remedy."""
