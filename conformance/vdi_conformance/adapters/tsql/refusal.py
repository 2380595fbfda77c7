"""The error of a statement that cannot be tried at all."""


class NotRunnable(RuntimeError):
    """A statement cannot be run, for a reason that says nothing about VDI: one sentence has cause and remedy."""
