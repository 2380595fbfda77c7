"""The stand-in sqlvdi.dll, built from fixtures/native for 64-bit Windows."""

from __future__ import annotations

from typing import Final

from compiling import COMMON, Library

_OPTIMIZED: Final = "-O2"


def library(*flags: str) -> Library:
    """Give the library with these flags; without any it is optimized."""
    return Library(
        "sqlvdi.dll",
        "x86_64-w64-mingw32-g++",
        ("core", "windows"),
        (*COMMON, "-DUNICODE", "-D_WIN32_WINNT=0x0A00", *(flags or (_OPTIMIZED,))),
        ("-static", "-s", "-lws2_32", "-lole32", "-luuid", "-ladvapi32"),
    )
