"""What clients do with memory: handles, mappings, and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.device_acts import meant
from vdi_conformance.differences.playing import Actor, Given, Impossible, Playing
from vdi_conformance.differences.seen import CODE, Seen, among, apart, left_behind, placed
from vdi_conformance.harness.memory import Seeded

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step

STRAY: Final = 0x9E3779B9
OTHER_HIGH: Final = 0x00A50000
OTHER_LOW: Final = 0x00006A55
"""Bits that differ in numbers that share half of their bits with a handle."""
LOOKED_AT: Final = 512
"""So many bytes of a buffer are looked at."""
SMALL: Final = 1 << 16


def _address(playing: Playing, actor: Actor, step: Step) -> tuple[int, int]:
    """Give the address that a step names, and the number of the command whose buffer lies there, if any."""
    of, offset = step.argument("of", "held"), step.number("offset")
    outside = {"null": lambda: 0}
    for place in ("stack", "heap", "data", "unmapped"):
        outside[place] = lambda place=place: getattr(actor.client.outside_addresses(), place)  # type: ignore[misc]
    if of in outside:
        return outside[of](), 0
    if of == "mapped":
        if not actor.mapped:
            raise Impossible
        return actor.mapped[-1][0] + offset, actor.mapped[-1][1]
    if of == "past":
        found = next((one for one in reversed(actor.past) if one.fetched.buffer), None)
    else:
        what = {"held": "held", "second": "second", "zone": "held"}[of]
        found = meant(playing, actor, step.with_argument("what", what))
    if found is None or not found.fetched.buffer:
        raise Impossible
    return found.fetched.buffer + offset - (of == "zone"), found.number


def _get_buffer_handle(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    address, number = _address(playing, actor, step)
    result = actor.client.get_buffer_handle(address, null_out=bool(step.argument("null")))
    if not result.succeeded or result.value is None:
        return (
            {CODE: result.name, "out variable": left_behind(result.value, 32)} if number == 0 else {CODE: result.name}
        )
    handle = result.value
    same = [(one.handle, "one given before for that buffer") for one in playing.given if one.number == number]
    others = [(one.handle, f"one given before for that of command {one.number}") for one in playing.given]
    seen = {
        CODE: result.name,
        "handle": among(handle, [*same, *others], "a new one"),
        "number": _number(handle, playing),
    }
    playing.given.append(Given(handle, number))
    return seen


def _number(handle: int, playing: Playing) -> str:
    if not playing.given:
        return "0" if handle == 0 else "small" if handle < SMALL else "large"
    return apart(handle, playing.given[0].handle)


def _handle(playing: Playing, step: Step) -> Given:
    given = playing.given
    held = {one.number for actor in playing.actors.values() for some in actor.held.values() for one in some}
    match step.argument("handle", "last"):
        case "stray":
            return Given((max((one.handle for one in given), default=0) + STRAY) % (1 << 32), 0)
        case "last" if given:
            return given[-1]
        case "first" if given:
            return given[0]
        case "beside" if given:
            return Given((given[-1].handle + 1) % (1 << 32), 0)
        case "high" | "low" if given:
            return Given(given[-1].handle ^ (OTHER_HIGH if step.argument("handle") == "high" else OTHER_LOW), 0)
        case "past":
            found = next((one for one in reversed(given) if one.number not in held), None)
            if found is not None:
                return found
    raise Impossible


def _map_buffer_handle(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    given = _handle(playing, step)
    result = actor.client.map_buffer_handle(given.handle, null_out=bool(step.argument("null")))
    if not result.succeeded or result.value is None:
        return {CODE: result.name, "out variable": left_behind(result.value)}
    address, process = result.value, actor.client.name
    mapped = [(at, "one mapped before for that buffer") for at, number in actor.mapped if number == given.number]
    own = [(at, "the one that was fetched") for name, at, n in playing.buffers if (name, n) == (process, given.number)]
    elsewhere = [at for name, at, n in playing.buffers if name != process and n == given.number]
    seen = {CODE: result.name, "address": among(address, [*mapped, *own], "a new one"), "place": placed(address)}
    if elsewhere:
        seen["address in the other process"] = "equal" if address in elsewhere else "different"
    actor.mapped.append((address, given.number))
    return seen | _same_bytes(playing, actor, address, given.number)


def _same_bytes(playing: Playing, actor: Actor, address: int, number: int) -> Seen:
    """Compare the bytes with those that the fetcher of the command sees."""
    for other in playing.actors.values():
        for some in other.held.values():
            for one in some:
                if one.number == number and one.fetched.buffer and other.set == actor.set:
                    here = actor.client.digest(address, LOOKED_AT)
                    there = other.client.digest(one.fetched.buffer, LOOKED_AT)
                    return {"bytes": "those of the buffer" if here == there else "others"}
    return {}


def _look(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    address, _ = _address(playing, actor, step)
    return {CODE: "can be read" if actor.client.has_memory_at(address) else "no memory"}


def _store(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    address, _ = _address(playing, actor, step)
    actor.client.fill(address, Seeded(step.number("seed", 1)), LOOKED_AT)
    return {CODE: "is stored"}


ACTS: Final = {
    "get_buffer_handle": _get_buffer_handle,
    "map_buffer_handle": _map_buffer_handle,
    "look": _look,
    "store": _store,
}
