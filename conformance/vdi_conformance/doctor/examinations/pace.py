"""Many requests: whether a host goes on answering, and what each costs."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.conversation import Silence
from vdi_conformance.doctor.findings import Call
from vdi_conformance.host.messages.client import GetBufferHandle, NewSet
from vdi_conformance.host.messages.memory import AllocateMemory, ReadMemory

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.doctor.subject import Examiner
    from vdi_conformance.host.messages.base import Request

_CALLS: Final = 300
_LEAST: Final = 5
_SECONDS: Final = 1.0
"""No more calls of a kind are made when so much time has gone, beyond the least number."""
_SLOW: Final = 20.0
"""Milliseconds: a run of so slow calls would take an hour and more."""
CALLS_OF_A_RUN: Final = 200_000


def many(examiner: Examiner) -> None:
    """It goes on answering, request after request, and each takes little time."""
    address = examiner.call(AllocateMemory(size=1)).address
    examiner.call(NewSet(set="many"))
    kinds: tuple[tuple[str, Request[Any]], ...] = (
        ("memory.read without a label", ReadMemory(address=address, size=1)),
        ("memory.read under a label", ReadMemory(address=address, size=1, thread="pace")),
        ("set.get_buffer_handle under a label", GetBufferHandle(set="many", address="0x1000", thread="pace")),
    )
    answered = 0
    for what, request in kinds:
        took: list[float] = []
        while len(took) < _CALLS and (len(took) < _LEAST or sum(took) < 1000 * _SECONDS):
            began = time.perf_counter()
            try:
                examiner.refusal(request)
            except Silence as silence:
                raise examiner.stop("stops-answering", f"after {answered} requests in a row: {silence}") from None
            took.append(1000 * (time.perf_counter() - began))
            answered += 1
        median = statistics.median(took)
        examiner.subject.times.append(Call(what=what, calls=len(took), median_milliseconds=round(median, 3)))
        if median > _SLOW:
            hours = median * CALLS_OF_A_RUN / 3_600_000
            examiner.found("slow", f"{what} takes {median:.0f} ms, so that a run would wait {hours:.1f} hours for it")
