"""The set interface: what each method may give in each state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.model.permits import Permits
from vdi_conformance.model.state import AbortState, ModelDevice, ModelSet, SetPhase
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import (
    NOERROR,
    VD_E_ABORT,
    VD_E_INVALID,
    VD_E_OPEN,
    VD_E_PROTOCOL,
    VD_E_TIMEOUT,
)

if TYPE_CHECKING:
    from vdi_conformance.model.state import ModelClient, ModelState


def create(model: ModelState, client: ModelClient, kind: str, devices: int = 1) -> Permits:
    """CreateEx: under a `fresh` name, one that is `taken`, or with a `bad` configuration; any on an open object."""
    permits = Permits(client.view)
    if client.of is not None:
        return permits.as_in_the_matrix("CreateEx")
    if kind != "fresh":
        return permits.may_fail()

    def come_about() -> None:
        made = ModelSet(len(model.sets), creator=client)
        made.devices = [ModelDevice(index, made) for index in range(devices)]
        model.sets.append(made)
        client.join(made, configured=False)

    return permits.may(NOERROR, effect=come_about)


def join(client: ModelClient, of: ModelSet | None) -> Permits:
    """OpenInSecondaryEx of a set, or of a name that none has."""
    permits = Permits(client.view)
    if client.of is not None:
        permits.may(VD_E_PROTOCOL)
        return permits.may(VD_E_ABORT, view=ClientState.ABORT) if _may_be_aborted(client) else permits
    if of is None:
        return permits.may_fail()

    def join_it() -> None:
        client.join(of, configured=True)

    if of.creator is None or of.over:
        # Nothing is said of a set that its primary has left, and after the end either is right.
        return permits.may(NOERROR, effect=join_it).may_fail()
    if of.phase < SetPhase.CONFIGURED:
        permits.may(VD_E_PROTOCOL)
    elif not of.called:
        permits.may(NOERROR, effect=join_it)
        if not of.creator.configured:
            permits.may(VD_E_PROTOCOL)
    if not of.sound:
        permits.may(VD_E_ABORT)
    return permits


def get_configuration(client: ModelClient) -> Permits:
    """GetConfiguration; where the server has not configured the set it is asked to wait hardly at all."""
    permits = Permits(client.view)
    if client.of is None:
        return permits.as_in_the_matrix("GetConfiguration")

    def know() -> None:
        client.configured = True

    if not client.noticed:
        if client.of.phase is SetPhase.CONFIGURED:
            permits.may(NOERROR, effect=know)
        else:
            permits.may(VD_E_TIMEOUT)
    return _or_aborted(permits, client)


def open_device(client: ModelClient, device: ModelDevice | None) -> Permits:
    """OpenDevice of a device of the client's set, or by a name that none has."""
    permits = Permits(client.view)
    if client.of is None:
        return permits.as_in_the_matrix("OpenDevice")
    if not client.noticed:
        _open_in_a_set(permits, client, client.of, device)
    elif device is None:
        permits.may(VD_E_INVALID)
    return _or_aborted(permits, client)


def _open_in_a_set(permits: Permits, client: ModelClient, of: ModelSet, device: ModelDevice | None) -> None:
    if not client.configured:
        # The state may be shared, so that the server's configuration is enough.
        permits.may(VD_E_PROTOCOL)
        if of.phase < SetPhase.CONFIGURED:
            return
    if of.terminated:
        permits.may(VD_E_PROTOCOL)
        if device is None:
            permits.may(VD_E_INVALID, VD_E_OPEN)
    elif device is None:
        permits.may(VD_E_INVALID)
        if of.all_taken:
            permits.may(VD_E_OPEN)
        if of.over:
            # Though not everybody was told.
            permits.may(VD_E_PROTOCOL)
    elif not device.taken:
        permits.may(NOERROR, effect=lambda: _take(client, device))
    elif of.all_taken:
        permits.may(VD_E_OPEN, VD_E_PROTOCOL)
    else:
        permits.may(VD_E_PROTOCOL)


def _take(client: ModelClient, device: ModelDevice) -> None:
    device.owner = client
    client.devices.append(device)
    client.configured = True


def signal_abort(client: ModelClient) -> Permits:
    """SignalAbort."""
    permits = Permits(client.view)
    of = client.of
    if of is None:
        return permits.as_in_the_matrix("SignalAbort")

    def abort() -> None:
        # What an abort after the end means to the others is not said.
        certain = not of.over
        of.worsen(AbortState.ABORTED if certain else AbortState.DOUBTFUL)
        of.called = of.called or certain
        client.noticed = client.done = True

    return permits.as_in_the_matrix("SignalAbort", effect=abort)


def close(client: ModelClient) -> Permits:
    """Close."""
    permits = Permits(client.view)
    of = client.of
    if of is None:
        return permits.as_in_the_matrix("Close")
    own = [device for device in client.devices if not device.told]
    open_devices = [device for device in of.devices if device.taken and not device.told]

    def leave() -> None:
        client.leave()

    def leave_it_aborted() -> None:
        # A secondary that leaves so is only advised against, and what the server closed may be over already.
        certain = of.creator is client and own and not any(device.server_closed for device in of.devices)
        of.worsen(AbortState.ABORTED if certain else AbortState.DOUBTFUL)
        client.leave()

    def leave_others() -> None:
        if not of.terminated:
            of.worsen(AbortState.DOUBTFUL)
        client.leave()

    if client.noticed:
        return permits.as_in_the_matrix("Close", effect=leave, in_use=bool(open_devices))
    if own or (client.is_creator and open_devices):
        return permits.may(VD_E_OPEN, NOERROR, effect=leave_it_aborted)
    permits.may(NOERROR, effect=leave_others if client.is_creator else leave)
    if not of.sound and open_devices:
        permits.may(VD_E_OPEN, view=ClientState.ABORT, effect=leave)
    return permits


def _may_be_aborted(client: ModelClient) -> bool:
    return client.noticed or (client.of is not None and not client.of.sound)


def _or_aborted(permits: Permits, client: ModelClient) -> Permits:
    if _may_be_aborted(client):
        permits.may(VD_E_ABORT, view=ClientState.ABORT, effect=client.notice)
    return permits
