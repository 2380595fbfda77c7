"""What holds for the whole of a trace: who is which client object, what statements ran, what devices are called."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.explanation.situation import Situation
from vdi_conformance.explanation.trace import (
    Operation,
    Statement,
    calls_on_opened_sets,
    clients,
    device_names,
    operations,
    statements,
)
from vdi_conformance.model.state import ModelClient, ModelState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vdi_conformance.evidence.records import Call
    from vdi_conformance.harness.traces import Trace
    from vdi_conformance.model.state import ModelSet


class Unknowable(Exception):
    """Something that the model does not know happened: nothing can be said of what comes after it."""


@dataclass(frozen=True)
class Facts:
    """What is known of a trace from its whole.

    `clients` numbers the client objects, `devices` names those of each set, `zones` has the sizes of prefix zones by
    the names of sets, `late` says when the server's time-out may first have aborted a set, and `racing` has the calls
    on memory during which something was stored elsewhere.
    """

    operations: Sequence[Operation]
    statements: Sequence[Statement]
    clients: Mapping[tuple[str, str], int]
    devices: Mapping[str, Sequence[str]]
    zones: Mapping[str, int]
    late: Mapping[str, float]
    racing: frozenset[int]
    written: frozenset[tuple[str, int]]

    def client_of(self, operation: Operation) -> int | None:
        """Number the client object that a call is made on."""
        return self.clients.get((operation.process, str(operation.params.get("set"))))

    def statement_on(self, of: ModelSet, operation: Operation) -> Statement | None:
        """Give the statement that ran on a set before a call had come to its end; the last one of several."""
        begun = [one for one in self.statements if one.devices[:1] == (of.name,) and one.begin < operation.end]
        return begun[-1] if begun else None

    def first(self) -> Situation:
        """Give the situation before all calls."""
        return Situation(self, ModelState([ModelClient(number) for number in self.clients.values()]))


def facts_of(trace: Trace) -> Facts:
    """Look over a trace."""
    made = operations(trace)
    return Facts(
        made,
        statements(trace),
        clients(trace),
        device_names(trace),
        _zones(trace),
        _late(trace),
        _racing(made),
        _written(made),
    )


def _written(made: Sequence[Operation]) -> frozenset[tuple[str, int]]:
    return frozenset((one.process, number_of(one.params.get("address"))) for one in made if one.method in STORING)


def _zones(trace: Trace) -> dict[str, int]:
    return {name: int(config.get("prefix_zone_size") or 0) for _, name, config in _configurations(trace)}


def _late(trace: Trace) -> dict[str, float]:
    """A time-out counts from when the server began to configure the set at the earliest."""
    asked = {name: int(config.get("server_time_out") or 0) for _, name, config in _configurations(trace)}
    late = {name: call.begin + asked[name] for call, name, _ in _configurations(trace) if asked[name]}
    for call, name in calls_on_opened_sets(trace):
        if call.method == "server.begin_configuration" and call.params.get("timeout"):
            late[name] = min(late.get(name, math.inf), call.begin + int(call.params["timeout"]))
    return late


def _configurations(trace: Trace) -> Iterator[tuple[Call, str, Mapping[str, Any]]]:
    for call in trace.calls:
        if call.method.startswith("set.create") and isinstance(call.params.get("config"), dict):
            yield call, str(call.params.get("name")), call.params["config"]


STORING: Final = ("memory.fill", "memory.write", "memory.load")


def _racing(made: Sequence[Operation]) -> frozenset[int]:
    used = [one for one in made if one.method.startswith("memory.")]
    racing: set[int] = set()
    for place, one in enumerate(used):
        for other in _begun_before(used, place + 1, one.end):
            if one.lane != other.lane and not {one.method, other.method}.isdisjoint(STORING):
                racing |= {one.place, other.place}
    return frozenset(racing)


def _begun_before(made: Sequence[Operation], place: int, end: float) -> Iterator[Operation]:
    while place < len(made) and made[place].begin < end:
        yield made[place]
        place += 1
