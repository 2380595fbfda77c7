"""Alertable waits: a procedure call that Windows queues to a thread runs while it waits, and the wait goes on."""

from typing import Final

from vdi_conformance.host.messages.face import QueueApc
from vdi_conformance.suite.device import BOUND_TO_COME
from vdi_conformance.suite.judging import ConformanceFailure, judges, not_tested
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scene import USUAL
from vdi_conformance.suite.stage import Stage
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT

WAITER: Final = "waiter"
SOON: Final = 100
"""Within this a server has mostly sent what it sends without an answer, in milliseconds before scaling."""


def _apc_runs(client: Participant) -> bool:
    """Queue a procedure call to the thread that waits, which lets it run within a bounded time if it does at all."""
    request = QueueApc(to=WAITER, patience=client.scaled(BOUND_TO_COME), thread="beside it")
    return client.host.send(request).result(patience=client.scaled(BOUND_TO_COME) / 1000 + 10).ran


def _not_run(method: str) -> ConformanceFailure:
    return ConformanceFailure(f"an APC that was queued to a thread in {method} did not run")


@judges("CFG-27")
def test_an_apc_runs_while_get_configuration_waits(stage: Stage) -> None:
    stage.native("com")
    primary = stage.participant("primary")
    primary.create(stage.name(), USUAL.config).expect(NOERROR)
    waiting = primary.send_get_configuration(thread=WAITER)
    if not _apc_runs(primary):
        raise _not_run("GetConfiguration")
    primary.signal_abort().expect(NOERROR)
    waiting.result()


@judges("CFG-28")
def test_get_configuration_goes_on_waiting_after_an_apc(stage: Stage) -> None:
    stage.native("com")
    operation = stage.created("backup")
    waiting = operation.primary.send_get_configuration(thread=WAITER)
    if not _apc_runs(operation.primary):
        not_tested("no APC runs while GetConfiguration waits")
    operation.configure()
    waiting.result().expect(NOERROR)


@judges("CMD-16")
def test_an_apc_runs_while_get_command_waits(stage: Stage) -> None:
    stage.native("com")
    operation = stage.backup()
    (device,) = operation.devices
    while (found := device.get_command(stage.scaled(SOON))).succeeded:
        pass
    found.require(VD_E_TIMEOUT)
    waiting = device.send_get_command(thread=WAITER)
    while not _apc_runs(operation.primary):
        if not (waiting.done and waiting.result().succeeded):
            raise _not_run("GetCommand")
        waiting = device.send_get_command(thread=WAITER)  # a server that is slow ended the wait by a command
    operation.primary.get_configuration().expect(NOERROR)
    stage.observe("Q25", "GetCommand after an APC ran", "returned" if waiting.done else "goes on waiting")
    operation.primary.signal_abort().expect(NOERROR)
    if not waiting.done:
        device.await_abort(waiting)
