"""What is built: libsqlvdi.so, sqlvdi.dll, and the program that is sqlcmd.exe and osql.exe."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.standins.building import COMMON, SHARED, NotBuilt, Target, say_nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPTIMIZED: Final = "-O2"
WINDOWS: Final = (*COMMON, "-DUNICODE", "-D_UNICODE", "-D_WIN32_WINNT=0x0A00")
LINKED: Final = ("-static", "-s", "-lws2_32", "-lole32", "-luuid", "-ladvapi32")
COMPILERS: Final[Mapping[int, str]] = MappingProxyType({64: "x86_64-w64-mingw32-g++", 32: "i686-w64-mingw32-g++"})
"""The compilers for Windows, by the width of a process in bits."""
LINUX_LIBRARY: Final = "libsqlvdi.so"
WINDOWS_LIBRARY: Final = "sqlvdi.dll"


def for_linux(*flags: str) -> Target:
    """Give libsqlvdi.so with these flags; without any it is optimized. NotBuilt where this is no Linux."""
    if platform.system() != "Linux":
        raise NotBuilt(f"The stand-in {LINUX_LIBRARY} is built on Linux alone: build it there.")
    told = (*COMMON, "-fPIC", "-fvisibility=hidden", "-pthread", *(flags or (OPTIMIZED,)))
    linked = (SHARED, "-Wl,--no-undefined")
    return Target(LINUX_LIBRARY, compiler(), ("core", "posix", "linux"), told, linked)


def for_windows(bits: int = 64, *flags: str) -> Target:
    """Give sqlvdi.dll with these flags; without any it is optimized."""
    # What is exported has the size of its arguments in its name in 32 bits, which the list of exports leaves out.
    fixed = ("-Wl,--enable-stdcall-fixup",) if bits == min(COMPILERS) else ()
    told = (*WINDOWS, *(flags or (OPTIMIZED,)))
    return Target(WINDOWS_LIBRARY, COMPILERS[bits], ("core", "windows"), told, (SHARED, *LINKED, *fixed))


def tool_for_windows(bits: int = 64) -> Target:
    """Give sqlcmd.exe, which passes its command line on to a running emulator; a copy of that name is osql.exe."""
    sources = ("tools", "core/wire.cpp", "windows/socket.cpp", "windows/text.cpp")
    told = (*WINDOWS, OPTIMIZED, "-municode")
    return Target("sqlcmd.exe", COMPILERS[bits], sources, told, LINKED)


def compiler() -> str:
    """Give the path of the C++ compiler of this machine."""
    named = os.environ.get("CXX", "g++")
    found = shutil.which(named)
    if found is None:
        raise NotBuilt(f"There is no C++ compiler {named} here: install it, or name another in the variable CXX.")
    return found


def cache() -> Path:
    """Give the directory of this user in which what was built is kept from one start to the next."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vdi-conformance"


TOOLS: Final = ("sqlcmd.exe", "osql.exe")


def provide(directory: Path, bits: int | None, tell: Callable[[str], None] = say_nothing) -> tuple[Path, ...]:
    """Put the library into a directory, and with it the tools where `bits` names a width of Windows.

    It is built once for this user and copied from then on. NotBuilt where that cannot be.
    """
    room = cache() / ("linux" if bits is None else f"windows-{bits}")
    if bits is None:
        return (_copied(for_linux().build(room, tell), directory),)
    library, tool = for_windows(bits).build(room, tell), tool_for_windows(bits).build(room, tell)
    return (_copied(library, directory), *(_copied(tool, directory, name) for name in TOOLS))


def _copied(made: Path, directory: Path, name: str | None = None) -> Path:
    try:
        return Path(shutil.copy(made, directory / (name or made.name)))
    except OSError as error:
        raise NotBuilt(f"{directory} cannot be written ({error.strerror}): name another directory.") from error
