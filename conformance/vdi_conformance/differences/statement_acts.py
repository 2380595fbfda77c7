"""What a server does that runs whole statements, and ordinary clients that serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from vdi_conformance.differences.device_acts import COMPLETION_CODES, device_of, fetched
from vdi_conformance.differences.playing import Actor, Impossible, Playing
from vdi_conformance.differences.seen import CODE, WAITS, Seen
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.statement_run import StatementRun

MOMENT: Final = 150
"""A server that has sent nothing for so many milliseconds, before scaling, is taken to wait for something else."""
MOST: Final = 200
"""So many commands at most are served in one step."""
ENDING: Final = 600
"""So many milliseconds a statement has to end."""
Kind = Literal["backup", "restore"]


def _label(step: Step) -> str:
    return step.argument("set", "1")


def _statement(playing: Playing, step: Step) -> Seen:
    label = _label(step)
    if label in playing.statements or 1 not in playing.actors:
        raise Impossible
    scenario = Scenario(
        devices=step.number("devices") or playing.devices_of(label),
        features=step.number("features"),
        buffer_count=step.number("buffers", 4),
        transfers=step.number("transfers", 3),
    )
    run = playing.testbed.prepared(
        scenario,
        cast("Kind", step.argument("operation", "backup")),
        playing.name(label),
        [playing.actors[1].client],
    )
    playing.statements[label] = run
    options = {"block_size": step.number("block_size")} if step.argument("block_size") else {}
    run.execute(**options)
    return {CODE: "begins"}


def _run(playing: Playing, label: str) -> StatementRun:
    found = playing.statements.get(label)
    if found is None:
        raise Impossible
    return found


def _outcome(playing: Playing, step: Step) -> Seen:
    """Tell how a statement has ended, or that it goes on."""
    run = _run(playing, _label(step))
    pending = run.statements[-1]
    playing.testbed.session.supervisor.wait_any([pending], playing.scaled(ENDING) / 1000)
    if not pending.done:
        return {CODE: "goes on"}
    return {CODE: "succeeded" if pending.result().succeeded else "failed"}


def _serve(playing: Playing, step: Step) -> Seen:
    """Complete commands of a device as an ordinary client does, until nothing comes, or so many were served."""
    actor = playing.actor(step.by)
    device, run = device_of(actor, step), _run(playing, actor.set)
    told: list[str] = []
    wait = playing.scaled(step.number("timeout", MOMENT))
    while len(told) < step.number("commands", MOST):
        result = device.get_command(wait)
        if not result.succeeded or result.value is None:
            return _served(told, WAITS if result.code == VD_E_TIMEOUT else result.name)
        seen = fetched(playing, actor, step, result)
        told.append(f"{seen['command']} of {seen['size']}")
        answered = _answer(run, actor, device, result.value, step)
        if answered != name_of(NOERROR):
            return _served(told, f"{answered} from CompleteCommand")
    return _served(told, "enough")


def _answer(run: StatementRun, actor: Actor, device: Device, command: Fetched, step: Step) -> str:
    held = actor.held[step.number("device")].pop()
    actor.past.append(held)
    error = step.argument("code")
    if error and command.code in vdc.DATA_COMMANDS:
        return device.complete(command, COMPLETION_CODES[error], 0).name
    return run.answer_any(command).name


def _served(told: list[str], end: str) -> Seen:
    return {CODE: end, "commands": _in_runs(told)}


def _in_runs(told: list[str]) -> str:
    runs: list[tuple[str, int]] = []
    for one in told:
        if runs and runs[-1][0] == one:
            runs[-1] = (one, runs[-1][1] + 1)
        else:
            runs.append((one, 1))
    return ", ".join(one if count == 1 else f"{count} {one}" for one, count in runs) or "none"


ACTS: Final = {"statement": _statement, "outcome": _outcome, "serve": _serve}
