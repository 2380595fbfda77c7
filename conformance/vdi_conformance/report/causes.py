"""Failures by their causes: one defect is told once, by the check that shows it best; pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from vdi_conformance.evidence.records import BEFORE, CheckRecord
from vdi_conformance.judgement.charges import concerned

_CLIENTS: Final = re.compile(r"\b(?:the |a )?(?:primary|secondary(?: \d+)?)\b")
_NAMES: Final = re.compile(r"\bvdi-conformance(?:-[0-9a-f]+)+\b|'[^']*'")
_NUMBERS: Final = re.compile(r"(?<![\w(])-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?)(?![\w)])")
UNKNOWN: Final = "no cause"
ENDS: Final = ("died", "hung")
"""Causes that are one defect, whatever was to be judged: the process ended in a call, or did not come back."""


class Alike(NamedTuple):
    """Checks that ended for one cause: the one that shows it best, and the others."""

    key: str
    clearest: CheckRecord
    others: tuple[CheckRecord, ...]

    @property
    def sentence(self) -> str:
        """The cause in words that hold for all of them."""
        return general(self.clearest.cause.sentence) if self.clearest.cause else UNKNOWN


def general(sentence: str) -> str:
    """Leave out of a sentence what differs from check to check: clients, names of sets, numbers, further lines."""
    told = _NAMES.sub("…", sentence.strip().partition("\n")[0].partition(BEFORE)[0])
    return _NUMBERS.sub("…", _CLIENTS.sub("a client", told))


def key_of(check: CheckRecord) -> str:
    """Name the cause of a check's end, the same in every run: how it ended, what it is about, and what was seen."""
    cause = general(check.cause.sentence) if check.cause else UNKNOWN
    about = [] if check.cause and check.cause.kind in ENDS else concerned(check)
    return " | ".join((check.verdict, ", ".join(about), cause))


def by_cause(checks: Iterable[CheckRecord]) -> list[Alike]:
    """Put checks together that ended for one cause, in the order in which these come first."""
    groups: dict[str, list[CheckRecord]] = {}
    for check in checks:
        groups.setdefault(key_of(check), []).append(check)
    return [_alike(key, found) for key, found in groups.items()]


def _alike(key: str, found: Sequence[CheckRecord]) -> Alike:
    clearest, *others = sorted(found, key=_clearness)
    return Alike(key, clearest, tuple(others))


def _clearness(check: CheckRecord) -> tuple[bool, int, int, str]:
    """Rank a check: one that judges just what it broke comes first, then what took the fewest calls."""
    return (check.requirements != check.broken, len(check.requirements), check.requests.client, check.id)
