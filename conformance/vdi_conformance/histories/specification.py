"""What a call may give where the calls before it have led: the reference model, asked about one order of a history."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model import server as servers
from vdi_conformance.model.permits import Permits, nothing
from vdi_conformance.model.sharing import share
from vdi_conformance.model.snapshots import copied, fingerprint
from vdi_conformance.model.state import AbortState, ModelCommand, ModelState
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
    failed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.model.state import ModelClient, ModelDevice, ModelSet

_NOT_A_CLIENT: Final = ClientState.DOES_NOT_EXIST


class Known(NamedTuple):
    """A model that is never changed, with what tells it apart."""

    model: ModelState
    key: Hashable


def known(model: ModelState) -> Known:
    """Keep a model as it is now."""
    kept = copied(model)
    return Known(kept, fingerprint(kept))


def followed(before: Known, call: HistoryCall) -> Iterator[Known]:
    """Give every state that the call, with what it gave, may lead to; none where that is not permitted."""
    for place, outcome in enumerate(permitted(before.model, call).outcomes):
        if outcome.code == call.code or (outcome.code is None and failed(call.code) and not call.in_vain):
            if outcome.effect is nothing and call.gave is None:
                yield before
                continue
            after = copied(before.model)
            permitted(after, call).outcomes[place].effect()
            if _gave_the_right_one(after, call):
                yield Known(after, fingerprint(after))


def answered_otherwise(before: Known, call: HistoryCall) -> Iterator[Known]:
    """Give every state that the call may lead to, whatever it gave."""
    for place in range(len(permitted(before.model, call).outcomes)):
        after = copied(before.model)
        permitted(after, call).outcomes[place].effect()
        yield Known(after, fingerprint(after))


def permitted(model: ModelState, call: HistoryCall) -> Permits:
    """Give what the call may give now; an effect changes the model that was asked."""
    return _ASKED[call.act](model, call)


def _gave_the_right_one(after: ModelState, call: HistoryCall) -> bool:
    if call.gave is None or call.code != NOERROR or not call.by:
        return True
    client = after.clients[call.by - 1]
    if call.act == "get_command":
        return _device(client, call.what).held[-1].tag == call.gave
    # The memory of an aborted set is nobody's business, and what was a buffer's may be another one's.
    judged = client.of is not None and client.of.sound and _is_held(client.of, call.tag)
    return call.gave == call.tag or not judged


def _is_held(of: ModelSet, tag: int | None) -> bool:
    return any(command.tag == tag for device in of.devices for command in device.held)


def _client(model: ModelState, call: HistoryCall) -> ModelClient:
    return model.clients[call.by - 1]


def _device(client: ModelClient, index: int) -> ModelDevice:
    return next(device for device in client.devices if device.index == index)


def _command(of: ModelSet, tag: int | None) -> ModelCommand | None:
    return next((command for command in of.commands if command.tag == tag), None)


def _create(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    namesakes = [of for of in model.sets if of.name == call.name and of.in_use]
    taken = any(of.creator is not None and not of.terminated for of in namesakes)
    permits = Permits(client.view)
    for outcome in clients.create(model, client, "taken" if taken else "fresh", call.what).outcomes:
        if outcome.code == NOERROR:
            permits.may(NOERROR, effect=partial(_name, model, call.name, outcome.effect))
        elif outcome.code is None:
            permits.may_fail()
        else:
            permits.may(outcome.code)
    # Whether a name is free that some have not let go of yet is not said.
    return permits.may_fail() if namesakes and not taken and client.of is None else permits


def _name(model: ModelState, name: str, come_about: Callable[[], None]) -> None:
    come_about()
    model.sets[-1].name = name


def _join(model: ModelState, call: HistoryCall) -> Permits:
    found = [of for of in model.sets if of.name == call.name and of.in_use]
    return clients.join(_client(model, call), found[-1] if found else None)


def _get_configuration(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    permits = clients.get_configuration(client)
    if not call.patient:
        return permits
    # It began on a set that was open: how a Close ends it is not said.
    return permits.may_fail() if client.of is None else _in_time(permits, client.of)


def _in_time(permits: Permits, of: ModelSet) -> Permits:
    """Whoever waits on an aborted set, in whatever process, comes to an end before the time is over."""
    return permits.without(VD_E_TIMEOUT) if of.abort_state is AbortState.ABORTED else permits


def _open_device(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    device = client.of.devices[call.what] if client.of and call.what < len(client.of.devices) else None
    return clients.open_device(client, device)


def _signal_abort(model: ModelState, call: HistoryCall) -> Permits:
    return clients.signal_abort(_client(model, call))


def _close(model: ModelState, call: HistoryCall) -> Permits:
    return clients.close(_client(model, call))


def _get_command(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    if all(device.index != call.what for device in client.devices):
        return _of_a_closed_object(client)
    permits = devices.get_command(model, client, _device(client, call.what))
    # How soon a command shows that was sent is not said to one who does not wait.
    return _in_time(permits, _device(client, call.what).of) if call.patient else permits.may(VD_E_TIMEOUT)


def _complete_command(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    if client.of is None or all(device.index != call.what for device in client.devices):
        return _of_a_closed_object(client)
    device = _device(client, call.what)
    command = _command(client.of, call.tag)
    kind = _kind(client, device, command)
    if kind == "unknown":
        # Its record may be that of a later command by now.
        return Permits(client.view).may(NOERROR, VD_E_INVALID, VD_E_PROTOCOL, VD_E_ABORT)
    return devices.complete_command(client, device, command, kind, command.size if command else 0)


def _kind(client: ModelClient, device: ModelDevice, command: ModelCommand | None) -> str:
    """Say what a record is to a device, as the model calls it."""
    if command is None:
        return "private"
    if command in device.held:
        return "held"
    if any(command in other.held for other in client.devices):
        return "another"
    return "stale" if (device, command) in client.stale else "unknown"


def _of_a_closed_object(client: ModelClient) -> Permits:
    return Permits(client.view).may(VD_E_PROTOCOL, VD_E_INVALID, VD_E_ABORT, VD_E_CLOSE)


def _get_buffer_handle(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    command = _command(client.of, call.tag) if client.of else None
    mine = any(command in device.held for device in client.devices)
    return share(client, "live" if mine else "past", command if mine else None)


def _map_buffer_handle(model: ModelState, call: HistoryCall) -> Permits:
    client = _client(model, call)
    return share(client, "live" if client.of and _is_held(client.of, call.tag) else "past")


def _send(model: ModelState, call: HistoryCall) -> Permits:
    of = model.serving
    if of is None:
        return Permits(_NOT_A_CLIENT).may_fail()
    code = vdc.VDC_WRITE if call.size else vdc.VDC_FLUSH
    command = ModelCommand(call.tag or 0, code, call.size, data=bool(call.size))
    return servers.send(of.devices[call.what], command)


def _server_abort(model: ModelState, _: HistoryCall) -> Permits:
    return servers.signal_abort(model.serving) if model.serving else Permits(_NOT_A_CLIENT).may_fail()


_ASKED: Final[dict[str, Callable[[ModelState, HistoryCall], Permits]]] = {
    "create": _create,
    "join": _join,
    "get_configuration": _get_configuration,
    "open_device": _open_device,
    "signal_abort": _signal_abort,
    "close": _close,
    "get_command": _get_command,
    "complete_command": _complete_command,
    "get_buffer_handle": _get_buffer_handle,
    "map_buffer_handle": _map_buffer_handle,
    "send": _send,
    "server_abort": _server_abort,
}
