"""What the server does in a walk: the steps of its interface, all of them legal, and its death; starts of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.suite.model import server as servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.suite.model.steps import Step
    from vdi_conformance.suite.model.world import Device, DeviceSet
    from vdi_conformance.suite.walks.walk import Walk


def start(walk: Walk, step: Step) -> None:
    """Let a process take the place of one that ended; it starts when it is needed."""
    walk.tell(step)
    if step.by:
        walk.world.clients[step.by - 1].alive = True
    else:
        walk.world.server_alive = True


def server_open(walk: Walk, step: Step) -> None:
    """Open."""
    of = walk.world.sets[-1 - step.what]
    answer = walk.server.open(walk.names[of.index], len(of.devices))
    walk.judge(step, answer, servers.open_set(walk.world, of))


def server_configure(walk: Walk, step: Step) -> None:
    """BeginConfiguration, and then EndConfiguration."""
    of = _serving(walk)
    walk.judge(step, walk.server.configure(begun=step.kind == "end"), servers.configure(of))


def server_open_device(walk: Walk, step: Step) -> None:
    """OpenDevice."""
    walk.judge(step, walk.server.open_device(step.what), servers.open_device(_device(walk, step)))


def send(walk: Walk, step: Step) -> None:
    """SendCommand."""
    walk.world.tags += 1
    command = walk.server.command(walk.world.tags, step.kind)
    if walk.plan.contents and command.data:
        walk.server.fill(command)
    walk.judge(step, walk.server.send(step.what, command), servers.send(_device(walk, step), command))


def close_device(walk: Walk, step: Step) -> None:
    """CloseDevice."""
    walk.judge(step, walk.server.close_device(step.what), servers.close_device(_device(walk, step)))


def server_abort(walk: Walk, step: Step) -> None:
    """SignalAbort."""
    walk.judge(step, walk.server.abort(), servers.signal_abort(_serving(walk)))


def server_close(walk: Walk, step: Step) -> None:
    """Close, once every command that an abort has ended was seen to end."""
    walk.settle()
    walk.judge(step, walk.server.close(), servers.close(walk.world, _serving(walk)))
    servers.abandon(walk.world)


def server_kill(walk: Walk, step: Step) -> None:
    """End the server's process as a crash does."""
    walk.tell(step)
    walk.server.kill()
    servers.die(walk.world)


def _serving(walk: Walk) -> DeviceSet:
    assert walk.world.serving is not None, "the server has no set"
    return walk.world.serving


def _device(walk: Walk, step: Step) -> Device:
    return _serving(walk).devices[step.what]


SERVER_STEPS: Final[dict[str, Callable[[Walk, Step], None]]] = {
    step.__name__: step
    for step in (
        start,
        server_open,
        server_configure,
        server_open_device,
        send,
        close_device,
        server_abort,
        server_close,
        server_kill,
    )
}
