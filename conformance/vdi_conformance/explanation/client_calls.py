"""The calls of clients: what each may give in a situation, and what is learnt from what it gave."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.explanation.facts import Unknowable
from vdi_conformance.explanation.situation import Opened, Result, Situation, View
from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model.permits import Permits
from vdi_conformance.model.sharing import share
from vdi_conformance.model.state import AbortState
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, MAX_DEVICES, MAX_TRANSFER_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.explanation.trace import Operation
    from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelSet

_PLAIN: Final = re.compile("[A-Za-z0-9-]{1,60}")
"""Names that nobody refuses."""
NEAR: Final = 1 << 22
"""A number as close to a handle as this may be an index or an offset of the same pool."""


def asked(situation: Situation, operation: Operation) -> Permits | None:
    """Give what a call may give; None where the model does not say."""
    if operation.params.get("null_out"):
        return None
    return _ASKED[operation.method](situation, operation)


def learnt(after: Situation, operation: Operation) -> str | None:
    """Take in what a call gave beside its code, whose effect is done; say what else it should have given, if so."""
    learn = _LEARNT.get(operation.method)
    return None if learn is None else learn(after, operation)


def _client(situation: Situation, operation: Operation) -> ModelClient:
    number = situation.facts.client_of(operation)
    if number is None:
        raise Unknowable
    return situation.client(number)


def _answered(operation: Operation) -> Mapping[str, Any]:
    return operation.answer if isinstance(operation.answer, dict) else {}


# Creating and joining a set


def _create(situation: Situation, operation: Operation) -> Permits:
    client, name, config = _client(situation, operation), operation.params.get("name"), _config(operation)
    if client.of is not None:
        return clients.create(situation.model, client, "fresh")
    permits = Permits(client.view)
    if name is None or config is None or not 1 <= config.get("device_count", 0) <= MAX_DEVICES:
        if operation.code == NOERROR:
            raise Unknowable
        return permits.may_fail()
    namesakes = [of for of in situation.model.sets if of.name == name and of.in_use]
    if any(of.creator is not None and not of.terminated for of in namesakes):
        if operation.code == NOERROR:
            raise Unknowable
        return permits.may_fail()
    for outcome in clients.create(situation.model, client, "fresh", config["device_count"]).outcomes:
        permits.may(NOERROR, effect=partial(_name, situation, str(name), outcome.effect))
    plain = not any(value for key, value in config.items() if key != "device_count") and _PLAIN.fullmatch(str(name))
    # Other names and values may be refused, and so may a name that some have not let go of yet.
    return permits if plain and not namesakes and operation.params.get("instance") is None else permits.may_fail()


def _config(operation: Operation) -> Mapping[str, int] | None:
    config = operation.params.get("config")
    return config if isinstance(config, dict) else None


def _name(situation: Situation, name: str, come_about: Callable[[], None]) -> None:
    come_about()
    situation.model.sets[-1].name = name


def _join(situation: Situation, operation: Operation) -> Permits:
    client, name = _client(situation, operation), operation.params.get("name")
    of = None if name is None else situation.latest(str(name))
    alike = [one for one in situation.model.sets if name is not None and one.name.casefold() == str(name).casefold()]
    if of is None and alike:
        return clients.join(client, alike[-1]).may_fail()
    permits = clients.join(client, of)
    return permits.may_fail() if operation.params.get("instance") is not None else permits


# The set


def _get_configuration(situation: Situation, operation: Operation) -> Permits:
    client = _client(situation, operation)
    permits = clients.get_configuration(client)
    of = client.of
    if of is None:
        # How a Close ends one that waits is not said.
        return permits.may_fail() if operation.waits else permits
    if of.abort_state is AbortState.ABORTED and operation.patient:
        permits = permits.without(VD_E_TIMEOUT)
    return permits


def _open_device(situation: Situation, operation: Operation) -> Permits | None:
    client, name = _client(situation, operation), operation.params.get("name")
    if name is None:
        return None
    if client.of is None:
        return clients.open_device(client, None)
    names = _names(situation, client.of)
    index = names.index(str(name)) if str(name) in names else None
    if index is None and any(one.casefold() == str(name).casefold() for one in names):
        return None
    device = client.of.devices[index] if index is not None and index < len(client.of.devices) else None
    return clients.open_device(client, device)


def _names(situation: Situation, of: ModelSet) -> list[str]:
    known = [*situation.facts.devices.get(of.name, ())]
    return known or [of.name, *(f"{of.name}-{index}" for index in range(1, len(of.devices)))]


def _opened(after: Situation, operation: Operation) -> None:
    client = _client(after, operation)
    name = str(operation.params.get("name"))
    if operation.code == NOERROR and client.of is not None and name in (names := _names(after, client.of)):
        key = operation.process, str(operation.params.get("device"))
        after.devices[key] = Opened(client.number, client.of.index, names.index(name))


def _signal_abort(situation: Situation, operation: Operation) -> Permits:
    return clients.signal_abort(_client(situation, operation))


def _close(situation: Situation, operation: Operation) -> Permits:
    return clients.close(_client(situation, operation))


def _closed(after: Situation, operation: Operation) -> None:
    client = _client(after, operation)
    if client.of is None:
        after.views = {at: view for at, view in after.views.items() if view.owner != client.number}


# Devices


def _device(situation: Situation, operation: Operation) -> tuple[ModelClient, ModelDevice | None] | None:
    opened = situation.devices.get((operation.process, str(operation.params.get("device"))))
    return None if opened is None else (situation.client(opened.client), situation.device_of(opened))


def _get_command(situation: Situation, operation: Operation) -> Permits | None:
    found = _device(situation, operation)
    if found is None:
        return None
    client, device = found
    if device is None:
        return _of_a_closed_object(client)
    permits = devices.get_command(situation.model, client, device)
    if not operation.patient:
        return permits.may(VD_E_TIMEOUT)
    return permits.without(VD_E_TIMEOUT) if device.of.abort_state is AbortState.ABORTED else permits


def _of_a_closed_object(client: ModelClient) -> Permits:
    return Permits(client.view).may(VD_E_PROTOCOL, VD_E_INVALID, VD_E_ABORT, VD_E_CLOSE)


def _fetched(after: Situation, operation: Operation) -> str | None:
    found, record = _device(after, operation), _answered(operation).get("command")
    if operation.code != NOERROR or found is None or found[1] is None:
        return None
    client, device = found
    assert device is not None, "a command comes from a device"
    command = device.held[-1]
    if not isinstance(record, dict):
        return "a command"
    if (record.get("code"), record.get("size")) != (command.code, command.size):
        return f"{vdc.name_of(command.code)} of size {command.size}, the oldest that was sent"
    after.records[operation.process, number_of(record.get("address"))] = command.tag
    address = number_of(record.get("buffer"))
    if command.data and address:
        view = View(command.buffer, command.size, client.number, device.of.index, command.tag, mapped=False)
        after.views[operation.process, address] = view
        after.addresses.add((operation.process, address))
        if command.code == vdc.VDC_READ:
            # What was there before the Read is nobody's business.
            after.contents.pop(command.buffer, None)
    return None


def _complete_command(situation: Situation, operation: Operation) -> Permits | None:
    found, address = _device(situation, operation), number_of(operation.params.get("command"))
    if found is None or not address:
        return None
    client, device = found
    if device is None or client.of is None:
        return _of_a_closed_object(client)
    tag = situation.records.get((operation.process, address))
    command = next((one for one in client.of.commands if one.tag == tag), None)
    kind = _kind(client, device, command)
    count = int(operation.params.get("bytes_transferred") or 0)
    if tag is not None and kind in ("private", "unknown"):
        # Its record may be that of a later command by now, or of another object of the process.
        return Permits(client.view).may(NOERROR, VD_E_INVALID, VD_E_PROTOCOL, VD_E_ABORT)
    if tag is None and (operation.process, address) in {*situation.addresses, *situation.facts.written}:
        # A buffer, or a copy of a record: that may complete whatever it is a copy of.
        if operation.code == NOERROR:
            raise Unknowable
        return None
    if command is not None and command.data and count > command.size:
        # It may be refused, cut or an error, and the command may be over or not.
        raise Unknowable
    return devices.complete_command(client, device, command, kind, count)


def _kind(client: ModelClient, device: ModelDevice, command: ModelCommand | None) -> str:
    """Say what a record is to a device, as the model calls it."""
    if command is None:
        return "private"
    if command in device.held:
        return "held"
    if any(command in other.held for other in client.devices):
        return "another"
    return "stale" if (device, command) in client.stale else "unknown"


def _completed(after: Situation, operation: Operation) -> None:
    address = number_of(operation.params.get("command"))
    tag = after.records.get((operation.process, address))
    if operation.code != NOERROR or tag is None:
        return
    command = next((one for of in after.model.sets for one in of.commands if one.tag == tag), None)
    if command is None or command.count is None or tag in after.results:
        return
    result = Result(
        int(operation.params.get("completion_code") or 0),
        int(operation.params.get("bytes_transferred") or 0),
        number_of(operation.params.get("position")),
    )
    after.results[tag] = result
    after.forget_views(tag)
    of = next(of for of in after.model.sets if command in of.commands)
    if result.code or (command.data and result.transferred != command.size):
        after.excused.add(of.index)
    if command.buffer == tag:
        # The server of a statement may do with its buffer what it likes.
        after.contents.pop(command.buffer, None)


# Handles


def _get_buffer_handle(situation: Situation, operation: Operation) -> Permits:
    client = _client(situation, operation)
    kind, command = _whose(situation, client, operation)
    return share(client, kind, command)


def _whose(situation: Situation, client: ModelClient, operation: Operation) -> tuple[str, ModelCommand | None]:
    """Say what an address is to a client object, as the model calls it."""
    address = number_of(operation.params.get("address"))
    view = situation.views.get((operation.process, address))
    if view is not None and view.owner == client.number and not view.mapped and (held := situation.held(view.tag)):
        return "live", held[1]
    near = (start for (process, start) in situation.views if process == operation.process)
    if any(start - MAX_ALIGNMENT <= address < start + MAX_TRANSFER_SIZE + MAX_ALIGNMENT for start in near):
        return "beside", None
    return ("past" if (operation.process, address) in situation.addresses else "stray"), None


def _named(after: Situation, operation: Operation) -> str | None:
    handle = _answered(operation).get("handle")
    if operation.code != NOERROR or not isinstance(handle, int):
        return None
    after.given.add(handle)
    client = _client(after, operation)
    kind, command = _whose(after, client, operation)
    if kind != "live" or command is None or client.of is None:
        return None
    other = after.handles.get((client.of.index, handle))
    if other not in (None, command.tag) and after.held(other) and client.of.sound:
        return "a handle that no other buffer has"
    after.handles[client.of.index, handle] = command.tag
    return None


def _map_buffer_handle(situation: Situation, operation: Operation) -> Permits:
    client, handle = _client(situation, operation), operation.params.get("handle")
    handle = handle if isinstance(handle, int) else 0
    tag = None if client.of is None else situation.handles.get((client.of.index, handle))
    if tag is not None and situation.held(tag):
        return share(client, "live")
    if handle in situation.given:
        return share(client, "past")
    near = any(not NEAR < (handle - other) % (1 << 32) < (1 << 32) - NEAR for other in situation.given)
    return share(client, "beside" if near else "stray")


def _mapped(after: Situation, operation: Operation) -> str | None:
    client, handle = _client(after, operation), operation.params.get("handle")
    if operation.code != NOERROR or client.of is None or not isinstance(handle, int):
        return None
    address = number_of(_answered(operation).get("address"))
    held = after.held(after.handles.get((client.of.index, handle)))
    if held is None:
        after.views.pop((operation.process, address), None)
        return None
    _, command = held
    if not address:
        return "an address"
    known = after.views.get((operation.process, address))
    if known is not None and known.buffer != command.buffer and after.held(known.tag) and client.of.sound:
        return "an address of that buffer"
    if known is None or known.buffer != command.buffer:
        view = View(command.buffer, command.size, client.number, client.of.index, command.tag, mapped=True)
        after.views[operation.process, address] = view
    return None


_ASKED: Final[dict[str, Callable[[Situation, Operation], Permits | None]]] = {
    "set.create": _create,
    "set.create_ex": _create,
    "set.open_in_secondary": _join,
    "set.open_in_secondary_ex": _join,
    "set.get_configuration": _get_configuration,
    "set.open_device": _open_device,
    "set.signal_abort": _signal_abort,
    "set.close": _close,
    "set.get_buffer_handle": _get_buffer_handle,
    "set.map_buffer_handle": _map_buffer_handle,
    "device.get_command": _get_command,
    "device.complete_command": _complete_command,
}
_LEARNT: Final[dict[str, Callable[[Situation, Operation], str | None]]] = {
    "set.open_device": _opened,
    "set.close": _closed,
    "set.get_buffer_handle": _named,
    "set.map_buffer_handle": _mapped,
    "device.get_command": _fetched,
    "device.complete_command": _completed,
}
METHODS: Final = frozenset(_ASKED)
