"""Overlapping calls as a check: the sets that they are made on, and how what fits no order is told and charged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import (
    ConformanceFailure,
    MandatoryBroken,
    RecommendationBroken,
    judgeable,
    needing,
    severity,
)
from vdi_conformance.histories.charging import ANY, Beside, charged
from vdi_conformance.histories.overlapping import OverlappingCalls
from vdi_conformance.histories.picture import drawn, told
from vdi_conformance.histories.violation import Violation, find_violation
from vdi_conformance.model.steps import Step
from vdi_conformance.vdi.hresult import name_of
from vdi_conformance.walks.series import walk_on
from vdi_conformance.walks.walk import Coverage, Process, Walk, WalkOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.histories.history import HistoryCall

OWNERS: Final = (1, 1, 1, 2, 3)
"""Which clients have the first devices open; others are free."""
OF_ONE_CLIENT: Final = (1, 1, 1)


@dataclass(frozen=True)
class Overlap:
    """Where the calls of a check come from, and the requirements that it judges, the one that it is about first."""

    beside: Beside
    judged: Sequence[str]


@dataclass(frozen=True)
class WorkingSet:
    """How a set is laid out: how many devices it has, who opened the first of them, and whether these hold a buffer.

    Where they are `busy` each holds a command without data, and on every second one another command waits.
    """

    devices: int = 8
    owners: Sequence[int] = OWNERS
    buffers: bool = True
    busy: bool = False

    def steps(self) -> Iterator[Step]:
        """Give the steps that lead there."""
        yield Step("create", 1, self.devices, "fresh")
        yield Step("server_open")
        yield from (Step("server_configure", kind=kind) for kind in ("begin", "end"))
        yield Step("get_configuration", 1)
        yield from (Step("join", by, 0, "set") for by in sorted({*self.owners} - {1}))
        yield from (Step("server_open_device", 0, device) for device in range(self.devices))
        yield from (Step("open_device", by, device, "device") for device, by in enumerate(self.owners))
        for device, by in enumerate(self.owners if self.buffers else ()):
            yield Step("send", 0, device, "Write")
            yield Step("get_command", by, device)
            yield Step("get_buffer_handle", by, device, "live 0")
        for device, by in enumerate(self.owners if self.busy else ()):
            yield Step("send", 0, device, "Flush")
            yield Step("get_command", by, device)
            if not device % 2:
                yield Step("send", 0, device, "Flush")


def overlapping_on(testbed: Testbed, beside: Beside) -> OverlappingCalls:
    """Begin a walk whose calls will overlap; of objects that share a process the second one creates its own sets."""
    walk = walk_on(testbed, WalkOptions(clients=3), Coverage())
    if beside == "objects":
        _, first = walk.actor(Step("close", 1))
        walk.processes[2] = Process(testbed.beside(first.client))
    return OverlappingCalls(walk)


def set_to_work(overlapping: OverlappingCalls, layout: WorkingSet, beside: Beside) -> None:
    """Bring a new set to work, step by step."""
    walk = overlapping.walk
    walk.testbed.need_scripted()
    walk.begin()
    with needing(ANY):
        for step in layout.steps():
            walk.take(step)
        if beside == "objects":
            walk.take(Step("create", 2, 1, "fresh"))
    overlapping.begin()


def finish(walk: Walk) -> None:
    """Come to an end: every abort is noticed, the server is told what it must be, and everything closes."""
    with needing(ANY):
        walk.finish()


def judge(overlapping: OverlappingCalls, history: Sequence[HistoryCall], overlap: Overlap, about: str = "") -> None:
    """Follow a history; fail where it fits no order."""
    if failure := what_is_wrong(overlapping, history, overlap, about):
        raise failure


def what_is_wrong(
    overlapping: OverlappingCalls, history: Sequence[HistoryCall], overlap: Overlap, about: str = ""
) -> ConformanceFailure | None:
    """Follow a history; where it fits no order, give what is to be raised. A method that it is `about` is to blame."""
    if overlapping.follow(history):
        return None
    violation = find_violation(overlapping.states, history, preferred=lambda call: call.act == about)
    assert violation is not None, "a history either fits some order or does not"
    return failure_of(violation, overlap)


def failure_of(violation: Violation, overlap: Overlap) -> ConformanceFailure:
    """Tell a violation, and charge it."""
    by = charged(violation, overlap.beside)
    if ANY in overlap.judged and severity(judgeable(by).level) == "fails":
        by = ANY
    kind = _kind(by, overlap)
    blamed = violation.blamed
    if blamed is None:
        return kind(f"overlapping calls gave what they give in no order:\n{drawn(violation)}", by=by)
    instead = " or ".join(violation.instead)
    sentence = f"{told(blamed)} instead of {instead}, in whatever order the overlapping calls came:\n{drawn(violation)}"
    return kind(sentence, violation.instead, name_of(blamed.code), by=by)


def _kind(by: str, overlap: Overlap) -> Callable[..., ConformanceFailure]:
    if by in overlap.judged:
        return ConformanceFailure
    return MandatoryBroken if severity(judgeable(by).level) == "fails" else RecommendationBroken
