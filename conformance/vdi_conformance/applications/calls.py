"""Calls as evidence has them: their arguments and answers by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vdi_conformance.evidence import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.applications.events import Call, Departure


class _Form(NamedTuple):
    """The name of a call, and those of its arguments and out values, in their order."""

    method: str
    arguments: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


_COMMAND: Final = ("command", "code", "size", "position", "area", "length", "offset")
FORMS: Final[dict[str, _Form]] = {
    "create": _Form("set.create_ex", ("instance", "name", "config")),
    "attach": _Form("set.open_in_secondary_ex", ("instance", "name")),
    "get_configuration": _Form("set.get_configuration", ("timeout",)),
    "open_device": _Form("set.open_device", ("name",), ("device",)),
    "get_command": _Form("device.get_command", ("timeout", "device"), _COMMAND),
    "complete_command": _Form(
        "device.complete_command", ("device", "command", "completion_code", "bytes_transferred", "position")
    ),
    "signal_abort": _Form("set.signal_abort"),
    "get_buffer_handle": _Form("set.get_buffer_handle", ("area", "offset"), ("handle",)),
    "map_buffer_handle": _Form("set.map_buffer_handle", ("handle",), ("area", "length", "offset")),
    "close": _Form("set.close"),
    "watching": _Form("library.watching", ("what",)),
    "record_changed": _Form("library.record_changed", ("command",)),
    "buffer_touched": _Form("library.buffer_touched", ("area", "offset", "written")),
    "server_open": _Form("server.open", ("instance", "name")),
    "server_begin_configuration": _Form(
        "server.begin_configuration", ("features", "alignment", "block_size", "max_transfer_size")
    ),
    "server_request_buffers": _Form("server.request_buffers", ("size", "alignment", "count")),
    "server_name_device": _Form("server.name_device", ("name",)),
    "server_open_device": _Form("server.open_device", ("name",)),
    "server_allocate_buffer": _Form("server.allocate_buffer", ("size", "alignment"), ("area", "offset")),
    "server_send_command": _Form(
        "server.send_command", ("device", "tag", "code", "size", "position", "buffer", "area", "offset")
    ),
    "server_close_device": _Form("server.close_device", ("device",)),
}
"""How the calls of the broker are told; what is not among them keeps its name, without arguments."""


def evidence_calls(calls: Sequence[Call]) -> list[records.Call]:
    """Give calls in the order in which they began, numbered from 1, on the clock of the first of them."""
    first = _beginning(calls)
    ordered = sorted(calls, key=lambda call: call.number)
    return [_call(number, call, first) for number, call in enumerate(ordered, 1)]


def ended_process(departure: Departure | None, calls: Sequence[Call]) -> dict[str, float]:
    """Give the process that ended, and when, on the clock of calls that it is told with."""
    if departure is None:
        return {}
    return {f"process {departure.process}": round(1000 * (departure.time - _beginning(calls)), 3)}


def _beginning(calls: Sequence[Call]) -> float:
    return min((call.begin for call in calls), default=0.0)


def _call(number: int, call: Call, first: float) -> records.Call:
    form = FORMS.get(call.method, _Form(call.method.replace("server_", "server.", 1)))
    return records.Call(
        number=number,
        process=f"{'server' if call.method.startswith('server_') else 'process'} {call.owner.process}",
        thread=f"thread {call.connection}",
        method=form.method,
        params=_named(form.arguments, call.arguments),
        answer={"code": call.code, **_values(form, call)},
        begin=round(1000 * (call.begin - first), 3),
        end=round(1000 * (call.end - first), 3),
    )


def _values(form: _Form, call: Call) -> dict[str, Any]:
    """Give the out values; those of a command stand together, since it has a code of its own."""
    named = _named(form.values, call.values)
    return {"command": named} if named and form.values is _COMMAND else named


def _named(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Give values by their names; what has none is left out."""
    return dict(zip(names, values, strict=False))
