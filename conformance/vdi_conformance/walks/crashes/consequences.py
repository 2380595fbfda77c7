"""Which requirement is broken where something is not as it must be, by what has happened to which process; pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.requirements import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY: Final = "ST-48"
"""Whatever was done before, each call gives what the documents permit."""
MADE_UP: Final = "CMP-20"
"""What the server sees is what a client completed, or VDI's own."""

ORDINARY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "create": "CRE-01",
        "join": "SEC-01",
        "get_configuration": "CFG-01",
        "open_device": "OPD-01",
        "get_command": "CMD-01",
        "wait": "CMD-01",
        "be_woken": "CMD-24",
        "complete_command": "CMP-01",
        "get_buffer_handle": "GBH-01",
        "map_buffer_handle": "MBH-01",
        "close": "SEC-18",
    }
)
"""What each call of a client is to do on a set that nothing has happened to."""


def ordinary(**otherwise: str) -> Mapping[str, str]:
    """Charge as on a set that nothing has happened to, but for these acts."""
    return {**ORDINARY, **otherwise}


CONTENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "get_command": "BUF-03",
        "be_woken": "BUF-03",
        "map_buffer_handle": "MBH-02",
        "move": "MBH-02",
        "complete_command": "BUF-01",
    }
)
"""What a call is about that gives the right code, and other bytes."""
STORED: Final = "BUF-04"
"""For a Read the server sees the bytes that the client stored."""
MAPPED: Final = "MBH-21"
MAPPED_OF_THE_DEAD: Final = "MBH-22"
"""What was mapped stays accessible after an abort, and after the death of who had fetched the command."""
GOOD: Final = "GBH-20"
"""A handle stays good for as long as its command is held."""
KNOWN: Final = "CFG-09"
"""A configuration that is known is told at once."""
AGAIN: Final = "CRE-03"
"""An object that has closed creates another set."""
PASSED: Final[Mapping[str, str]] = MappingProxyType({"configuration": "CFG-02", "device": "CMD-02"})
REPEATED: Final[Mapping[str, str]] = MappingProxyType({"configuration": "CFG-05", "device": "CMD-04"})
"""What says that a wait ends with its time, and that it can be repeated then."""


@dataclass(frozen=True)
class Consequences:
    """What must come of it, by requirements.

    `waits` is what ends a GetCommand that waits, `configuring` the same for GetConfiguration; `notice` is what every
    other process learns, `completing` what CompleteCommand gives, `ends` how the server sees its commands end. `held`
    keeps the memory of a buffer that a process holds. `act` is the call itself.
    """

    waits: str
    notice: str
    completing: str
    ends: str
    configuring: str = "CFG-07"
    held: str = "ABT-08"
    closing: str = "CLS-07"
    act: str = ANY

    @property
    def all(self) -> frozenset[str]:
        """Every requirement that can be broken there."""
        return frozenset(vars(self).values()) - {ANY} | {MAPPED, MAPPED_OF_THE_DEAD}

    @property
    def charges(self) -> Mapping[str, str]:
        """What each step breaks that goes wrong when it has happened, by its act."""
        return {
            "be_woken": self.waits,
            "get_command": self.notice,
            "notice": self.notice,
            "complete_command": self.completing,
            "close": self.closing,
            "signal_abort": self.act,
            "server_abort": self.act,
        }


OF_AN_ABORT: Final = Consequences("ABT-04", "ABT-03", "CMP-05", "ABT-05", configuring="CFG-06", act="ABT-01")
OF_A_SECONDARYS_ABORT: Final = Consequences("ABT-04", "ABT-18", "CMP-05", "ABT-05", configuring="CFG-06", act="ABT-18")
OF_THE_SERVERS_ABORT: Final = Consequences("ABT-17", "ABT-17", "ABT-17", "SRV-06", act="ABT-17")
OF_THE_PRIMARYS_DEATH: Final = Consequences("SEC-14", "SEC-14", "SEC-14", "SEC-14")
OF_THE_SERVERS_DEATH: Final = Consequences("CMD-22", "SEC-15", "SEC-15", "SEC-15")
OF_A_SECONDARYS_DEATH: Final = Consequences("ABT-04", "ABT-03", "CMP-05", "SEC-17", act="ABT-01")
OF_LOST_PATIENCE: Final = Consequences("TMO-05", "TMO-05", "TMO-05", "TMO-02")
_STOPPED: Final = frozenset({KNOWN, *ORDINARY.values()}) | frozenset(CONTENTS.values())

_BY_EVENT: Final[Mapping[tuple[str, str], Consequences]] = MappingProxyType(
    {
        ("killed", "primary"): OF_THE_PRIMARYS_DEATH,
        ("killed", "fetcher"): OF_A_SECONDARYS_DEATH,
        ("killed", "mapper"): OF_A_SECONDARYS_DEATH,
        ("killed", "server"): OF_THE_SERVERS_DEATH,
        ("aborted", "primary"): OF_AN_ABORT,
        ("aborted", "fetcher"): OF_A_SECONDARYS_ABORT,
        ("aborted", "mapper"): OF_A_SECONDARYS_ABORT,
        ("aborted", "server"): OF_THE_SERVERS_ABORT,
        ("timed out", "server"): OF_LOST_PATIENCE,
    }
)


def consequences(values: Mapping[str, str]) -> Consequences | None:
    """Say what must come of a crash point where it ends a set that is at work; None where that is to go on."""
    return _BY_EVENT.get((values["event"], values["process"]))


def judged(values: Mapping[str, str], level: str) -> tuple[str, ...]:
    """Name the requirements of a level that a crash point can show to be broken, in the order of the catalogue."""
    found = consequences(values)
    at_stake = {AGAIN, STORED} | (_STOPPED if found is None else found.all)
    if values["event"] == "timed out" and found is None:
        at_stake |= {*PASSED.values(), *REPEATED.values()}
    if values["event"] == "killed" and values["process"] in ("fetcher", "mapper"):
        at_stake |= {GOOD}
    return tuple(one.id for one in catalogue().requirements if one.id in at_stake and one.level == level)
