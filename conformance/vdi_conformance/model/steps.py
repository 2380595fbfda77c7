"""The steps that a walk may take from here: every call with an open outcome, and what usually comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.model.state import AbortState, SetPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdi_conformance.model.state import ModelClient, ModelDevice, ModelSet, ModelState

OUTSTANDING: Final = 2
"""So many commands are outstanding on one device at most: more need not fit into its queue."""
MOST: Final = 9
"""After so many commands at most a set usually comes to its end."""
LOOKS: Final = ("get_configuration", "open_device", "get_command", "complete_command", "signal_abort")
"""What is done, now and then, when a set has come to its end."""
COMMANDS: Final = ("Write", "Read", "Flush")


@dataclass(frozen=True, order=True)
class Step:
    """One step: what is done, by which client (0 where the server acts), on what, and in which way."""

    act: str
    by: int = 0
    what: int = 0
    kind: str = ""


def options(model: ModelState, act: str) -> list[Step]:
    """Every way in which this act is possible now."""
    return list(_OPTIONS[act](model))


def _back(model: ModelState, of: ModelSet) -> int:
    """Name a set by how many were created after it, which stays true when earlier ones are left out."""
    return len(model.sets) - 1 - of.index


def _clients(model: ModelState) -> Iterator[ModelClient]:
    return (client for client in model.clients if client.alive)


def _create(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        if client.of is None:
            yield from (Step("create", client.number, devices, "fresh") for devices in (1, 2, 3))
            yield Step("create", client.number, 0, "bad")
            yield from (
                Step("create", client.number, _back(model, one), "taken")
                for one in model.sets
                if one.creator is not None and not one.terminated
            )
        elif client.is_creator or model.strict:
            yield Step("create", client.number, 1, "fresh")


def _join(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        if client.of is None:
            yield Step("join", client.number, 0, "missing")
            yield from (Step("join", client.number, _back(model, one), "set") for one in model.sets if one.members)
        elif not client.is_creator and client.of.members:
            yield Step("join", client.number, _back(model, client.of), "set")


def _get_configuration(model: ModelState) -> Iterator[Step]:
    return (Step("get_configuration", client.number) for client in _clients(model))


def _open_device(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        of = client.of
        # Which names a set has is known when its server has opened its devices.
        if of is None or client.noticed or of.phase < SetPhase.CONFIGURED or all(one.server_open for one in of.devices):
            yield Step("open_device", client.number, 0, "unknown")
        for device in client.of.devices if client.of else ():
            # That a device of another process cannot be opened is only recommended while others are free.
            mine = device.owner in (None, client)
            if mine or client.of is None or client.of.all_taken or model.strict:
                yield Step("open_device", client.number, device.index, "device")


def _get_command(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        yield from (Step("get_command", client.number, device.index) for device in client.devices if not device.waiting)


def _wait(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        for device in client.devices:
            if device.of.sound and not (device.due or device.told or device.waiting or device.held or client.noticed):
                yield Step("wait", client.number, device.index)


def _complete_command(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        for device in (one for one in client.devices if not one.waiting):
            kinds = ["private", *["null"] * model.strict]
            kinds += [f"held {number}" for number in range(len(device.held))]
            kinds += ["another"] * any(other.held for other in client.devices if other is not device)
            kinds += ["stale"] * any(where is device for where, _ in client.stale)
            yield from (Step("complete_command", client.number, device.index, kind) for kind in kinds)


def _signal_abort(model: ModelState) -> Iterator[Step]:
    return (Step("signal_abort", client.number) for client in _clients(model))


def _close(model: ModelState) -> Iterator[Step]:
    # Who closes must have stopped everything else.
    return (Step("close", client.number) for client in _clients(model) if not client.waits)


def _get_buffer_handle(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        yield from (Step("get_buffer_handle", client.number, 0, kind) for kind in ("stray", "past"))
        for device in client.devices:
            yield from _live("get_buffer_handle", client, device, named=False)


def _map_buffer_handle(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        yield from (Step("map_buffer_handle", client.number, 0, kind) for kind in ("stray", "past"))
        for device in client.of.devices if client.of else ():
            yield from _live("map_buffer_handle", client, device, named=True)


def _live(act: str, client: ModelClient, device: ModelDevice, *, named: bool) -> Iterator[Step]:
    for place, command in enumerate(device.held):
        if command.data and (command.named or not named):
            yield Step(act, client.number, device.index, f"live {place}")


def _notice(model: ModelState) -> Iterator[Step]:
    for client in _clients(model):
        if client.of is not None and client.of.abort_state is AbortState.ABORTED:
            waiting = not client.done and any(not device.server_closed for device in client.devices)
            if waiting or not client.noticed:
                yield Step("notice", client.number)


def _kill(model: ModelState) -> Iterator[Step]:
    return (Step("kill", client.number) for client in _clients(model))


def _start(model: ModelState) -> Iterator[Step]:
    yield from (Step("start", client.number) for client in model.clients if not client.alive)
    if not model.server_alive:
        yield Step("start")


def _server_open(model: ModelState) -> Iterator[Step]:
    if model.server_alive and model.serving is None:
        for one in model.sets:
            if one.creator is not None and one.sound and one.phase is SetPhase.CREATED:
                yield Step("server_open", 0, _back(model, one))


def _serving(model: ModelState) -> list[ModelSet]:
    return [model.serving] if model.serving is not None else []


def _configure(model: ModelState) -> Iterator[Step]:
    for of in _serving(model):
        if of.phase < SetPhase.CONFIGURED:
            yield Step("server_configure", kind="begin" if of.phase is SetPhase.OPENED else "end")


def _of_server(act: str, fits: Callable[[ModelDevice], bool]) -> Callable[[ModelState], Iterator[Step]]:
    def found(model: ModelState) -> Iterator[Step]:
        for of in _serving(model):
            if of.phase is SetPhase.CONFIGURED:
                yield from (Step(act, 0, device.index) for device in of.devices if fits(device))

    return found


def _send(model: ModelState) -> Iterator[Step]:
    for of in _serving(model):
        for device in of.devices if of.abort_state is not AbortState.ABORTED else ():
            ready = device.server_open and device.taken and not device.server_closed
            if ready and device.outstanding < OUTSTANDING:
                yield from (Step("send", 0, device.index, kind) for kind in COMMANDS)


def _ends(act: str) -> Callable[[ModelState], Iterator[Step]]:
    return lambda model: (Step(act) for _ in _serving(model))


def _server_kill(model: ModelState) -> Iterator[Step]:
    if model.server_alive:
        yield Step("server_kill")


def may_be_closed(device: ModelDevice) -> bool:
    """Tell whether the server may close a device: it is open on both sides, and nothing is on its way."""
    return device.server_open and device.taken and not (device.server_closed or device.outstanding)


_OPTIONS: Final[dict[str, Callable[[ModelState], Iterator[Step]]]] = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "get_command": _get_command,
    "wait": _wait,
    "complete_command": _complete_command,
    "signal_abort": _signal_abort,
    "close": _close,
    "get_buffer_handle": _get_buffer_handle,
    "map_buffer_handle": _map_buffer_handle,
    "notice": _notice,
    "kill": _kill,
    "start": _start,
    "server_open": _server_open,
    "server_configure": _configure,
    "server_open_device": _of_server("server_open_device", lambda device: not device.server_open),
    "send": _send,
    "close_device": _of_server("close_device", may_be_closed),
    "server_abort": _ends("server_abort"),
    "server_close": _ends("server_close"),
    "server_kill": _server_kill,
}
ACTS: Final = tuple(_OPTIONS)


def woken(model: ModelState) -> Iterator[Step]:
    """Give the end of each GetCommand that waits for what has come."""
    for client in model.clients:
        for device in client.devices:
            if device.waiting and (device.due or client.noticed):
                yield Step("be_woken", client.number, device.index)


def usual(model: ModelState) -> list[Step]:
    """What comes next where everything goes its usual way, as far as that has gone wrong or to its end: start anew."""
    of = model.current
    if of is None or not of.in_use:
        return _begin(model)
    if of.abort_state is not AbortState.SOUND or of.terminated:
        return _leave(model, of)
    if of.creator is None:
        return _leave(model, of)
    if of.phase < SetPhase.CONFIGURED:
        return options(model, "server_configure") or options(model, "server_open") or _make_way(model)
    return _set_up(model, of) or _work(model, of)


def _begin(model: ModelState) -> list[Step]:
    fresh = [step for step in options(model, "create") if step.kind == "fresh"]
    free = [step for step in fresh if model.clients[step.by - 1].of is None]
    return free or options(model, "start") or options(model, "close")


def _make_way(model: ModelState) -> list[Step]:
    return options(model, "server_close") or [step for step in options(model, "start") if step.by == 0]


def _leave(model: ModelState, of: ModelSet) -> list[Step]:
    noticing = [step for step in options(model, "notice") if model.clients[step.by - 1].of is of]
    # The primary comes last.
    leaving = [_end(client) for client in of.members if not client.is_creator]
    last = [_end(of.creator)] if of.creator is not None else []
    closing = leaving or last
    looks = [step for act in LOOKS for step in options(model, act)] if of.terminated and of.sound else []
    if looks and closing:
        return [*looks, *closing * (len(looks) // len(closing))]
    return noticing or closing or _make_way(model)


def _end(client: ModelClient) -> Step:
    return Step("signal_abort" if client.waits else "close", client.number)


def _set_up(model: ModelState, of: ModelSet) -> list[Step]:
    if of.creator is not None and not of.creator.configured:
        return [Step("get_configuration", of.creator.number)]
    idle = [client for client in _clients(model) if client.of is None]
    # Who is left over may join when others are at work.
    if len(of.members) < 2 + of.index % 2 and idle and not any(device.taken for device in of.devices):
        return [Step("join", client.number, _back(model, of), "set") for client in idle]
    missing = options(model, "server_open_device")
    free = [device for device in of.devices if not device.taken]
    opening = [Step("open_device", client.number, one.index, "device") for client in of.members for one in free]
    unknown = [step for step in options(model, "open_device") if step.kind == "unknown" and opening and not missing]
    return missing + opening + unknown[:1]


def _work(model: ModelState, of: ModelSet) -> list[Step]:
    steps = []
    for client in of.members:
        for device in client.devices:
            if not device.waiting and (device.queue or (device.server_closed and not device.told)):
                steps.append(Step("get_command", client.number, device.index))
            if device.held:
                steps.append(Step("complete_command", client.number, device.index, "held 0"))
                steps += _live("get_buffer_handle", client, device, named=False)
        for device in of.devices:
            steps += _live("map_buffer_handle", client, device, named=True)
    if len(of.commands) > of.index * 5 % MOST:
        return steps or options(model, "close_device") or _leave(model, of)
    return steps + options(model, "send") or _leave(model, of)
