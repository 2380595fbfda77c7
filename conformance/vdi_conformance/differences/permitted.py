"""What the reference model permits for a step of a sequence, as far as it has an opinion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model.sharing import share
from vdi_conformance.vdi.structures import MAX_ALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.differences.modelled import Modelled
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.model.permits import Permits
    from vdi_conformance.model.state import ModelCommand


def permits(modelled: Modelled, step: Step) -> Permits | None:
    """Give what the model permits for a step; None where it has no opinion."""
    asked = _PERMITS.get(step.act)
    return None if asked is None else asked(modelled, step)


def _create(modelled: Modelled, step: Step) -> Permits | None:
    alignment = step.number("alignment")
    if any(step.argument(name) for name in ("name", "config", "instance", "length")):
        return None
    if alignment & (alignment - 1) or alignment > MAX_ALIGNMENT:
        return None
    client, there = modelled.client(step), modelled.sets.get(modelled.label(step))
    number = step.number("devices", 1)
    taken = there is not None and there.creator is not None and not there.terminated
    kind = "taken" if taken else "fresh" if 1 <= number <= 64 else "bad"
    return clients.create(modelled.state, client, kind, number)


def _join(modelled: Modelled, step: Step) -> Permits | None:
    if any(step.argument(name) for name in ("name", "instance")):
        return None
    there = modelled.sets.get(modelled.label(step))
    return clients.join(modelled.client(step), there if there is not None and there.in_use else None)


def _get_configuration(modelled: Modelled, step: Step) -> Permits | None:
    return None if step.argument("null") else clients.get_configuration(modelled.client(step))


def _open_device(modelled: Modelled, step: Step) -> Permits | None:
    if step.argument("null") or step.argument("name") in ("null", "capitals"):
        return None
    device = None if step.argument("name") else modelled.device(step)
    client = modelled.client(step)
    return clients.open_device(client, device if device is not None and device.of is client.of else None)


def _get_command(modelled: Modelled, step: Step) -> Permits | None:
    device = modelled.own_device(step)
    if device is None or step.argument("null"):
        return None
    return devices.get_command(modelled.state, modelled.client(step), device)


def _complete(modelled: Modelled, step: Step) -> Permits | None:
    client, device, what = modelled.client(step), modelled.own_device(step), step.argument("what", "held")
    if device is None or step.argument("bytes") == "more" or what in ("copy", "foreign", "unmapped"):
        return None
    held: list[ModelCommand] = device.held
    if what in ("held", "second"):
        place = int(what == "second")
        if place >= len(held):
            return None
        size = held[place].size
        count = size // 1024 * 512 if step.argument("bytes") == "half" else size
        return devices.complete_command(client, device, held[place], "held", count)
    if what == "another":
        other = next((one.held[0] for one in client.devices if one is not device and one.held), None)
        return None if other is None else devices.complete_command(client, device, other, "another", 0)
    return devices.complete_command(client, device, None, "private", 0)


def _share(modelled: Modelled, step: Step) -> Permits | None:
    client = modelled.client(step)
    if step.argument("null") or step.argument("of", "held") in ("stack", "heap", "data", "unmapped", "null"):
        return share(client, "stray") if not step.argument("null") else None
    return None


_PERMITS: Final[dict[str, Callable[[Modelled, Step], Permits | None]]] = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "get_command": _get_command,
    "end_wait": _get_command,
    "complete": _complete,
    "get_buffer_handle": _share,
    "signal_abort": lambda modelled, step: clients.signal_abort(modelled.client(step)),
    "close": lambda modelled, step: clients.close(modelled.client(step)),
}
