"""What rules found: what was met, what was broken, and by which calls; bounded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.applications.events import Call, Departure

KEPT: Final = 8
"""So many findings of one requirement are told; all are counted."""
SHOWN: Final = 30
"""So many calls are shown of one."""


class Finding(NamedTuple):
    """That a requirement was broken: how in one sentence, the calls that show it, and perhaps the end of a process."""

    requirement: str
    sentence: str
    calls: tuple[Call, ...]
    ended: Departure | None = None


class Ledger:
    """Everything that was found, requirement by requirement."""

    def __init__(self) -> None:
        self.met: Counter[str] = Counter()
        self.shown: dict[str, tuple[Call, ...]] = {}
        self.broken: Counter[str] = Counter()
        self.findings: dict[str, list[Finding]] = {}
        self.answers: dict[tuple[str, str], set[str]] = {}
        self.sets = 0

    def meet(self, requirement: str, *calls: Call) -> None:
        """Take that a requirement was met where it could have been broken."""
        self.met[requirement] += 1
        self.shown.setdefault(requirement, calls)

    def breach(self, requirement: str, sentence: str, calls: Iterable[Call], ended: Departure | None = None) -> None:
        """Take that a requirement was broken."""
        self.broken[requirement] += 1
        ordered = sorted({call.number: call for call in calls}.values(), key=lambda call: call.number)
        kept = self.findings.setdefault(requirement, [])
        if len(kept) < KEPT:
            kept.append(Finding(requirement, sentence, tuple(ordered[-SHOWN:]), ended))

    def observe(self, requirement: str, subject: str, answer: str) -> None:
        """Take an answer where the documents require none."""
        self.answers.setdefault((requirement, subject), set()).add(answer)
