"""A right implementation on a machine that stops for a second whenever a process has begun."""

import time
from typing import Final

from vdi_conformance.contract import Command, Outcome
from vdi_conformance.vdi.structures import VDConfig
from vdi_fixtures.wrapping import WrappedDevice, WrappedSet, WrappingFault

SECONDS: Final = 1.1
_seen: set[str] = set()


def _stop_once(method: str) -> None:
    if method not in _seen:
        _seen.add(method)
        time.sleep(SECONDS)


class Device(WrappedDevice):
    """Is late with the first command."""

    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        """Stop before."""
        _stop_once("GetCommand")
        return super().get_command(timeout, null_out)


class Set(WrappedSet):
    """Is late with the first answer of GetConfiguration."""

    device = Device

    def get_configuration(self, timeout: int, null_out: bool = False) -> Outcome[VDConfig]:
        """Stop afterwards."""
        outcome = super().get_configuration(timeout, null_out)
        _stop_once("GetConfiguration")
        return outcome


class Late(WrappingFault):
    """The adapter."""

    set = Set
