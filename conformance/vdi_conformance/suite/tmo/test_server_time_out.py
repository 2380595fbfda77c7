"""serverTimeOut: when a server that waits for its clients gives up, and when it does not."""

import time

import pytest

from vdi_conformance.harness.device import BOUND_TO_COME, Device, Fetched
from vdi_conformance.harness.expectations import Answer
from vdi_conformance.harness.intervals import TooSlow, with_time_enough
from vdi_conformance.harness.judging import ConformanceFailure, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import VDConfig

pytestmark = pytest.mark.vdi_timing

SHORT = 100
"""A serverTimeOut in milliseconds, before scaling: twice as long without a completion is too long."""

LONG = 200
"""One that leaves time for calls."""

TICK = 20
"""A clock may run ahead of another one by so many milliseconds."""


@vdi_requirement("TMO-01")
def test_a_server_without_a_time_limit_waits_on(testbed: Testbed) -> None:
    """With serverTimeOut 0 the server does not give up while another one does after its own time-out."""
    patient = testbed.backup()
    held = patient.device.next_data_command()
    _run_into_the_limit(_with_a_limit(testbed, SHORT))
    patient.answer(held).expect(NOERROR)
    patient.succeed()


@vdi_requirement("TMO-02")
def test_a_server_gives_up_after_its_time_limit(testbed: Testbed) -> None:
    """With serverTimeOut the set is aborted after two intervals without a completion, and not before."""
    statement, interval = _with_a_limit(testbed, LONG), testbed.scaled(LONG)
    began = time.monotonic()
    # Waits that are over again and again must not be taken for its own.
    _run_into_the_limit(statement, poll=interval // 4)
    passed = (time.monotonic() - began) * 1000
    # The statement, and with it the first thing that can be pending, began later than this clock.
    if passed < 2 * interval - TICK:
        raise ConformanceFailure(f"the server gave up after {passed:.0f} ms, its limit is twice {interval} ms")
    assert not statement.outcome().succeeded, "the statement succeeded although a command was never completed"


@vdi_requirement("TMO-05")
def test_who_completes_too_late_is_told_of_an_abort(testbed: Testbed) -> None:
    """After serverTimeOut has aborted the set, GetCommand and CompleteCommand give VD_E_ABORT."""
    statement = _with_a_limit(testbed, SHORT)
    for command in _run_into_the_limit(statement):
        statement.answer_any(command).expect(VD_E_ABORT)


def _with_a_limit(testbed: Testbed, interval: int) -> StatementRun:
    """Create a set for a BACKUP that has not begun."""
    return testbed.created("backup", Scenario(server_time_out=testbed.scaled(interval)))


def _run_into_the_limit(statement: StatementRun, poll: int | None = None) -> list[Fetched]:
    """Run a BACKUP and complete nothing until its server gives up; give what was fetched.

    `poll` is for how many milliseconds each GetCommand waits.

    On a slow machine it may give up at any moment, before the first command is fetched too.
    """
    statement.execute()
    held: list[Fetched] = []
    configured = statement.primary.get_configuration()
    configured.expect(NOERROR, VD_E_ABORT)
    if configured.succeeded:
        opened = statement.primary.open_device(statement.set_name)
        opened.expect(NOERROR, VD_E_ABORT)
        if opened.succeeded:
            device = opened.expect(NOERROR)
            end = time.monotonic() + statement.primary.scaled(BOUND_TO_COME) / 1000
            result = device.get_command(poll)
            while result.succeeded or (poll and result.code == VD_E_TIMEOUT and time.monotonic() < end):
                held += [result.expect(NOERROR)] if result.succeeded else []
                result = device.get_command(poll)
            result.expect(VD_E_ABORT)
    return held


class _Clock:
    """Knows for how long nothing can have been completed: no longer than this since it was set."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._set = time.monotonic()

    @property
    def _passed(self) -> float:
        return (time.monotonic() - self._set) * 1000

    def set(self, moment: float) -> None:
        """Note a completion that was begun at that moment."""
        self._set = moment

    def expect(self, answer: Answer, *codes: int) -> None:
        """Fail the check where an abort came too early; on a machine too slow to tell end the attempt."""
        self.need_time(answer)
        answer.expect(*codes, VD_E_ABORT)
        if answer.code == VD_E_ABORT:
            raise ConformanceFailure(
                f"the server gave up after {self._passed:.0f} ms without a completion, its limit is twice "
                f"{self._interval} ms"
            )

    def need_time(self, answer: Answer) -> None:
        """End the attempt where an abort came, and the machine may have been too slow."""
        if answer.code == VD_E_ABORT and self._passed >= 2 * self._interval:
            raise TooSlow


@vdi_requirement("TMO-03")
def test_each_completion_gives_the_time_limit_anew(testbed: Testbed) -> None:
    """Each completion restarts the clock of serverTimeOut."""

    def attempt(interval: int) -> None:
        statement, clock = testbed.created("backup", Scenario(server_time_out=interval)), _Clock(interval)
        statement.execute()
        clock.expect(statement.primary.get_configuration(), NOERROR)
        opened = statement.primary.open_device(statement.set_name)
        opened.expect(NOERROR, VD_E_ABORT, by="OPD-01")
        clock.expect(opened, NOERROR)
        for _ in range(4):
            held = _hold(opened.expect(NOERROR), clock, interval * 7 // 10)
            for command in held:
                began = time.monotonic()
                clock.expect(statement.answer_any(command), NOERROR)
                clock.set(began)

    with_time_enough(testbed, LONG, attempt)


def _hold(device: Device, clock: _Clock, milliseconds: int) -> list[Fetched]:
    """Fetch for so long, and complete nothing."""
    held: list[Fetched] = []
    end = time.monotonic() + milliseconds / 1000
    while (left := end - time.monotonic()) > 0:
        result = device.get_command(1 + int(left * 1000))
        clock.expect(result, NOERROR, VD_E_TIMEOUT)
        if result.succeeded:
            held.append(result.expect(NOERROR))
    return held


@vdi_requirement("TMO-04")
def test_with_nothing_pending_the_time_limit_does_not_run(testbed: Testbed) -> None:
    """Without pending commands the clock of serverTimeOut does not run."""
    answers = ("stands", "runs")

    def attempt(interval: int) -> None:
        clock, idle = _Clock(interval), testbed.scripted(Scenario(server_time_out=interval))
        clock.expect(_pass_one(idle), NOERROR)
        # What takes two intervals and a half there takes as long here.
        _run_into_the_limit(testbed.created("backup", Scenario(server_time_out=interval * 5 // 4)))
        clock = _Clock(interval)
        result = _pass_one(idle)
        clock.need_time(result)
        testbed.observe("Q47", "the clock while nothing is pending", answers[result.code == VD_E_ABORT], answers)
        clock.expect(result, NOERROR)

    with_time_enough(testbed, LONG, attempt)


def _pass_one(scripted: ScriptedSet) -> Answer:
    """Pass one command over the device; give the answer of its completion, or of the fetch that went wrong."""
    scripted.try_to_send(code=VDC_FLUSH)
    fetched = scripted.device.get_command()
    return scripted.device.complete(fetched.expect(NOERROR)) if fetched.succeeded else fetched


@pytest.mark.parametrize(
    "pending", ["queued", "queued on the second device", "held on the second device", "held by a secondary"]
)
@vdi_requirement("TMO-02")
def test_the_time_limit_runs_whatever_is_pending(testbed: Testbed, pending: str) -> None:
    """A set is aborted by serverTimeOut whether the pending command is queued or held, on whichever device."""
    owners = (0, 1) if pending == "held by a secondary" else (0,)
    scripted = testbed.scripted(Scenario(2, owners, server_time_out=testbed.scaled(LONG)))
    device = 0 if pending == "queued" else 1
    sent = scripted.try_to_send(code=VDC_FLUSH, device=device)
    sent.expect(NOERROR, VD_E_ABORT)
    if pending.startswith("held"):
        scripted.devices[device].get_command().expect(NOERROR, VD_E_ABORT)
    scripted.aborted = True
    if sent.succeeded:
        # On a slow machine ten calls are late as often.
        waits = (scripted.completion(testbed.scaled(LONG)) for _ in range(10))
        seen = next((completion for completion in waits if completion is not None), None)
        if seen is None or (seen.tag, seen.code) != (sent.value, ERROR_OPERATION_ABORTED):
            raise ConformanceFailure(f"the server did not give up, its limit is twice {testbed.scaled(LONG)} ms")
    scripted.primary.get_configuration(0).expect(VD_E_ABORT)


@vdi_requirement("TMO-03")
def test_a_completion_of_any_device_gives_the_time_limit_anew(testbed: Testbed) -> None:
    """A completion on any device of the set restarts the clock of serverTimeOut."""

    def attempt(interval: int) -> None:
        idle, clock = testbed.client("idle"), _Clock(interval)
        scripted = testbed.scripted(Scenario(devices=2, server_time_out=interval))
        idle.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR)
        scripted.try_to_send(code=VDC_FLUSH)
        clock.expect(scripted.device.get_command(), NOERROR)
        scripted.aborted = True
        for _ in range(5):
            idle.get_configuration(interval * 7 // 10).expect(VD_E_TIMEOUT)
            began = time.monotonic()
            scripted.try_to_send(code=VDC_FLUSH, device=1)
            fetched = scripted.devices[1].get_command()
            clock.expect(fetched, NOERROR)
            clock.expect(scripted.devices[1].complete(fetched.expect(NOERROR)), NOERROR)
            clock.set(began)

    with_time_enough(testbed, LONG, attempt)
