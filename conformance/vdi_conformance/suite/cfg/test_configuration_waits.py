"""GetConfiguration: what ends a wait and what does not, where others wait and the server is on its way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.harness.concurrency import A_WHILE
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.testbed import Testbed

SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
TICK: Final = 20
"""A wait may end a tick of the system's clock early: so many milliseconds."""
LONG: Final = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, INFINITE)
"""Time-outs of weeks, in milliseconds, some of them negative where they are taken for signed numbers."""


def _let_time_pass(testbed: Testbed, beside: Client) -> None:
    """Wait for a time-out on a set of its own, so that calls that wait for something else come to their wait."""
    bystander = testbed.beside(beside)
    bystander.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR, by="CRE-01")
    bystander.get_configuration(testbed.scaled(SOON)).expect(VD_E_TIMEOUT, by="CFG-02")
    bystander.close().expect(NOERROR, by="CLS-05")


def _waiting_primary(testbed: Testbed) -> Client:
    primary = testbed.client("primary")
    primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR, by="CRE-01")
    return primary


@vdi_requirement("CFG-01", "CFG-02")
def test_no_step_of_a_server_but_the_last_ends_the_wait(testbed: Testbed) -> None:
    """GetConfiguration waits until the server ends its configuration; meanwhile a time-out of 0 gives VD_E_TIMEOUT."""
    scripted = testbed.scripted_created()
    waiting = scripted.primary.send_get_configuration(thread="waiter")
    _let_time_pass(testbed, scripted.primary)
    scripted.begin_configuration()
    late = scripted.primary.send_get_configuration(thread="late waiter")
    scripted.request_buffers(1)
    _let_time_pass(testbed, scripted.primary)
    with judging("CFG-01"):
        assert not waiting.done, "GetConfiguration returned before the server had ended its configuration"
        assert not late.done, "a GetConfiguration that came while the server was configuring returned at once"
    scripted.primary.get_configuration(0).expect(VD_E_TIMEOUT, by="CFG-02")
    scripted.end_configuration()
    with judging("CFG-01"):
        for later in (waiting, late):
            later.result().expect(NOERROR)


@pytest.mark.vdi_timing
@pytest.mark.parametrize("state", ["opened", "configuring"])
@vdi_requirement("CFG-02")
def test_a_wait_ends_by_its_time_while_the_server_configures(testbed: Testbed, state: str) -> None:
    """GetConfiguration answers VD_E_TIMEOUT when its interval has passed, and the server is still configuring."""
    scripted = testbed.scripted_created()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR, by="CRE-01")
    limit = testbed.scaled(4 * SOON)
    began = time.monotonic()
    scripted.primary.get_configuration(limit).expect(VD_E_TIMEOUT)
    if (passed := (time.monotonic() - began) * 1000) < limit - TICK:
        raise ConformanceFailure(f"GetConfiguration({limit}) said after {passed:.0f} ms that its time was over")


@pytest.mark.vdi_timing
@vdi_requirement("CFG-02")
def test_each_wait_has_a_time_of_its_own(testbed: Testbed) -> None:
    """A GetConfiguration that answers VD_E_TIMEOUT does not end the waits of other threads on the same set."""
    primary = _waiting_primary(testbed)
    waiting = primary.send_get_configuration(thread="waiter")
    for thread in ("one", "other"):
        primary.send_get_configuration(testbed.scaled(SOON), thread=thread).result().expect(VD_E_TIMEOUT)
    _let_time_pass(testbed, primary)
    assert not waiting.done, "the end of another call's time ended GetConfiguration"
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


@vdi_requirement("CFG-03")
def test_time_outs_of_weeks_are_not_over_at_once(testbed: Testbed) -> None:
    """GetConfiguration with a time-out of weeks, or INFINITE, still waits when a short one on another set is over."""
    primary = _waiting_primary(testbed)
    waiting = [primary.send_get_configuration(timeout, thread=f"waits {timeout:#x}") for timeout in LONG]
    _let_time_pass(testbed, primary)
    for timeout, later in zip(LONG, waiting, strict=True):
        assert not later.done, f"GetConfiguration({timeout:#x}) came to its end"
    primary.signal_abort().expect(NOERROR)
    for later in waiting:
        later.result().expect(VD_E_ABORT)


@vdi_requirement("CFG-05")
def test_a_configuration_between_two_calls_is_not_missed(testbed: Testbed) -> None:
    """After time-outs GetConfiguration answers NOERROR where the server ended its configuration between two calls."""
    scripted = testbed.scripted_created()
    for timeout in (0, testbed.scaled(SOON)) * 5:
        scripted.primary.get_configuration(timeout).expect(VD_E_TIMEOUT)
    scripted.begin_configuration()
    scripted.primary.get_configuration(0).expect(VD_E_TIMEOUT)
    scripted.end_configuration()
    # While the server ended its configuration nobody waited for that.
    scripted.primary.get_configuration(0).expect(NOERROR)
    scripted.open_devices()
    assert scripted.passes(0, 1), "the set was aborted"


@vdi_requirement("CFG-06", "ABT-04")
def test_an_abort_ends_the_wait_of_every_thread(testbed: Testbed) -> None:
    """SignalAbort wakes each of three threads that wait in GetConfiguration, which answers VD_E_ABORT."""
    primary = _waiting_primary(testbed)
    limit = testbed.scaled(A_WHILE)
    waiting = [primary.send_get_configuration(limit, thread=f"waiter {number}") for number in range(3)]
    _let_time_pass(testbed, primary)
    with judging("ABT-04"):
        primary.signal_abort().expect(NOERROR)
        ended = [later.result() for later in waiting]
    for answer in ended:
        # A call that nobody woke ends with its time-out.
        answer.expect(VD_E_ABORT, by="ABT-04" if answer.code == VD_E_TIMEOUT else "CFG-06")


@pytest.mark.parametrize("state", ["opened", "configuring"])
@vdi_requirement("CFG-07")
def test_the_death_of_a_server_shows_in_the_next_call(testbed: Testbed, state: str) -> None:
    """When the server dies during configuration, the waiting GetConfiguration and the next answer VD_E_ABORT."""
    scripted = testbed.scripted_created()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR)
    waiting = scripted.primary.send_get_configuration(testbed.scaled(A_WHILE), thread="waiter")
    scripted.primary.get_configuration(0).expect(VD_E_TIMEOUT)
    scripted.kill()
    waiting.result().expect(VD_E_ABORT)
    scripted.primary.get_configuration(0).expect(VD_E_ABORT)
