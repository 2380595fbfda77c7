"""What becomes of processes: how they begin and end, what they have of the system, and time that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from vdi_conformance.differences.playing import Actor, Impossible, Playing
from vdi_conformance.differences.seen import CODE, Seen
from vdi_conformance.host.resources import resources_of

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.other_accounts import Other


def _kill(playing: Playing, step: Step) -> Seen:
    actor = playing.actor(step.by)
    actor.client.kill()
    return {CODE: "is gone"}


def _beside(playing: Playing, step: Step) -> Seen:
    if step.by in playing.actors:
        raise Impossible
    playing.actors[step.by] = Actor(playing.testbed.beside(playing.actor(step.number("client", 1)).client))
    return {CODE: "is made"}


def _account(playing: Playing, step: Step) -> Seen:
    if step.by in playing.actors:
        raise Impossible
    group = "in our group" if step.argument("group") == "inside" else "outside our group"
    client = playing.testbed.client(f"client {step.by}", other=cast("Other", group))
    playing.actors[step.by] = Actor(client)
    return {CODE: "is made"}


def _resources(playing: Playing, step: Step) -> Seen:
    """Look at what a process has of the system, against when it was looked at first."""
    actor = playing.actor(step.by)
    _ = actor.client.host.initialized
    found = resources_of(actor.client.host.pid or 0)
    if found is None:
        raise Impossible
    before = actor.looked = actor.looked or found
    return {
        CODE: "is looked at",
        "threads": f"{found.threads - before.threads:+d}",
        "handles": f"{found.handles - before.handles:+d}",
        "shared memory": f"{found.shared - before.shared:+d}",
    }


def _pause(playing: Playing, step: Step) -> Seen:
    """Let time pass; nothing that has to happen is waited for by it."""
    playing.testbed.session.supervisor.wait_until(lambda: False, playing.scaled(step.number("ms")) / 1000)
    return {CODE: "passes"}


ACTS: Final = {
    "kill": _kill,
    "beside": _beside,
    "account": _account,
    "resources": _resources,
    "pause": _pause,
}
