"""Alertable waits: a procedure call that Windows queues to a thread runs while it waits, and the wait goes on."""

from typing import Final

import pytest

from vdi_conformance.host.messages.face import QueueApc
from vdi_conformance.suite.device import BOUND_TO_COME
from vdi_conformance.suite.judging import ConformanceFailure, judges, not_tested
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import USUAL
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE

WAITER: Final = "waiter"
SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
EITHER_WAIT: Final = pytest.mark.parametrize("timeout", [None, INFINITE], ids=["bounded", "endless"])
"""The time-out is long enough for what is bound to come, or without an end."""


def _warm_up(stage: Stage, client: Participant) -> None:
    """Let the thread that is to wait have made a call before, so that what waits but once is behind it."""
    bystander = stage.beside(client)
    bystander.send_create(stage.name(), USUAL.config, thread=WAITER).result().expect(NOERROR)


def _apc_runs(client: Participant) -> bool:
    """Queue a procedure call to the thread that waits, which lets it run within a bounded time if it does at all."""
    request = QueueApc(to=WAITER, patience=client.scaled(BOUND_TO_COME), thread="beside it")
    return client.host.send(request).result(patience=client.scaled(BOUND_TO_COME) / 1000 + 10).ran


def _not_run(method: str) -> ConformanceFailure:
    return ConformanceFailure(f"an APC that was queued to a thread in {method} did not run")


def _let_time_pass(stage: Stage, client: Participant) -> None:
    """Wait for a time-out on a set of its own, so that a call which an APC has ended has its answer here."""
    bystander = stage.beside(client)
    bystander.create(stage.name(), USUAL.config).expect(NOERROR)
    bystander.get_configuration(stage.scaled(SOON)).require(VD_E_TIMEOUT)


@EITHER_WAIT
@judges("CFG-27")
def test_an_apc_runs_while_get_configuration_waits(stage: Stage, timeout: int | None) -> None:
    stage.native("com")
    primary = stage.participant("primary")
    primary.create(stage.name(), USUAL.config).expect(NOERROR)
    _warm_up(stage, primary)
    waiting = primary.send_get_configuration(timeout, thread=WAITER)
    if not _apc_runs(primary):
        raise _not_run("GetConfiguration")
    primary.signal_abort().expect(NOERROR)
    waiting.result().require_failure()


@EITHER_WAIT
@judges("CFG-28")
def test_get_configuration_goes_on_waiting_after_an_apc(stage: Stage, timeout: int | None) -> None:
    stage.native("com")
    operation = stage.created("backup")
    primary = operation.primary
    _warm_up(stage, primary)
    waiting = primary.send_get_configuration(timeout, thread=WAITER)
    if not _apc_runs(primary):
        not_tested("no APC runs while GetConfiguration waits")
    _let_time_pass(stage, primary)
    if waiting.done:
        answer = waiting.result()
        raise ConformanceFailure(f"an APC ran, and {answer.call} ended with {answer.name}", ("no end",), answer.name)
    operation.execute()
    found = operation.await_configuration(waiting).expect(NOERROR)
    assert found == primary.get_configuration().expect(NOERROR), "after an APC the configuration was another one"


@EITHER_WAIT
@judges("CMD-16")
def test_an_apc_runs_while_get_command_waits(stage: Stage, timeout: int | None) -> None:
    stage.native("com")
    operation = stage.backup()
    (device,), primary = operation.devices, operation.primary
    _warm_up(stage, primary)
    waiting = device.send_get_command(timeout, thread=WAITER)
    while not _apc_runs(primary):
        # What the server sends while it waits for the completion of others is held as well.
        if not waiting.done or not waiting.result().succeeded:
            raise _not_run("GetCommand")
        waiting = device.send_get_command(timeout, thread=WAITER)
    _let_time_pass(stage, primary)
    ended = waiting.result() if waiting.done else None
    if ended is None:
        stage.observe("Q25", "GetCommand after an APC ran", "goes on waiting")
    elif ended.code == NOERROR:
        ended.expect(NOERROR)
    else:
        stage.observe("Q25", "GetCommand after an APC ran", f"returned {ended.name}")
    primary.signal_abort().expect(NOERROR)
    device.await_abort(waiting if ended is None else None)
