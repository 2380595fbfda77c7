"""An adapter over the emulator whose texts try everything that a terminal, a CI system or a reader might fall for."""

import os
import sys
from typing import Final, NoReturn

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Identity, VirtualDeviceSet

NASTY: Final = (
    "\n::error::all is well\r\n##[error]x ##vso[task.complete result=Succeeded] \x1b[2J\x1b]0;title\x07 \x9b31m "
    "\u202egnp.exe\u2066 \u200bwide\ufeff \0 \x7f \ud800 [red]markup[/] <script>alert(1)</script> ![x](http://x.example) | `"
)


class Hostile(Emulator):
    """Says nasty things of itself, and out of every second kind of call."""

    def identity(self) -> Identity:
        """Give a name that is more than a name."""
        return Identity(f"evil{NASTY}"[:200], NASTY[:200], NASTY[:200], f"/lib{NASTY}")

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Give an object whose Close raises."""
        made = super().virtual_device_set()
        made.close = _raise  # type: ignore[method-assign]
        return made


class Silent(Hostile):
    """Dies in Close, with last words."""

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Give an object whose Close ends the process."""
        made = super().virtual_device_set()
        made.close = _die  # type: ignore[method-assign]
        return made


def _raise() -> NoReturn:
    raise OSError(NASTY * 500)


def _die() -> NoReturn:
    sys.stderr.write(NASTY.encode("utf-8", "replace").decode() * 500)
    sys.stderr.flush()
    os._exit(3)
