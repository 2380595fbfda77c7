"""The stand-in sqlvdi.dll, built from fixtures/native for 64-bit Windows."""

from __future__ import annotations

from typing import Final

from compiling import COMMON, Library

WINDOWS: Final = (*COMMON, "-DUNICODE", "-D_UNICODE", "-D_WIN32_WINNT=0x0A00")
LINKED: Final = ("-static", "-s", "-lws2_32", "-lole32", "-luuid", "-ladvapi32")
_OPTIMIZED: Final = "-O2"


def library(*flags: str) -> Library:
    """Give the library with these flags; without any it is optimized."""
    return Library(
        "sqlvdi.dll",
        "x86_64-w64-mingw32-g++",
        ("core", "windows"),
        (*WINDOWS, *(flags or (_OPTIMIZED,))),
        LINKED,
    )
