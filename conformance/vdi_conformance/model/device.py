"""The device interface: GetCommand and CompleteCommand on an open device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.model.permits import Permits
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_CLOSE,
    VD_E_INVALID,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)

if TYPE_CHECKING:
    from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelState


def get_command(model: ModelState, client: ModelClient, device: ModelDevice) -> Permits:
    """GetCommand."""
    permits = Permits(client.view)

    def fetch() -> None:
        device.held.append(device.queue.pop(0))
        device.of.begun = True
        client.stale.clear()

    def be_told() -> None:
        device.told = True

    if not client.done:
        if device.told:
            # Never a command; that it does not wait either is only recommended.
            permits.may(VD_E_CLOSE, VD_E_PROTOCOL, *[VD_E_TIMEOUT] * (not model.strict))
        elif device.queue:
            permits.may(NOERROR, effect=fetch)
        elif device.server_closed:
            permits.may(VD_E_CLOSE, effect=be_told)
        else:
            permits.may(VD_E_TIMEOUT)
    elif device.server_closed:
        permits.may(VD_E_CLOSE, effect=be_told)
    if client.noticed or not device.of.sound:
        permits.may(VD_E_ABORT, view=ClientState.ABORT, effect=client.notice_for_good)
    return permits


def complete_command(
    client: ModelClient, device: ModelDevice, command: ModelCommand | None, kind: str, count: int
) -> Permits:
    """CompleteCommand of a `held` command of this device, one that `another` device of the client holds, or none.

    `stale` is one of this device that was completed, with nothing fetched since.
    """
    permits = Permits(client.view)

    def take() -> None:
        if command is not None:
            command.count = count
            holder = next(one for one in client.devices if command in one.held)
            holder.held.remove(command)
            client.stale[:] = [(holder, command)]

    if client.done:
        if kind != "held":
            permits.may(VD_E_INVALID, *[VD_E_PROTOCOL] * device.told)
    elif kind == "held" and command is not None:
        permits.may(NOERROR, effect=take)
        if command is not device.held[0]:
            permits.may_fail()
    elif device.told:
        over = kind == "stale" and device.of.terminated
        permits.may(VD_E_PROTOCOL, *[VD_E_INVALID] * (not over))
    else:
        permits.may(VD_E_INVALID)
        if kind == "another":
            permits.may(NOERROR, effect=take)
    if client.noticed or not device.of.sound:
        permits.may(VD_E_ABORT, view=ClientState.ABORT, effect=client.notice)
    return permits
