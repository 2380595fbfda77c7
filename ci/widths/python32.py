"""A 32-bit Python, made of Debian's packages, and the host that it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from widths.packages import install, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

SLOTS: Final = 50
"""So many address layouts a 32-bit process has room for."""
_INSTALLED: Final = ("g++-multilib",)
_UNPACKED: Final = (
    *("python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
    *("libffi8", "zlib1g", "libexpat1"),
)
_LIBRARIES: Final = ("usr/lib/i386-linux-gnu", "lib/i386-linux-gnu")
_HOST: Final = Path(__file__).with_name("host.py")


def provide(directory: Path, library: Path) -> Path:
    """Give the manifest of a 32-bit host of a libsqlvdi.so for 32 bits."""
    root = unpack(directory / "packages", *_UNPACKED)
    slots = directory / "slots"
    slots.mkdir(exist_ok=True)
    for number in range(1, SLOTS + 1):
        (slots / str(number)).touch()
    command = [str(root / "usr" / "bin" / "python3.11"), "-I", "-S", str(_HOST), str(slots)]
    variables = {
        "LD_LIBRARY_PATH": ":".join(str(root / place) for place in _LIBRARIES),
        "VDI_SQLVDI_LIBRARY": str(library),
    }
    manifest = directory / "host.toml"
    manifest.write_text(_manifest(command, variables), encoding="utf-8")
    return manifest


def install_compiler() -> None:
    """See that the compiler of this system compiles for 32 bits too."""
    install(*_INSTALLED)


def _manifest(command: list[str], variables: Mapping[str, str]) -> str:
    """Write what starts the host; texts of JSON are texts of TOML."""
    lines = [f"command = {json.dumps(command)}", "[env]"]
    return "\n".join((*lines, *(f"{name} = {json.dumps(value)}" for name, value in variables.items()), ""))
