"""The calls of a long check that tell how it came to its end: what led to one of them, and what it has to do with."""

from collections.abc import Sequence
from typing import Final

from vdi_conformance.evidence.records import Call, CheckRecord
from vdi_conformance.report.lanes.buffers import buffers_of

MOST: Final = 60
"""So many calls are kept at the most."""
AFTER: Final = 6
"""So many of them come after the one that it is about."""
RELATED: Final = 20
"""So many of them made what it is about, and came long before it."""


def shortened(calls: Sequence[Call], about: int) -> list[Call]:
    """Keep the call of a number with those before it, a few after it, and those on the same buffers or devices."""
    if len(calls) <= MOST:
        return list(calls)
    place = next((place for place, call in enumerate(calls) if call.number >= about), len(calls) - 1)
    after = range(place + 1, min(place + 1 + AFTER, len(calls)))
    related = _related(calls, place)
    kept = {place, *after, *related}
    before = range(max(place - (MOST - len(kept)), 0), place)
    return [calls[one] for one in sorted({*kept, *before})]


def told_calls(check: CheckRecord) -> list[Call]:
    """Give the calls of a check that are told: those that led to the one which should have been answered otherwise."""
    last = check.calls[-1].number if check.calls else 0
    return shortened(check.calls, check.unexpected.call if check.unexpected else last)


def _related(calls: Sequence[Call], place: int) -> list[int]:
    """Find the last calls before one that were about one of its buffers, or made what it is called on."""
    buffers = buffers_of(calls[: place + 1])
    about = calls[place]
    mine = set(buffers[about.number].values())
    ids = {(about.process, key, value) for key in ("set", "device") if isinstance(value := about.params.get(key), str)}
    found = [
        one
        for one, call in enumerate(calls[:place])
        if not call.method.startswith("memory.")
        and (
            mine.intersection(buffers[call.number].values())
            or (call.method.startswith(("set.create", "set.open")) and _names_one(call, ids))
        )
    ]
    return found[-RELATED:]


def _names_one(call: Call, ids: set[tuple[str, str, str]]) -> bool:
    return any((call.process, key, call.params.get(key)) in ids for key in ("set", "device"))
