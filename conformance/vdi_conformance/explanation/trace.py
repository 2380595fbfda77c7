"""A trace as operations that can be judged: what was called on which object, and when it may have taken effect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.vdi.completion import ERROR_IO_DEVICE
from vdi_conformance.vdi.hresult import VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.evidence.records import Call
    from vdi_conformance.harness.traces import Trace

PATIENT: Final = 10_000
"""Who waits so many milliseconds waits for what is bound to come."""
_UNKNOWN: Final = ("native.",)
_WITHOUT_EFFECT: Final = frozenset(
    {
        "calls.end_thread",
        "device.release",
        "memory.allocate",
        "memory.outside_addresses",
        "memory.reserve",
        "server.get_configuration",
        "server.query_available_buffers",
        "server.request_buffers",
        "set.new",
    }
)


_WITHOUT_EFFECT_UNANSWERED: Final = frozenset(
    {
        "memory.digest",
        "memory.read",
        "set.get_buffer_handle",
        "set.get_configuration",
        "set.map_buffer_handle",
        "statement.execute",
    }
)


@dataclass(frozen=True)
class Statement:
    """A BACKUP or RESTORE that a server was told to run: by which process, on which devices, and when."""

    process: str
    devices: tuple[str, ...]
    begin: float
    end: float


@dataclass(frozen=True, eq=False)
class Operation:
    """A call, or the end of a process, as something that took effect once, from `begin` on and before it ended.

    What has no `end` may have taken effect, or not. `answer` is None where nothing is known of it.
    """

    place: int
    call: Call | None
    process: str
    method: str
    begin: float
    end: float
    params: Mapping[str, Any]
    answer: Mapping[str, Any] | str | None

    @property
    def code(self) -> int | None:
        """The HRESULT that it gave."""
        return self.answer.get("code") if isinstance(self.answer, Mapping) else None

    @property
    def waits(self) -> bool:
        """Whether it may wait at all."""
        return int(self.params.get("timeout") or 0) > 1

    @property
    def patient(self) -> bool:
        """Whether it waits for what is bound to come."""
        return int(self.params.get("timeout") or 0) >= PATIENT

    @property
    def lane(self) -> tuple[str, str]:
        """The process and the thread whose calls come in their order."""
        return self.process, self.call.thread if self.call else "its end"


def judgeable(trace: Trace) -> bool:
    """Tell whether no call is missing, and the model knows what all of them do.

    It does not know native calls, and what becomes of a device after an error of it.
    """
    return trace.whole and not any(call.method.startswith(_UNKNOWN) or _tells_of_an_error(call) for call in trace.calls)


def _tells_of_an_error(call: Call) -> bool:
    completion = call.answer.get("completion") if isinstance(call.answer, Mapping) else None
    return isinstance(completion, Mapping) and completion.get("code") == ERROR_IO_DEVICE


def operations(trace: Trace) -> list[Operation]:
    """Give all that may have taken effect, in the order in which it began."""
    made = [_operation(call, trace.ended) for call in trace.calls if _has_effect(call)]
    ends = [
        Operation(0, None, process, "process.end", at, math.inf, {}, None)
        for process, at in trace.ended.items()
        if any(call.process == process for call in trace.calls)
    ]
    both = sorted([*made, *ends], key=lambda one: (one.begin, one.call.number if one.call else math.inf))
    return [replace(one, place=place) for place, one in enumerate(both)]


def _has_effect(call: Call) -> bool:
    """A statement has one when it has ended: what its server does meanwhile shows in the calls of others."""
    unanswered = call.answer is None and call.method in _WITHOUT_EFFECT_UNANSWERED
    return call.method not in _WITHOUT_EFFECT and not unanswered


def _operation(call: Call, ended: Mapping[str, float]) -> Operation:
    answer, end = call.answer, math.inf if call.end is None else call.end
    if isinstance(answer, str) and (ended.get(call.process, math.inf) <= end or not call.method.startswith("memory.")):
        # Its process was ended, or its host refused it: what it has done before is not known.
        answer, end = None, math.inf
    return Operation(0, call, call.process, call.method, _earliest(call, answer), end, call.params, answer)


def _earliest(call: Call, answer: Mapping[str, Any] | str | None) -> float:
    """A wait in vain has gone on for half its time at least before it could find that nothing comes."""
    in_vain = isinstance(answer, Mapping) and (
        answer.get("completion", ...) is None if call.method == "server.next_completion" else _timed_out(answer)
    )
    return (call.begin + call.end) / 2 if in_vain and call.end is not None else call.begin


def _timed_out(answer: Mapping[str, Any]) -> bool:
    return answer.get("code") == VD_E_TIMEOUT


def statements(trace: Trace) -> list[Statement]:
    """Give the statements that servers ran; one that has no end is taken to run on."""
    return [
        Statement(
            process=call.process,
            devices=tuple(map(str, call.params.get("devices") or ())),
            begin=call.begin,
            end=math.inf if call.end is None or not isinstance(call.answer, Mapping) else call.end,
        )
        for call in trace.calls
        if call.method == "statement.execute"
    ]


def clients(trace: Trace) -> dict[tuple[str, str], int]:
    """Number the client objects, by their process and their id there."""
    named = dict.fromkeys((call.process, str(call.params["set"])) for call in trace.calls if "set" in call.params)
    return {one: number for number, one in enumerate(named, 1)}


def device_names(trace: Trace) -> dict[str, list[str]]:
    """Give the names of the devices of each set, by its own name, as its server knows them."""
    named: dict[str, list[str]] = {one.devices[0]: list(one.devices) for one in statements(trace) if one.devices}
    for call, of in calls_on_opened_sets(trace):
        if call.method == "server.open_device":
            names = named.setdefault(of, [of])
            if (name := str(call.params.get("name"))) not in names:
                names.append(name)
    return named


def calls_on_opened_sets(trace: Trace) -> Iterator[tuple[Call, str]]:
    """Give the calls of scripted servers, each with the name of the set that it had opened by then."""
    opened: dict[tuple[str, str], str] = {}
    for call in trace.calls:
        server = (call.process, str(call.params.get("server")))
        if call.method == "server.open":
            opened[server] = str(call.params.get("name"))
        elif server in opened:
            yield call, opened[server]
