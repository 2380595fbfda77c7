"""The stand-in sqlvdi.dll, built from fixtures/native for 64-bit Windows."""

from __future__ import annotations

from compiling import Library
from vdi_conformance.standins import targets


def library(*flags: str) -> Library:
    """Give the library with these flags; without any it is optimized."""
    return Library.of(targets.for_windows(64, *flags))
