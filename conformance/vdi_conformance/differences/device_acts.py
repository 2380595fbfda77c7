"""What clients do with devices: they fetch commands, wait for them, and complete them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.playing import Actor, Held, Impossible, Playing
from vdi_conformance.differences.seen import CODE, WAITS, Seen, among, apart, placed, spread
from vdi_conformance.differences.waiting import lasted, time_out
from vdi_conformance.harness.device import CALLS_MEANWHILE
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_SIZE

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.expectations import Result


MOMENT: Final = 150
"""For so many milliseconds, before scaling, is looked whether a wait has come to its end."""
COMPLETION_CODES: Final = {name: code for code, name in win32.NAMES.items()}
DIRECTIONS: Final = {
    0: "none",
    vdc.VDF_WRITE_MEDIA: "written",
    vdc.VDF_READ_MEDIA: "read",
    vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA: "written and read",
}
"""What the server says it does with the media."""


def device_of(actor: Actor, step: Step) -> Device:
    """Give the device that a step names, as long as it was opened at some time."""
    found = actor.devices.get(step.number("device"))
    if found is None:
        raise Impossible
    return found


def _get_command(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    device = device_of(actor, step)
    serving = playing.serving.get(actor.set)
    queued = 0 if serving is None else serving.queued[step.number("device")]
    timeout = time_out(playing, step, due=playing.runs_statements(actor.set) or queued > 0)
    began = time.monotonic()
    result = device.get_command(timeout, null_out=bool(step.argument("null")))
    return fetched(playing, actor, step, result) | lasted(step, began)


def fetched(playing: Playing, actor: Actor, step: Step, result: Result[Fetched]) -> Seen:
    """Take what a GetCommand gave."""
    seen = {CODE: result.name}
    if not result.succeeded or result.value is None:
        if result.value is not None:
            seen["out variable"] = "something else"
        return seen
    command, process = result.value, actor.client.name
    if (serving := playing.serving.get(actor.set)) is not None:
        serving.queued[step.number("device")] -= 1
    playing.commands += 1
    number = playing.commands
    actor.held.setdefault(step.number("device"), []).append(Held(command, number))
    records = [(at, f"that of command {n}") for name, at, n in reversed(playing.records) if name == process]
    elsewhere = [(at, "equal") for name, at, _ in playing.records if name != process]
    seen |= {
        "command": vdc.name_of(command.code),
        "size": str(command.size),
        "position": hex(command.position),
        "record": among(command.address, records, "a new one"),
    }
    if elsewhere:
        seen["record in another process"] = among(command.address, elsewhere, "different")
    playing.records.append((process, command.address, number))
    if command.buffer:
        seen |= _buffer(playing, actor, command, number)
    return seen


def _buffer(playing: Playing, actor: Actor, command: Fetched, number: int) -> Seen:
    process, address = actor.client.name, command.buffer
    known = playing.known_addresses(process)
    actor.first = actor.first or address
    seen = {
        "buffer": among(address, known, "a new one"),
        "place": placed(address),
        "spread": spread(address, known[-1][0] if known else address),
        "distance": apart(address, actor.first),
    }
    held = [one for other in playing.actors.values() for one in _all(other) if one.number != number]
    lent = [n for name, at, n in playing.buffers if (name, at) == (process, address) and n in {h.number for h in held}]
    seen["lent"] = f"to command {lent[0]} as well" if lent else "to no other command"
    seen |= playing.contents(actor, command)
    playing.buffers.append((process, address, number))
    return seen


def _begin_wait(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    device, label = device_of(actor, step), step.argument("thread")
    if (step.number("device"), label) in actor.waiting:
        raise Impossible
    waiting = device.send_get_command(INFINITE, thread=f"{device.key} waits {label}" if label else None)
    actor.waiting[step.number("device"), label] = waiting
    # Requests that take as long let it come to its wait.
    for _ in range(CALLS_MEANWHILE):
        actor.client.outside_addresses()
    return {CODE: "begins"}


def _end_wait(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    key = (step.number("device"), step.argument("thread"))
    waiting = actor.waiting.get(key)
    if waiting is None:
        raise Impossible
    playing.testbed.session.supervisor.wait_any([waiting.pending], playing.scaled(MOMENT) / 1000)
    if not waiting.done:
        return {CODE: WAITS}
    del actor.waiting[key]
    return fetched(playing, actor, step, waiting.result())


def meant(playing: Playing, actor: Actor, step: Step) -> Held:
    """Give the command that a step names."""
    held = actor.held.get(step.number("device"), [])
    match step.argument("what", "held"):
        case "held" | "copy" if held:
            return held[0]
        case "second" if len(held) > 1:
            return held[1]
        case "past" if actor.past:
            return actor.past[-1]
        case "another":
            others = [one for index, some in actor.held.items() if index != step.number("device") for one in some]
            if others:
                return others[0]
        case "foreign":
            foreign = [one for other in playing.actors.values() if other is not actor for one in _all(other)]
            if foreign:
                return foreign[0]
    raise Impossible


def _all(actor: Actor) -> list[Held]:
    return [one for some in actor.held.values() for one in some]


def _record(playing: Playing, actor: Actor, step: Step) -> tuple[int, Held | None]:
    what = step.argument("what", "held")
    if what in ("null", "unmapped"):
        return (0 if what == "null" else actor.client.outside_addresses().unmapped), None
    if what == "private":
        actor.record = actor.record or actor.client.allocate(VDC_COMMAND_SIZE)
        return actor.record, None
    held = meant(playing, actor, step)
    if what != "copy":
        return held.fetched.address, held
    copy = actor.client.allocate(VDC_COMMAND_SIZE)
    actor.client.write(copy, actor.client.read(held.fetched.address, VDC_COMMAND_SIZE))
    return copy, held


def _complete(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    device = device_of(actor, step)
    address, held = _record(playing, actor, step)
    size = held.fetched.size if held is not None and held.fetched.buffer else 0
    given = step.argument("bytes", "all")
    amount = {"all": size, "half": size // 1024 * 512, "more": size + 512}.get(given)
    code = step.argument("code", "ERROR_SUCCESS")
    whole = held.fetched if held is not None and address == held.fetched.address else address
    pending = device.send_complete(
        whole,
        COMPLETION_CODES[code] if code in COMPLETION_CODES else int(code, 0),
        int(given, 0) if amount is None else amount,
        step.number("position"),
        thread=f"{device.key} completes" if step.argument("thread") else None,
    )
    if step.argument("thread"):
        playing.testbed.session.supervisor.wait_any([pending.pending], playing.scaled(MOMENT) / 1000)
        if not pending.done:
            return {CODE: WAITS}
    answer = pending.result()
    if answer.code == NOERROR:
        playing.accepted += 1
    if answer.code == NOERROR and held is not None:
        let_go(playing, held)
    return {CODE: answer.name}


def let_go(playing: Playing, held: Held) -> None:
    """Take a command as completed."""
    for actor in playing.actors.values():
        for some in actor.held.values():
            if held in some:
                some.remove(held)
                actor.past.append(held)


ACTS: Final = {
    "get_command": _get_command,
    "begin_wait": _begin_wait,
    "end_wait": _end_wait,
    "complete": _complete,
}
