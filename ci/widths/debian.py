"""A 32-bit Wine and a compiler for 32-bit Windows, in Debian's packages.

The compiler is installed. The Wine is unpacked beside the build, with lists of packages of its own: the machine keeps
its architecture, and its own Wine, which may be at work, is not touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from environment import say

COMPILER: Final = "i686-w64-mingw32-g++"
_COMPILERS: Final = ("g++-mingw-w64-i686-win32", "libz-mingw-w64")
_UNPACKED: Final = (
    *("wine32", "libwine", "libc6", "libunwind8", "libgcc-s1", "liblzma5"),
    *("libfreetype6", "libpng16-16", "libbrotli1", "zlib1g"),
)
_LIBRARIES: Final = "usr/lib/i386-linux-gnu"
_STAMP: Final = "made-by-ci.txt"
_COMPRESSION: Final = Path("/usr/i686-w64-mingw32/lib/zlib1.dll")


class NotHere(Exception):
    """What this machine cannot offer; the text is one sentence."""


class Wine(NamedTuple):
    """A 32-bit Wine: its program, and the variables that it needs."""

    program: str
    variables: dict[str, str]


def provide(directory: Path) -> Wine:
    """Give the 32-bit Wine, made where it is not there; NotHere where it cannot be had."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NotHere("a 32-bit Wine is made by root and apt-get, of Debian's packages alone")
    if shutil.which(COMPILER) is None or not _COMPRESSION.is_file():
        say(f"Installing {', '.join(_COMPILERS)}.")
        _do("install a compiler for 32-bit Windows", ["apt-get", "-qq", "update"])
        command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *_COMPILERS]
        _do("install a compiler for 32-bit Windows", command)
    root = directory / "root"
    if not (root / _STAMP).is_file():
        say("Unpacking a 32-bit Wine.")
        shutil.rmtree(directory, ignore_errors=True)
        _unpack(directory, root)
        shutil.copy(_COMPRESSION, root / _LIBRARIES / "wine" / "i386-windows")
        (root / _STAMP).touch()
    return Wine(str(root / "usr" / "lib" / "wine" / "wine"), _variables(directory, root))


def _unpack(directory: Path, root: Path) -> None:
    """Download packages of the other architecture, and unpack them."""
    apt, packages = directory / "apt", directory / "packages"
    for needed in (apt / "lists" / "partial", apt / "cache" / "archives" / "partial", packages, root):
        needed.mkdir(parents=True)
    shutil.copy("/var/lib/dpkg/status", apt / "status")
    options = {
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
        "APT::Architectures": "amd64,i386",
    }
    told = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    # A list that cannot be had for the moment may be one of those that nothing is wanted from: the download tells.
    subprocess.run(["apt-get", "-qq", *told, "update"], capture_output=True, check=False)  # noqa: S607
    wanted = [f"{package}:i386" for package in _UNPACKED]
    _do("download a 32-bit Wine", ["apt-get", "-qq", *told, "download", *wanted], packages)
    for package in sorted(packages.iterdir()):
        _do(f"unpack {package.name}", ["dpkg", "-x", str(package), str(root)])


def _variables(directory: Path, root: Path) -> dict[str, str]:
    return {
        "WINEPREFIX": str(directory / "prefix"),
        "WINEARCH": "win32",
        "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "WINELOADER": str(root / "usr" / "lib" / "wine" / "wine"),
        "WINESERVER": str(root / "usr" / "lib" / "wine" / "wineserver32"),
        "WINEDLLPATH": str(root / _LIBRARIES / "wine"),
        "LD_LIBRARY_PATH": f"{root / _LIBRARIES}:{root / 'lib' / 'i386-linux-gnu'}",
    }


def _do(what: str, command: list[str], directory: Path | None = None) -> None:
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise NotHere(f"could not {what} ({command[0]} ended with exit code {done.returncode}: {said})")
