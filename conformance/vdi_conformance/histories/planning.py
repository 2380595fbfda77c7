"""Which calls a round lets go at the same moment: one of each lane, with arguments that suit its client; pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.histories.overlapping import PlannedCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.histories.charging import Beside
    from vdi_conformance.model.state import ModelClient, ModelState


class Lane(NamedTuple):
    """Where calls come from that do not overlap each other: a thread of a client, the `place`-th of its round."""

    by: int
    thread: str
    place: int


THREADS: Final = tuple(Lane(1, name, place) for place, name in enumerate(("one", "two", "three")))
OBJECTS: Final = (Lane(1, "one", 0), Lane(2, "other object", 0))
PROCESSES: Final = tuple(Lane(by, "one", 0) for by in (1, 2, 3))
LANES: Final[Mapping[Beside, tuple[Lane, ...]]] = MappingProxyType(
    {"threads": THREADS, "objects": OBJECTS, "processes": PROCESSES}
)


def plan(model: ModelState, lane: Lane, act: str, turn: int) -> PlannedCall | None:
    """Plan a call of this method; None where nothing of the sort can be called now."""
    client = model.clients[lane.by - 1]
    return _PLANS[act](client, lane, turn)


def _plain(act: str) -> Callable[[ModelClient, Lane, int], PlannedCall]:
    return lambda _, lane, __: PlannedCall(lane.by, act, lane.thread)


def _wait(_: ModelClient, lane: Lane, __: int) -> PlannedCall:
    """Wait for the configuration, which is bound to end."""
    return PlannedCall(lane.by, "get_configuration", lane.thread, patient=True)


def _create(client: ModelClient, lane: Lane, turn: int) -> PlannedCall | None:
    # That an object which joined a set creates none is only recommended.
    if client.of is not None and not client.is_creator:
        return None
    return PlannedCall(lane.by, "create", lane.thread, what=1, name=f"{client.of.name if client.of else ''}x{turn}")


def _join(client: ModelClient, lane: Lane, _: int) -> PlannedCall | None:
    # That the creator does not join its own set is only recommended.
    if client.of is None or client.is_creator:
        return None
    return PlannedCall(lane.by, "join", lane.thread, name=client.of.name)


def _open_device(client: ModelClient, lane: Lane, turn: int) -> PlannedCall | None:
    """Two of three turns a free device, the first one, so that all lanes want the same; else one of its own."""
    free = [device.index for device in client.of.devices if not device.taken] if client.of else []
    own = [device.index for device in client.devices]
    # The last one is kept: once every device is open, another code is as good.
    wanted = (free[:-1] if turn % 3 else own) or own
    return PlannedCall(lane.by, "open_device", lane.thread, what=wanted[0]) if wanted else None


def _get_command(client: ModelClient, lane: Lane, _: int) -> PlannedCall | None:
    if len(client.devices) <= lane.place:
        return None
    device = client.devices[lane.place]
    return PlannedCall(lane.by, "get_command", what=device.index, patient=bool(device.queue))


def _complete_command(client: ModelClient, lane: Lane, _: int) -> PlannedCall | None:
    if len(client.devices) <= lane.place:
        return None
    device = client.devices[lane.place]
    held = [command.tag for command in device.held if not command.data]
    return PlannedCall(lane.by, "complete_command", what=device.index, tag=held[0]) if held else None


def _get_buffer_handle(client: ModelClient, lane: Lane, turn: int) -> PlannedCall | None:
    tags = [command.tag for device in client.devices for command in device.held if command.data]
    return _with_a_buffer(lane, "get_buffer_handle", tags, turn)


def _map_buffer_handle(client: ModelClient, lane: Lane, turn: int) -> PlannedCall | None:
    devices = client.of.devices if client.of else []
    tags = [command.tag for device in devices for command in device.held if command.named]
    return _with_a_buffer(lane, "map_buffer_handle", tags, turn)


def _with_a_buffer(lane: Lane, act: str, tags: list[int], turn: int) -> PlannedCall | None:
    """Let all lanes take the same buffer every second turn, and each another one in between."""
    if not tags:
        return None
    place = turn // 2 if turn % 2 else turn // 2 + lane.place + lane.by
    return PlannedCall(lane.by, act, lane.thread, tag=tags[place % len(tags)])


_PLANS: Final[dict[str, Callable[[ModelClient, Lane, int], PlannedCall | None]]] = {
    "create": _create,
    "join": _join,
    "get_configuration": _plain("get_configuration"),
    "wait": _wait,
    "open_device": _open_device,
    "signal_abort": _plain("signal_abort"),
    "close": _plain("close"),
    "get_command": _get_command,
    "complete_command": _complete_command,
    "get_buffer_handle": _get_buffer_handle,
    "map_buffer_handle": _map_buffer_handle,
}
