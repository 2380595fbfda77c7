"""Debian packages: installed where they are for this machine, unpacked beside the build where they are for 32-bit x86.

So the machine keeps its architecture, and its own Wine, which may be at work, is not touched.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_ARCHITECTURE: Final = "i386"
_RELEASE: Final = "bookworm"
"""Others have other versions under other names."""
_STAMP: Final = "made-by-ci.txt"
_KNOWN: Final = "/var/lib/dpkg/status"
_QUIET: Final = "-qq"


class NotHere(Exception):
    """What this machine cannot offer; the text is a clause that can follow `since`."""


def install(*packages: str) -> None:
    """See that packages are installed."""
    missing = [package for package in packages if not _is_installed(package)]
    if not missing:
        return
    is_root = sys.platform != "win32" and os.geteuid() == 0
    if not is_root or shutil.which("apt-get") is None:
        raise NotHere(f"{missing[0]} is not installed, and only root can do that, with apt-get")
    _do("learn of packages", "apt-get", _QUIET, "update")
    _do(f"install {missing[0]}", "apt-get", _QUIET, "install", "--yes", "--no-install-recommends", *missing)


def unpack(directory: Path, *packages: str) -> Path:
    """Give the directory in which packages for 32-bit x86 are unpacked as if it were the root of a system."""
    root, stamp = directory / "root", directory / _STAMP
    wanted = " ".join(packages)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return root
    if any(shutil.which(program) is None for program in ("apt-get", "dpkg")):
        raise NotHere("32-bit programs come from Debian's packages here, and there is no apt-get")
    if (release := _release()) != _RELEASE:
        raise NotHere(f"32-bit programs come from the packages of Debian {_RELEASE} here, and this is {release}")
    shutil.rmtree(directory, ignore_errors=True)
    for downloaded in _downloaded(directory, packages):
        _do(f"unpack {downloaded.name}", "dpkg", "-x", str(downloaded), str(root))
    stamp.write_text(wanted, encoding="utf-8")
    return root


def _downloaded(directory: Path, packages: tuple[str, ...]) -> list[Path]:
    """Download packages by lists of our own, since the machine's lists know of its own architecture alone."""
    lists, archives, files = directory / "lists", directory / "cache" / "archives", directory / "packages"
    for needed in (lists / "partial", archives / "partial", files):
        needed.mkdir(parents=True)
    options = {
        "Dir::State::lists": lists,
        "Dir::State::status": _KNOWN,
        "Dir::Cache": archives.parent,
        "APT::Architectures": f"amd64,{_ARCHITECTURE}",
        "APT::Sandbox::User": "root",
    }
    told = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    # A source that is not to be had may be one from which nothing is wanted: the download tells.
    subprocess.run(["apt-get", _QUIET, *told, "update"], capture_output=True, check=False)  # noqa: S607
    wanted = [f"{package}:{_ARCHITECTURE}" for package in packages]
    _do(f"download {wanted[0]}", "apt-get", _QUIET, *told, "download", *wanted, directory=files)
    return sorted(files.iterdir())


def _release() -> str:
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "none")
    except OSError:
        return "none"


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout == "installed"
    except OSError:
        return False


def _do(what: str, *command: str, directory: Path | None = None) -> None:
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise NotHere(f"this machine could not {what} ({command[0]} ended with exit code {done.returncode}: {said})")
