"""A 32-bit Wine, made of Debian's packages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from widths.packages import install, unpack
from wine.prefix import Prefix, Wine

_INSTALLED: Final = ("g++-mingw-w64-i686-win32", "libz-mingw-w64", "libc6-i386", "util-linux")
_UNPACKED: Final = ("wine32", "libwine")
_PROGRAMS: Final = Path("usr") / "lib" / "wine"
_LIBRARIES: Final = Path("usr") / "lib" / "i386-linux-gnu" / "wine"
_COMPRESSION: Final = Path("/usr/i686-w64-mingw32/lib/zlib1.dll")
_MARK: Final = b"Wine builtin DLL"
_MARK_AT: Final = 64
_MARK_SIZE: Final = 32
_WITHOUT: Final = ("mscoree", "mshtml", "explorer.exe", "winemenubuilder.exe", "winebus.sys", "wineusb.sys")
"""Nobody looks at windows or has a device, and Wine starts its explorer again and again where no display can be had."""


def provide(directory: Path) -> Prefix:
    """Give a Windows of 32 bits, made where it is not there."""
    install(*_INSTALLED)
    root = unpack(directory / "packages", *_UNPACKED)
    _complete(root)
    variables = {
        "WINEARCH": "win32",
        "WINEDLLOVERRIDES": f"{','.join(_WITHOUT)}=",
        "WINEDLLPATH": str(root / _LIBRARIES),
    }
    prefix = Prefix(directory / "prefix", Wine(str(root / _PROGRAMS / "wine"), str(_server(root)), variables))
    prefix.make()
    return prefix


def _complete(root: Path) -> None:
    """Do what Debian's installation would: mark a library that user32 needs as Wine's own, and choose the server."""
    library = root / _LIBRARIES / "i386-windows" / _COMPRESSION.name
    if library.is_file():
        return
    # What is unpacked there is a script that would start a server of the machine.
    shutil.copy(root / _PROGRAMS / "wineserver32", _server(root))
    data = bytearray(_COMPRESSION.read_bytes())
    data[_MARK_AT : _MARK_AT + _MARK_SIZE] = _MARK.ljust(_MARK_SIZE, b"\0")
    library.write_bytes(data)


def _server(root: Path) -> Path:
    return root / _PROGRAMS / "wineserver"
