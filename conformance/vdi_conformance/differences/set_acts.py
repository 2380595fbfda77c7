"""What clients do with a set: the methods of the set interface but those for memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.differences.seen import CODE, Seen
from vdi_conformance.differences.waiting import lasted, time_out
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.differences.playing import Actor, Playing
    from vdi_conformance.differences.steps import Step


NOTICED: Final = 1500
"""So many milliseconds an abort has to show in another process."""
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
    timeout = time_out(playing, step, due=due)
    began = time.monotonic()
    result = actor.client.get_configuration(timeout, null_out=bool(step.argument("null")))
    seen = {CODE: result.name} | lasted(step, began)
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


def _told(field: str, value: int) -> str:
    return hex(value & ~vdc.SERVER_FEATURES) if field == "features" else str(value)


def _open_device(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    index = step.number("device")
    usual = playing.device_name(actor.set, index)
    name = {"null": None, "capitals": usual.upper(), "unknown": f"{usual}-of-nobody"}.get(step.argument("name"), usual)
    result = actor.client.open_device(name, null_out=bool(step.argument("null")))
    if result.succeeded and result.value is not None:
        actor.devices[index] = result.value
    return {CODE: result.name, "out variable": "null" if result.value is None else "a device"}


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


ACTS: Final = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "signal_abort": _signal_abort,
    "close": _close,
    "notice": _notice,
}
