"""The error of a reference that leads to no adapter."""


class UnknownAdapter(ValueError):
    """A reference to an adapter, or the manifest behind it, is of no use; one sentence says why, and what to do."""
