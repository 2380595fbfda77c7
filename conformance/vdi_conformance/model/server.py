"""The server's steps, all of them legal ones, and deaths: what they may give, and what becomes of the set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.model.permits import Permits, nothing
from vdi_conformance.model.state import AbortState, ModelCommand, SetPhase
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.completion import name_of as completion_name
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.model.state import ModelClient, ModelDevice, ModelSet, ModelState

NEXT: Final = {SetPhase.OPENED: SetPhase.BEGUN, SetPhase.BEGUN: SetPhase.CONFIGURED}


def _step(of: ModelSet, effect: Callable[[], None] = nothing) -> Permits:
    """A step that succeeds on a sound set, and may fail on another."""
    permits = Permits(ClientState.DOES_NOT_EXIST).may(NOERROR, effect=effect)
    return permits if of.sound else permits.may_fail()


def open_set(model: ModelState, of: ModelSet) -> Permits:
    """Open."""

    def serve() -> None:
        model.serving = of
        of.served, of.phase = True, SetPhase.OPENED

    return _step(of, serve)


def configure(of: ModelSet) -> Permits:
    """BeginConfiguration, and then EndConfiguration."""

    def go_on() -> None:
        of.phase = NEXT[of.phase]

    return _step(of, go_on)


def open_device(device: ModelDevice) -> Permits:
    """OpenDevice."""

    def take() -> None:
        device.server_open = True

    return _step(device.of, take)


def send(device: ModelDevice, command: ModelCommand) -> Permits:
    """SendCommand."""

    def queue() -> None:
        device.queue.append(command)
        device.sent.append(command)

    return _step(device.of, queue)


def close_device(device: ModelDevice) -> Permits:
    """CloseDevice of a device that has nothing to do."""

    def end() -> None:
        device.server_closed = True

    return _step(device.of, end)


def signal_abort(of: ModelSet) -> Permits:
    """SignalAbort."""

    def abort() -> None:
        of.worsen(AbortState.DOUBTFUL if of.over else AbortState.ABORTED)

    return _step(of, abort)


def close(model: ModelState, of: ModelSet) -> Permits:
    """Close: an abort where devices are open on the server's side, and the end of its part in any case."""
    permits = Permits(ClientState.DOES_NOT_EXIST)
    over = of.over

    def leave() -> None:
        _lose_the_server(model, of, over)

    permits.may(NOERROR, effect=leave)
    if not over:
        # Only that is a breach of the server's own protocol.
        permits.may_fail()
    return permits


def die(model: ModelState) -> None:
    """The server's process ends."""
    model.server_alive = False
    if model.serving is not None:
        _lose_the_server(model, model.serving, over=False)


def abandon(model: ModelState) -> None:
    """Go on with another set, whatever the Close of this one gave."""
    if model.serving is not None:
        _lose_the_server(model, model.serving, model.serving.over)


def _lose_the_server(model: ModelState, of: ModelSet, over: bool) -> None:
    certain = any(device.server_open and not device.server_closed for device in of.devices)
    if not over:
        of.worsen(AbortState.ABORTED if certain else AbortState.DOUBTFUL)
    of.served, model.serving = False, None


def client_dies(client: ModelClient) -> None:
    """A client's process ends: noticed where it is the primary of a set that goes on, and perhaps otherwise."""
    of = client.of
    if of is not None:
        certain = client.is_creator and not of.over and any(device.taken for device in of.devices)
        of.worsen(AbortState.ABORTED if certain else AbortState.DOUBTFUL)
    client.leave()
    client.alive = False


def completions_due(of: ModelSet) -> list[ModelCommand]:
    """Commands whose end the server must see, though perhaps in the order in which they were handed out."""
    due = []
    for device in of.devices:
        for command in device.sent:
            if command.count is None:
                break
            due += [command] * (not command.seen)
    return due


def complaint(of: ModelSet, tag: int, code: int, count: int) -> str | None:
    """Take a completion that the server saw; tell what is wrong with it."""
    command = next((one for one in of.commands if one.tag == tag), None)
    if command is None:
        return f"the server saw the end of command {tag}, which it never sent"
    if command.seen:
        return f"the server saw command {tag} end twice"
    command.seen = True
    if code == ERROR_OPERATION_ABORTED and not of.sound:
        return None
    if command.count is None:
        return f"the server saw command {tag} end with {completion_name(code)}, nobody had completed it"
    if (code, count) != (ERROR_SUCCESS, command.count):
        return (
            f"command {tag} was completed with ERROR_SUCCESS and {command.count} bytes, the server saw "
            f"{completion_name(code)} and {count} bytes"
        )
    return None
