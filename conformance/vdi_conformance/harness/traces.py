"""What the processes of a check were called for, on one clock: the calls as evidence has them, and when who ended."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import Call
from vdi_conformance.host.messages.concurrent_calls import ConcurrentCalls
from vdi_conformance.untrusted.printable import keepable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vdi_conformance.host.process import CallRecord, Host

TOLD: Final = 5000
"""So many characters are kept of each text in a call."""
ELEMENTS: Final = 100
"""So many elements are kept of each list in a call."""


@dataclass(frozen=True)
class Trace:
    """The calls of a check, oldest first.

    `ended` says of processes when they were told to leave or were seen to have left, in milliseconds on the clock of
    the calls; the others lived on. `whole` says that no call is missing, and that all processes were of one account;
    `accounts` names those that were of another one.
    """

    calls: Sequence[Call]
    ended: Mapping[str, float]
    whole: bool = True
    accounts: Sequence[str] = ()


def trace_of(hosts: Iterable[Host]) -> Trace:
    """Give the calls of these processes, as far as they remember them.

    Where a process has forgotten its first ones, their numbers are missing before the first that it remembers. A second
    process of the same name has a number behind it.
    """
    named = dict(_named(hosts))
    remembered = [
        (record, name, host.forgotten if not place else 0)
        for name, host in named.items()
        for place, record in enumerate(host.calls)
        # The calls that went together are calls of their own.
        if record.method != ConcurrentCalls.method
    ]
    remembered.sort(key=lambda one: one[0].number)
    numbers = itertools.accumulate(forgotten + 1 for *_, forgotten in remembered)
    first = min((record.started for record, *_ in remembered), default=0.0)
    return Trace(
        [_call(record, name, number, first) for (record, name, _), number in zip(remembered, numbers, strict=True)],
        {name: _milliseconds(host.leaving - first) for name, host in named.items() if host.leaving is not None},
        not any(host.forgotten or host.spec.credentials for host in named.values()),
        [name for name, host in named.items() if host.spec.credentials],
    )


def _named(hosts: Iterable[Host]) -> Iterable[tuple[str, Host]]:
    met: Counter[str] = Counter()
    for host in hosts:
        met[host.name] += 1
        yield host.name if met[host.name] == 1 else f"{host.name} ({met[host.name]})", host


def _call(record: CallRecord, process: str, number: int, first: float) -> Call:
    params = dict(record.params)
    thread = params.pop("thread", None) or ""
    return Call(
        number=number,
        process=process,
        thread=thread,
        method=record.method,
        params=keepable(params, TOLD, ELEMENTS),
        answer=keepable(record.error or record.reply, TOLD, ELEMENTS),
        begin=_milliseconds(record.started - first),
        end=None if record.ended is None else _milliseconds(record.ended - first),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
