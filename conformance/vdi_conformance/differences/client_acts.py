"""What clients do with a set and its devices: the methods of both interfaces, waits, and the ends of processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.differences.playing import Actor, Held, Impossible, Playing
from vdi_conformance.differences.seen import CODE, WAITS, Seen, among, apart, placed
from vdi_conformance.host.resources import resources_of
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import INFINITE, VDC_COMMAND_SIZE, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.expectations import Result
    from vdi_conformance.harness.other_accounts import Other

MOMENT: Final = 150
"""For so many milliseconds, before scaling, is looked whether a wait has come to its end."""
COMING: Final = 1000
"""So many milliseconds a call waits for what is to come."""
NOTICED: Final = 1500
"""So many milliseconds an abort has to show in another process."""
LONG: Final = 0.9
"""A wait of a twentieth of a second that took so many seconds has another unit."""
COMPLETION_CODES: Final = {name: code for code, name in win32.NAMES.items()}
DIRECTIONS: Final = {
    0: "none",
    vdc.VDF_WRITE_MEDIA: "written",
    vdc.VDF_READ_MEDIA: "read",
    vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA: "written and read",
}
"""What the server says it does with the media."""
FIELDS: Final = {
    "device_count": "devices",
    "features": "features",
    "prefix_zone_size": "prefix zone",
    "alignment": "alignment",
    "soft_file_mark_block_size": "soft filemark block size",
    "eom_warning_size": "warning size",
    "server_time_out": "server time-out",
    "block_size": "block size",
    "max_io_depth": "depth",
    "max_transfer_size": "transfer size",
    "buffer_area_size": "buffer area",
}
"""What the fields of a configuration are called."""


def _named(playing: Playing, step: Step, actor: Actor) -> str | None:
    """Give the name of a set as a step wants it."""
    usual = playing.name(step.argument("set", actor.set))
    length = step.number("length")
    if length:
        return f"{usual}-{'n' * length}"[-length:]
    match step.argument("name"):
        case "null":
            return None
        case "empty":
            return ""
        case "unknown":
            return f"{usual}-of-nobody"
        case "capitals":
            return usual.upper()
        case "backslash":
            return f"{usual}\\x"
        case "slash":
            return f"{usual}/x"
    return usual


def _instance(step: Step) -> str | None:
    found = step.argument("instance", "null")
    return {"null": None, "empty": ""}.get(found, found)


def _create(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    name, devices = _named(playing, step, actor), step.number("devices", 1)
    config: VDConfig | None = VDConfig(
        device_count=devices,
        features=step.number("features"),
        prefix_zone_size=step.number("prefix"),
        alignment=step.number("alignment"),
        soft_file_mark_block_size=step.number("filemarks"),
        eom_warning_size=step.number("warning"),
        server_time_out=playing.scaled(step.number("server_time_out")),
        block_size=step.number("block_size"),
        max_io_depth=step.number("depth"),
    )
    if step.argument("config") == "null":
        config = None
    if step.argument("older"):
        answer = actor.client.create(name, config)
    else:
        answer = actor.client.create_ex(_instance(step), name, config)
    if answer.code == NOERROR:
        actor.set = step.argument("set", actor.set)
        playing.created(actor.set, devices)
        playing.time_outs[actor.set] = playing.scaled(step.number("server_time_out"))
    return {CODE: answer.name}


def _join(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    name = _named(playing, step, actor)
    if step.argument("older"):
        answer = actor.client.open_in_secondary(name)
    else:
        answer = actor.client.open_in_secondary_ex(_instance(step), name)
    if answer.code == NOERROR:
        actor.set = step.argument("set", actor.set)
    return {CODE: answer.name}


def _get_configuration(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    serving = playing.serving.get(actor.set)
    due = playing.runs_statements(actor.set) or (serving is not None and serving.configured)
    timeout = _timeout(playing, step, due=due)
    began = time.monotonic()
    result = actor.client.get_configuration(timeout, null_out=bool(step.argument("null")))
    seen = {CODE: result.name} | _lasted(step, began)
    found = result.value
    if found is None:
        return seen
    if not result.succeeded:
        values = set(found)
        untouched = values == {OUT_UNTOUCHED & 0xFFFFFFFF}
        return seen | {"structure": "untouched" if untouched else "zeros" if values == {0} else "something else"}
    told = {name: _told(field, getattr(found, field)) for field, name in FIELDS.items()}
    directions = found.features & (vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA)
    told["direction"] = DIRECTIONS[directions]
    told["Complete"] = "enabled" if found.features & vdc.VDF_COMPLETE_ENABLED else "not enabled"
    if found.server_time_out and found.server_time_out == playing.time_outs.get(actor.set):
        # It is stretched by the time scale, which may change from sequence to sequence.
        told["server time-out"] = "as asked for"
    others = [one.configuration for one in playing.actors.values() if one is not actor and one.set == actor.set]
    if known := [one.buffer_area_size for one in others if one is not None]:
        told["buffer area in another process"] = "equal" if known[0] == found.buffer_area_size else "different"
    actor.configuration = found
    return seen | told


def _timeout(playing: Playing, step: Step, *, due: bool) -> int:
    """Give the time-out that a step names, or one that leaves time for what is due."""
    if step.argument("timeout"):
        return playing.scaled(step.number("timeout"))
    return playing.patience(COMING, due=due)


def _told(field: str, value: int) -> str:
    return hex(value & ~vdc.SERVER_FEATURES) if field == "features" else str(value)


def _lasted(step: Step, began: float) -> Seen:
    """Tell whether a short wait took very long, where a step asks for it."""
    if not step.argument("measure"):
        return {}
    return {"lasted": "very long" if time.monotonic() - began > LONG else "not very long"}


def _open_device(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    index = step.number("device")
    usual = playing.device_name(actor.set, index)
    name = {"null": None, "capitals": usual.upper(), "unknown": f"{usual}-of-nobody"}.get(step.argument("name"), usual)
    result = actor.client.open_device(name, null_out=bool(step.argument("null")))
    if result.succeeded and result.value is not None:
        actor.devices[index] = result.value
    return {CODE: result.name, "out variable": "null" if result.value is None else "a device"}


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
    timeout = _timeout(playing, step, due=playing.runs_statements(actor.set) or queued > 0)
    began = time.monotonic()
    result = device.get_command(timeout, null_out=bool(step.argument("null")))
    return fetched(playing, actor, step, result) | _lasted(step, began)


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
        "distance": apart(address, actor.first),
    }
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
    # A call that takes as long lets it come to its wait.
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


def _signal_abort(playing: Playing, step: Step) -> Seen:
    return {CODE: playing.actor(step.by).client.signal_abort().name}


def _close(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    answer = actor.client.close()
    for some in actor.held.values():
        actor.past += some
    actor.held.clear()
    actor.configuration, actor.first = None, 0
    return {CODE: answer.name}


def _notice(playing: Playing, step: Step) -> Seen:
    """Ask for the configuration until that is refused, which is bound to come after an abort."""
    actor = playing.actor(step.by)
    end = time.monotonic() + playing.patience(NOTICED, due=False) / 1000
    result = actor.client.get_configuration(0)
    while result.succeeded and time.monotonic() < end:
        result = actor.client.get_configuration(0)
    return {CODE: result.name}


def _kill(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    actor.client.kill()
    return {CODE: "is gone"}


def _beside(playing: Playing, step: Step) -> Seen:
    if step.by in playing.actors:
        raise Impossible
    playing.actors[step.by] = Actor(playing.testbed.beside(playing.actor(step.number("client", 1)).client))
    return {CODE: "is made"}


def _account(playing: Playing, step: Step) -> Seen:
    if step.by in playing.actors:
        raise Impossible
    group = "in our group" if step.argument("group") == "inside" else "outside our group"
    client = playing.testbed.client(f"client {step.by}", other=cast("Other", group))
    playing.actors[step.by] = Actor(client)
    return {CODE: "is made"}


def _resources(playing: Playing, step: Step) -> Seen:
    """Look at what a process has of the system, against when it was looked at first."""
    actor = playing.actor(step.by)
    _ = actor.client.host.initialized
    found = resources_of(actor.client.host.pid or 0)
    if found is None:
        raise Impossible
    before = actor.looked = actor.looked or found
    return {
        CODE: "is looked at",
        "threads": f"{found.threads - before.threads:+d}",
        "handles": f"{found.handles - before.handles:+d}",
        "shared memory": f"{found.shared - before.shared:+d}",
    }


def _pause(playing: Playing, step: Step) -> Seen:
    """Let time pass; nothing that has to happen is waited for by it."""
    playing.testbed.session.supervisor.wait_until(lambda: False, playing.scaled(step.number("ms")) / 1000)
    return {CODE: "passes"}


ACTS: Final = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "get_command": _get_command,
    "begin_wait": _begin_wait,
    "end_wait": _end_wait,
    "complete": _complete,
    "signal_abort": _signal_abort,
    "close": _close,
    "notice": _notice,
    "kill": _kill,
    "beside": _beside,
    "account": _account,
    "resources": _resources,
    "pause": _pause,
}
