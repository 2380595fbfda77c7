"""Alertable waits: a procedure call that Windows queues to a thread runs while it waits, and the wait goes on."""

from typing import Any, Final

import pytest

from vdi_conformance.harness.device import BOUND_TO_COME
from vdi_conformance.harness.expectations import PendingAnswer
from vdi_conformance.harness.judging import ConformanceFailure, not_tested, vdi_requirement
from vdi_conformance.harness.native import NativeProcess
from vdi_conformance.harness.native_set import NativeBackup, let_time_pass, set_of
from vdi_conformance.harness.scenario import USUAL
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.host.errors import MethodNotFound
from vdi_conformance.host.messages.native import ApcRan, QueueApc
from vdi_conformance.host.process import Pending
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE

CONFIG: Final = USUAL.config.pack()
WAITER: Final = "waiter"
SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
EITHER_WAIT: Final = pytest.mark.parametrize("timeout", [None, INFINITE], ids=["bounded", "endless"])
"""The time-out is long enough for what is bound to come, or without an end."""


def _warm_up(testbed: Testbed, process: NativeProcess) -> None:
    """Let the thread that is to wait have made a call before, so that what waits but once is behind it."""
    bystander = set_of(process)
    bystander.create(testbed.name(), CONFIG).expect(NOERROR)
    bystander.send_get_configuration(0, thread=WAITER).result().expect(VD_E_TIMEOUT)


def _queue_apc(process: NativeProcess) -> Pending[ApcRan]:
    """Queue a procedure call to the thread that waits; the answer tells whether it ran within a bounded time."""
    request = QueueApc(to=WAITER, patience=process.scaled(BOUND_TO_COME), thread="beside it")
    return process.host.send(request)


def _ran(process: NativeProcess, apc: Pending[ApcRan]) -> bool:
    try:
        return apc.result(patience=process.scaled(BOUND_TO_COME) / 1000 + 10).ran
    except MethodNotFound:
        not_tested("the host can queue no procedure calls")


def _has_ended(testbed: Testbed, process: NativeProcess, waiting: PendingAnswer[Any, Any]) -> bool:
    """Tell whether a call that an APC may have ended has; another one with a time-out gives it time to answer."""
    let_time_pass(testbed, process, testbed.scaled(SOON))
    return waiting.done


@EITHER_WAIT
@vdi_requirement("CFG-27")
def test_an_apc_runs_while_get_configuration_waits(testbed: Testbed, timeout: int | None) -> None:
    """The wait of GetConfiguration is alertable: an APC that is queued to its thread runs."""
    process = testbed.native("com")("primary by raw calls")
    made = set_of(process)
    made.create(testbed.name(), CONFIG).expect(NOERROR)
    _warm_up(testbed, process)
    waiting = made.send_get_configuration(timeout, thread=WAITER)
    if not _ran(process, _queue_apc(process)):
        raise ConformanceFailure("an APC that was queued to a thread in GetConfiguration did not run")
    made.signal_abort().expect(NOERROR)
    waiting.result().expect_failure()


@EITHER_WAIT
@vdi_requirement("CFG-28")
def test_get_configuration_goes_on_waiting_after_an_apc(testbed: Testbed, timeout: int | None) -> None:
    """After an APC ran, GetConfiguration goes on waiting and answers NOERROR when the set is configured."""
    process = testbed.native("com")("primary by raw calls")
    testbed.need_default_instance()
    statement = testbed.prepared(clients=[testbed.client("bystander")])
    made = set_of(process)
    made.create(statement.set_name, CONFIG).expect(NOERROR)
    _warm_up(testbed, process)
    waiting = made.send_get_configuration(timeout, thread=WAITER)
    if not _ran(process, _queue_apc(process)):
        not_tested("no APC runs while GetConfiguration waits")
    if _has_ended(testbed, process, waiting):
        answer = waiting.result()
        raise ConformanceFailure(f"an APC ran, and {answer.call} ended with {answer.name}", ("no end",), answer.name)
    statement.execute()
    found = statement.await_configuration(waiting).expect(NOERROR)
    assert found == made.get_configuration().expect(NOERROR), "after an APC the configuration was another one"
    made.signal_abort().expect(NOERROR)


@EITHER_WAIT
@vdi_requirement("CMD-16")
def test_an_apc_runs_while_get_command_waits(testbed: Testbed, timeout: int | None) -> None:
    """The wait of GetCommand is alertable: an APC that is queued to its thread runs."""
    backup = NativeBackup(testbed, testbed.native("com"))
    process, device = backup.process, backup.device
    _warm_up(testbed, process)
    waiting, apc = device.send_get_command(timeout, thread=WAITER), _queue_apc(process)
    patience = process.scaled(BOUND_TO_COME) / 1000
    while testbed.session.supervisor.wait_any([waiting.pending, apc], patience) and not apc.done:
        # A command that was there already let the call not wait; it is held as well.
        waiting.result().expect(NOERROR)
        waiting = device.send_get_command(timeout, thread=WAITER)
    if not _ran(process, apc):
        raise ConformanceFailure("an APC that was queued to a thread in GetCommand did not run")
    ended = waiting.result() if _has_ended(testbed, process, waiting) else None
    if ended is None:
        testbed.observe("Q25", "GetCommand after an APC ran", "goes on waiting")
    elif ended.code == NOERROR:
        ended.expect(NOERROR)
    else:
        testbed.observe("Q25", "GetCommand after an APC ran", f"returned {ended.name}")
    backup.set.signal_abort().expect(NOERROR)
    device.await_abort(waiting if ended is None else device.send_get_command())
