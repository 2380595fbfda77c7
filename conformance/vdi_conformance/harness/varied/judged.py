"""Which requirements a set under conditions judges: those for which its conditions give occasion; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.varied.layout import LEAVING, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.conditions import Combination

BY_END: Final = {
    "primary aborts": ("ABT-01", "ABT-03", "ABT-08"),
    "secondary aborts": ("ABT-08", "ABT-18"),
    "server aborts": ("ABT-17", "BUF-15"),
    "time limit": ("BUF-15",),
    "server dies": ("SEC-15", "BUF-15"),
    "primary dies": ("SEC-14",),
}
"""What an end of the set gives occasion to judge."""


def musts(combination: Combination) -> tuple[str, ...]:
    """Name what must hold, but for GBH-02, which each judges."""
    layout = Layout(combination.values)
    judged = {
        "BUF-01": True,
        "BUF-03": layout.is_scripted and not layout.reads,
        "BUF-04": layout.is_scripted and layout.reads and not layout.aborts and layout.at_once > 1,
        "BUF-05": True,
        "BUF-06": layout.zone > 0,
        "BUF-09": layout.zone > 0,
        "CMP-01": not layout.aborts,
        "CMP-20": layout.is_scripted,
        "GBH-01": 0 in layout.owners,
        "GBH-04": layout.before == "refused call",
        "GBH-08": layout.owners != (0,),
        "GBH-15": layout.areas > 1 and layout.is_scripted,
        "GBH-17": layout.threads != "usual",
        "GBH-20": not layout.aborts,
        "MBH-01": layout.mapping != "itself",
        "MBH-02": layout.mapping != "itself",
        "MBH-06": layout.areas > 1 and layout.mapping != "itself",
        "MBH-17": layout.mapping in ("all others", "at once") and layout.processes > 2,
        "MBH-26": layout.threads != "usual" or layout.mapping == "at once",
        "MBH-27": layout.reads and not layout.aborts and layout.mapping != "itself",
    }
    return _named(judged.items(), BY_END.get(layout.meanwhile, ()))


def recommendations(combination: Combination) -> tuple[str, ...]:
    """Name what should hold."""
    layout = Layout(combination.values)
    judged = {
        "CLS-20": layout.meanwhile == "close",
        "CMP-14": layout.threads != "usual" and not layout.aborts,
        "GBH-05": layout.mapping == "again" or layout.before == "many calls",
        "MBH-07": layout.mapping == "itself",
        "MBH-08": layout.meanwhile == "nothing" or layout.mapping == "again" or layout.before == "many calls",
        "MBH-09": layout.zone > 0,
        "MBH-11": True,
        "MBH-20": layout.meanwhile in (*LEAVING, "second object closes"),
        "MBH-21": layout.aborts,
        "MBH-22": layout.meanwhile == "holder killed",
        "SEC-22": layout.has_guests,
        "TMO-05": layout.meanwhile == "time limit",
    }
    return _named(judged.items(), ())


def takes_its_time(combination: Combination) -> bool:
    """Tell whether elapsed time decides."""
    return Layout(combination.values).meanwhile == "time limit"


def _named(judged: Iterable[tuple[str, bool]], further: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*(requirement for requirement, is_judged in judged if is_judged), *further}))
