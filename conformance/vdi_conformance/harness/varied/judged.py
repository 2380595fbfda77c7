"""Which requirements a set under conditions judges: those for which its conditions give occasion; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.varied.layout import LEAVING, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.conditions import Combination

GUESTS_LEAVE: Final = ("second object closes", "wait")
"""Where the second objects of processes close while others go on."""
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
        "BUF-04": layout.is_scripted and layout.reads and layout.at_once > 1,
        "BUF-05": True,
        "BUF-06": layout.zone > 0,
        "BUF-09": layout.zone > 0,
        "CMP-01": True,
        "CMP-20": layout.is_scripted,
        "GBH-01": 0 in layout.owners,
        "GBH-08": layout.owners != (0,),
        "GBH-15": layout.areas > 1 and layout.is_scripted,
        "GBH-17": layout.threads != "usual",
        "GBH-20": not layout.aborts,
        "MBH-01": layout.processes > 1,
        "MBH-02": layout.processes > 1,
        "MBH-06": layout.areas > 1 and layout.processes > 1,
        "MBH-17": layout.mapping in ("all others", "at once") and layout.processes > 2,
        "MBH-26": layout.threads != "usual" or layout.mapping == "at once",
        "MBH-27": layout.reads and layout.processes > 1,
    }
    return _named((judged | _around(layout)).items(), BY_END.get(layout.meanwhile, ()))


def _around(layout: Layout) -> dict[str, bool]:
    """Say what is judged of the other methods."""
    goes_on, asked = not layout.aborts, layout.is_asked
    told = goes_on and layout.is_scripted and not layout.may_end
    several = layout.processes > 1
    older = layout.older_joining
    refused = layout.before != "nothing"
    unopened = layout.spare is not None and not layout.opens_spare_first
    many = layout.may_end or layout.closes_by_abort
    ends_aborted = layout.aborts or layout.keeps or (told and layout.closes_by_abort)
    late = (
        (several or (layout.has_guests and not layout.guests_close_last))
        and layout.can_be_asked_for
        and (layout.aborts or many)
    )
    return {
        "ABT-01": layout.aborts or many,
        "ABT-02": True,
        "ABT-03": goes_on and many,
        "ABT-10": layout.aborts or many,
        "CFG-09": True,
        "CFG-11": True,
        "CFG-21": True,
        "CFG-24": True,
        "CFG-33": layout.is_scripted,
        "CLS-01": goes_on and not many,
        "CLS-02": True,
        "CLS-07": not goes_on or many,
        "CMD-01": layout.is_scripted,
        "CMD-02": asked and layout.is_scripted,
        "CMD-05": told or (goes_on and not layout.is_scripted and not many),
        "CMD-08": ends_aborted,
        "CMD-11": told or (layout.aborts and layout.is_scripted),
        "CMD-17": True,
        "CMP-02": goes_on and (layout.fails or told),
        "CMP-03": asked,
        "CMP-05": ends_aborted,
        "CMP-10": (told or layout.aborts) and layout.features > 0,
        "GBH-03": layout.holders_stay,
        "GBH-04": asked,
        "MBH-03": layout.meanwhile not in ("primary dies", "holder killed"),
        "MBH-04": asked and layout.leaves_numbers,
        "OPD-01": True,
        "OPD-04": told and layout.spare is not None,
        "OPD-05": (asked and unopened) or (refused and layout.devices > 1),
        "OPD-06": asked and not unopened and layout.closed is None and not layout.may_end,
        "OPD-08": (asked and unopened) or refused,
        "OPD-09": layout.aborts or many,
        "SEC-01": layout.joins_late is not None and layout.is_scripted and not older,
        "SEC-03": asked and several and not older,
        "SEC-05": late and not older,
        "SEC-08": layout.joins_late is not None and layout.is_scripted and older,
        "SEC-10": several,
        "SEC-11": several or layout.has_guests,
        "SEC-18": goes_on and several and not many,
        "SEC-26": (late or (asked and several)) and older,
    }


def recommendations(combination: Combination) -> tuple[str, ...]:
    """Name what should hold."""
    layout = Layout(combination.values)
    judged = {
        "CFG-26": layout.is_asked,
        "CLS-20": layout.meanwhile == "close",
        "CMP-04": layout.is_asked,
        "CMP-14": layout.threads != "usual" and not layout.aborts,
        "GBH-05": layout.mapping == "again" or layout.before == "many calls",
        "GBH-10": layout.is_asked,
        "MBH-07": layout.mapping == "itself",
        "MBH-08": not layout.aborts or layout.mapping == "again" or layout.before == "many calls",
        "MBH-09": layout.zone > 0,
        "MBH-11": True,
        "MBH-20": layout.meanwhile in LEAVING or (layout.has_guests and layout.meanwhile in GUESTS_LEAVE),
        "MBH-21": layout.aborts,
        "MBH-22": layout.meanwhile == "holder killed",
        "MBH-28": layout.is_asked,
        "SEC-04": layout.is_asked and layout.processes > 1,
        "SEC-22": layout.has_guests,
        "TMO-05": layout.meanwhile == "time limit",
    }
    return _named(judged.items(), ())


def takes_its_time(combination: Combination) -> bool:
    """Tell whether elapsed time decides."""
    return Layout(combination.values).meanwhile == "time limit"


def _named(judged: Iterable[tuple[str, bool]], further: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*(requirement for requirement, is_judged in judged if is_judged), *further}))
