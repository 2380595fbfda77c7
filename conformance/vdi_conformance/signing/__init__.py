"""Signatures: envelopes as values and bytes, and keys in files, for which the extra `signing` must be installed."""

from typing import Final

PASSWORD: Final = "VDI_SIGNING_PASSWORD"  # noqa: S105 - the name of the variable
"""The environment variable with the password of a private key that is encrypted."""
