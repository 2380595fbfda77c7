"""GetConfiguration: what ends a wait and what does not, where others wait and the server is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from vdi_conformance.suite.judging import judges
from vdi_conformance.suite.meeting import A_WHILE
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.suite.participant import Participant
    from vdi_conformance.suite.stage import Stage

SOON: Final = 25
"""A time-out that nobody waits long for, in milliseconds before scaling."""
LONG: Final = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, INFINITE)
"""Time-outs of weeks, in milliseconds, some of them negative where they are taken for signed numbers."""


def _let_time_pass(stage: Stage, beside: Participant) -> None:
    """Wait for a time-out on a set of its own, so that calls that wait for something else come to their wait."""
    bystander = stage.beside(beside)
    bystander.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
    bystander.get_configuration(stage.scaled(SOON)).require(VD_E_TIMEOUT)
    bystander.close().expect(NOERROR)


def _waiting_primary(stage: Stage) -> Participant:
    primary = stage.participant("primary")
    primary.create_ex(None, stage.name(), VDConfig()).expect(NOERROR)
    return primary


@judges("CFG-01", "CFG-02")
def test_no_step_of_a_server_but_the_last_ends_the_wait(stage: Stage) -> None:
    scripted = stage.scripted_created()
    waiting = scripted.primary.send_get_configuration(thread="waiter")
    _let_time_pass(stage, scripted.primary)
    scripted.begin_configuration()
    scripted.request_buffers(1)
    _let_time_pass(stage, scripted.primary)
    assert not waiting.done, "GetConfiguration returned before the server had ended its configuration"
    scripted.primary.get_configuration(0).require(VD_E_TIMEOUT)
    scripted.end_configuration()
    waiting.result().expect(NOERROR)


@pytest.mark.time_limits
@judges("CFG-02")
def test_each_wait_has_a_time_of_its_own(stage: Stage) -> None:
    primary = _waiting_primary(stage)
    waiting = primary.send_get_configuration(thread="waiter")
    for thread in ("one", "other"):
        primary.send_get_configuration(stage.scaled(SOON), thread=thread).result().require(VD_E_TIMEOUT)
    _let_time_pass(stage, primary)
    assert not waiting.done, "the end of another call's time ended GetConfiguration"
    primary.signal_abort().expect(NOERROR)
    waiting.result().require(VD_E_ABORT)


@judges("CFG-03")
def test_time_outs_of_weeks_are_not_over_at_once(stage: Stage) -> None:
    primary = _waiting_primary(stage)
    waiting = [primary.send_get_configuration(timeout, thread=f"waits {timeout:#x}") for timeout in LONG]
    _let_time_pass(stage, primary)
    for timeout, later in zip(LONG, waiting, strict=True):
        assert not later.done, f"GetConfiguration({timeout:#x}) came to its end"
    primary.signal_abort().expect(NOERROR)
    for later in waiting:
        later.result().require(VD_E_ABORT)


@judges("CFG-05")
def test_a_configuration_between_two_calls_is_not_missed(stage: Stage) -> None:
    scripted = stage.scripted_created()
    for timeout in (0, stage.scaled(SOON)) * 5:
        scripted.primary.get_configuration(timeout).require(VD_E_TIMEOUT)
    scripted.begin_configuration()
    scripted.primary.get_configuration(0).require(VD_E_TIMEOUT)
    scripted.end_configuration()
    # While the server ended its configuration nobody waited for that.
    scripted.primary.get_configuration(0).expect(NOERROR)
    scripted.open_devices()
    assert scripted.passes(0, 1), "the set was aborted"


@judges("CFG-06", "ABT-04")
def test_an_abort_ends_the_wait_of_every_thread(stage: Stage) -> None:
    primary = _waiting_primary(stage)
    limit = stage.scaled(A_WHILE)
    waiting = [primary.send_get_configuration(limit, thread=f"waiter {number}") for number in range(3)]
    _let_time_pass(stage, primary)
    primary.signal_abort().expect(NOERROR)
    for later in waiting:
        later.result().require(VD_E_ABORT)


@pytest.mark.parametrize("state", ["opened", "configuring"])
@judges("CFG-07")
def test_the_death_of_a_server_shows_in_the_next_call(stage: Stage, state: str) -> None:
    scripted = stage.scripted_created()
    if state == "configuring":
        scripted.begin_configuration()
    else:
        scripted.server.open(None, scripted.set_name).expect(NOERROR)
    waiting = scripted.primary.send_get_configuration(stage.scaled(A_WHILE), thread="waiter")
    scripted.primary.get_configuration(0).require(VD_E_TIMEOUT)
    scripted.kill()
    waiting.result().require(VD_E_ABORT)
    scripted.primary.get_configuration(0).require(VD_E_ABORT)
