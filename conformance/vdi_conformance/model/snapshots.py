"""Copies of the model, and what tells two of them apart: a search tries many orders of the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelSet, ModelState

if TYPE_CHECKING:
    from collections.abc import Hashable

NOBODY: Final = 0


def copied(model: ModelState) -> ModelState:
    """Give a model of its own that says the same: what happens to one of the two leaves the other as it is."""
    return _Copying(model).model


class _Copying:
    """The parts of a copy, each by the part that it was made of."""

    def __init__(self, model: ModelState) -> None:
        self._clients: dict[ModelClient, ModelClient] = {one: ModelClient(one.number) for one in model.clients}
        self._sets: dict[ModelSet, ModelSet] = {one: ModelSet(one.index) for one in model.sets}
        self._devices: dict[ModelDevice, ModelDevice] = {}
        self._commands: dict[ModelCommand, ModelCommand] = {}
        for known, of in self._sets.items():
            of.devices = [self._device(device, of) for device in known.devices]
            self._describe_set(known, of)
        for one, client in self._clients.items():
            self._describe_client(one, client)
        self.model = ModelState(
            clients=list(self._clients.values()),
            strict=model.strict,
            sets=list(self._sets.values()),
            serving=self._sets[model.serving] if model.serving else None,
            server_alive=model.server_alive,
            tags=model.tags,
        )

    def _describe_set(self, one: ModelSet, of: ModelSet) -> None:
        of.creator = self._clients[one.creator] if one.creator else None
        of.members = [self._clients[client] for client in one.members]
        of.phase, of.abort_state = one.phase, one.abort_state
        of.called, of.served, of.begun, of.name = one.called, one.served, one.begun, one.name

    def _describe_client(self, one: ModelClient, client: ModelClient) -> None:
        client.of = self._sets[one.of] if one.of else None
        client.configured, client.noticed = one.configured, one.noticed
        client.done, client.alive = one.done, one.alive
        client.devices = [self._devices[device] for device in one.devices]
        client.stale = [(self._devices[device], self._commands[command]) for device, command in one.stale]

    def _device(self, one: ModelDevice, of: ModelSet) -> ModelDevice:
        device = self._devices[one] = ModelDevice(
            index=one.index,
            of=of,
            owner=self._clients[one.owner] if one.owner else None,
            server_open=one.server_open,
            server_closed=one.server_closed,
            told=one.told,
            waiting=one.waiting,
        )
        device.sent = [self._command(command) for command in one.sent]
        device.queue = [self._commands[command] for command in one.queue]
        device.held = [self._commands[command] for command in one.held]
        return device

    def _command(self, one: ModelCommand) -> ModelCommand:
        command = self._commands[one] = ModelCommand(
            one.tag, one.code, one.size, one.buffer, one.data, one.named, one.count, one.seen
        )
        return command


def fingerprint(model: ModelState) -> Hashable:
    """Give what is equal for two models that permit the same from now on.

    Sets that have a name go by it, in whatever order they were created; those that nobody has any more do not count.
    """
    return (
        tuple(map(_client, model.clients)),
        tuple(sorted((_name(of), _set(of)) for of in model.sets if of.in_use)),
        None if model.serving is None else _name(model.serving),
        model.server_alive,
    )


def _name(of: ModelSet) -> str:
    return of.name or str(of.index)


def _client(client: ModelClient) -> Hashable:
    return (
        None if client.of is None else _name(client.of),
        client.configured,
        client.noticed,
        client.done,
        client.alive,
        tuple(device.index for device in client.devices),
        tuple((device.index, command.tag) for device, command in client.stale),
    )


def _set(of: ModelSet) -> tuple[object, ...]:
    return (
        NOBODY if of.creator is None else of.creator.number,
        tuple(sorted(client.number for client in of.members)),
        of.phase,
        of.abort_state.value,
        of.called,
        of.served,
        of.begun,
        tuple(map(_device, of.devices)),
    )


def _device(device: ModelDevice) -> tuple[object, ...]:
    return (
        NOBODY if device.owner is None else device.owner.number,
        device.server_open,
        device.server_closed,
        device.told,
        device.waiting,
        tuple(command.tag for command in device.queue),
        tuple(command.tag for command in device.held),
        tuple((command.tag, command.named, command.count or 0, command.seen) for command in device.sent),
    )
