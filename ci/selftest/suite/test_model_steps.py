"""The steps that a walk may take, tried on the model alone: every permitted answer leads somewhere."""

from collections.abc import Callable
from random import Random

import pytest

from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model import server
from vdi_conformance.model.matrix import MATRIX, MOVES, reached
from vdi_conformance.model.permits import Permits
from vdi_conformance.model.sharing import share
from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice, ModelState
from vdi_conformance.model.steps import ACTS, Step, options, usual
from vdi_conformance.vdi.client_states import ClientState
from vdi_conformance.vdi.hresult import VD_E_UNEXPECTED

WRITE = 2


class Imagined:
    """An implementation that gives, call by call, any of the answers that the model permits."""

    def __init__(self, seed: int, strict: bool = False) -> None:
        self.model = ModelState([ModelClient(number) for number in (1, 2, 3)], strict=strict)
        self.random = Random(seed)
        self.seen: set[tuple[ClientState, str]] = set()

    def take(self, step: Step) -> None:
        """Take a step."""
        client = self.model.clients[step.by - 1]
        match step.act:
            case "notice":
                client.notice_for_good()
            case "kill":
                server.client_dies(client)
            case "start" if step.by:
                client.alive = True
            case "start":
                self.model.server_alive = True
            case "wait":
                self.device(step).waiting = True
            case "server_kill":
                server.die(self.model)
            case _:
                self.answer(_CALLS[step.act](self, step))
        if step.act == "server_close":
            server.abandon(self.model)
        self.wake()

    def wake(self) -> None:
        """Let each GetCommand that waits come to its end where it must."""
        for client in self.model.clients:
            for device in client.devices:
                if device.waiting and (device.due or client.noticed):
                    device.waiting = False
                    self.answer(devices.get_command(self.model, client, device))

    def answer(self, permits: Permits) -> None:
        """Give one of the permitted answers."""
        assert permits.names, "a call without an outcome"
        chosen = self.random.choice(permits.names)
        # Whatever fails is a failure.
        number = next((one.code for one in permits._outcomes if one.name == chosen), None)
        outcome = permits.settle(VD_E_UNEXPECTED if number is None else number)
        assert outcome is not None

    def client(self, step: Step) -> ModelClient:
        """Who acts."""
        return self.model.clients[step.by - 1]

    def device(self, step: Step) -> ModelDevice:
        """The device of a client, or of the set that is served."""
        if step.by:
            return next(one for one in self.client(step).devices if one.index == step.what)
        assert self.model.serving is not None
        return self.model.serving.devices[step.what]

    def send(self, step: Step) -> Permits:
        """Send a command, which is seen to end at once if anything ends it."""
        self.model.tags += 1
        return server.send(self.device(step), ModelCommand(self.model.tags, WRITE, 512, data=step.kind != "Flush"))

    def complete(self, step: Step) -> Permits:
        """Complete a command."""
        client, device = self.client(step), self.device(step)
        kind, _, place = step.kind.partition(" ")
        others = [one for other in client.devices if other is not device for one in other.held]
        command = {"held": device.held, "another": others}.get(kind, [])
        chosen = command[int(place or 0)] if command else None
        return devices.complete_command(client, device, chosen, kind, 0)


def _serving(imagined: Imagined, call: Callable[..., Permits], *before: object) -> Permits:
    return call(*before, imagined.model.serving)


_CALLS: dict[str, Callable[[Imagined, Step], Permits]] = {
    "create": lambda one, step: clients.create(one.model, one.client(step), step.kind, step.what),
    "join": lambda one, step: clients.join(
        one.client(step), one.model.sets[-1 - step.what] if step.kind == "set" else None
    ),
    "get_configuration": lambda one, step: clients.get_configuration(one.client(step)),
    "open_device": lambda one, step: clients.open_device(
        one.client(step), of.devices[step.what] if (of := one.client(step).of) and step.kind == "device" else None
    ),
    "get_command": lambda one, step: devices.get_command(one.model, one.client(step), one.device(step)),
    "complete_command": Imagined.complete,
    "signal_abort": lambda one, step: clients.signal_abort(one.client(step)),
    "close": lambda one, step: clients.close(one.client(step)),
    "get_buffer_handle": lambda one, step: share(one.client(step), step.kind.partition(" ")[0]),
    "map_buffer_handle": lambda one, step: share(one.client(step), step.kind.partition(" ")[0]),
    "server_open": lambda one, step: server.open_set(one.model, one.model.sets[-1 - step.what]),
    "server_configure": lambda one, _: _serving(one, server.configure),
    "server_open_device": lambda one, step: server.open_device(one.device(step)),
    "send": Imagined.send,
    "close_device": lambda one, step: server.close_device(one.device(step)),
    "server_abort": lambda one, _: _serving(one, server.signal_abort),
    "server_close": lambda one, _: _serving(one, server.close, one.model),
}


@pytest.mark.parametrize("strict", [False, True])
def test_whatever_is_answered_the_walk_goes_on(strict: bool) -> None:
    for seed in range(30):
        imagined = Imagined(seed, strict)
        for _ in range(200):
            possible = [step for act in ACTS for step in options(imagined.model, act)]
            imagined.take(imagined.random.choice(possible))


def test_the_usual_way_leads_through_every_state_again_and_again() -> None:
    imagined = Imagined(1)
    views = set()
    for _ in range(2000):
        steps = usual(imagined.model)
        assert steps, "nothing comes next"
        imagined.take(imagined.random.choice(steps))
        for of in imagined.model.sets[-1:]:
            for command in of.commands:
                command.seen |= command.count is not None
        views |= {client.view for client in imagined.model.clients}
    assert views == set(ClientState)
    assert len(imagined.model.sets) > 20


def test_what_is_to_be_reached_is_counted_once_each() -> None:
    counts = reached({}, {})
    assert len(counts) == sum(map(len, MATRIX.values())) + len(MOVES)
    assert set(counts.values()) == {0}


def test_any_of_several_permitted_codes_counts() -> None:
    cells = {(ClientState.ACTIVE, "Close", "VD_E_OPEN"): 2, (ClientState.ACTIVE, "Close", "NOERROR"): 3}
    assert reached(cells, {})["Active, Close: NOERROR|VD_E_OPEN"] == 5
