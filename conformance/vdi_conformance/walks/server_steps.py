"""What the server does in a walk: the steps of its interface, all of them legal, and its death; starts of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.model import server as servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.model.state import ModelDevice, ModelSet
    from vdi_conformance.model.steps import Step
    from vdi_conformance.walks.walk import Walk


def start(walk: Walk, step: Step) -> None:
    """Let a process take the place of one that ended; it starts when it is needed."""
    walk.tell(step)
    if step.by:
        walk.model.clients[step.by - 1].alive = True
    else:
        walk.model.server_alive = True


def server_open(walk: Walk, step: Step) -> None:
    """Open."""
    of = walk.model.sets[-1 - step.what]
    answer = walk.server.open(walk.names[of.index], len(of.devices))
    walk.judge(step, answer, servers.open_set(walk.model, of))


def server_configure(walk: Walk, step: Step) -> None:
    """BeginConfiguration, and then EndConfiguration."""
    of = _serving(walk)
    walk.judge(step, walk.server.configure(begun=step.kind == "end"), servers.configure(of))


def server_open_device(walk: Walk, step: Step) -> None:
    """OpenDevice."""
    walk.judge(step, walk.server.open_device(step.what), servers.open_device(_device(walk, step)))


def send(walk: Walk, step: Step) -> None:
    """SendCommand."""
    walk.model.tags += 1
    command = walk.server.command(walk.model.tags, step.kind)
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
    walk.judge(step, walk.server.close(), servers.close(walk.model, _serving(walk)))
    servers.abandon(walk.model)


def server_kill(walk: Walk, step: Step) -> None:
    """End the server's process as a crash does."""
    walk.tell(step)
    walk.server.kill()
    servers.die(walk.model)


def _serving(walk: Walk) -> ModelSet:
    assert walk.model.serving is not None, "the server has no set"
    return walk.model.serving


def _device(walk: Walk, step: Step) -> ModelDevice:
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
