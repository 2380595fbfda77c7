"""What has no time limit goes on for seconds, in which other checks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from vdi_conformance.harness.early_starts import EarlyStart, begun_early
from vdi_conformance.harness.judging import ConformanceFailure, judging, set_up, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi.commands import VDC_FLUSH
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import PendingAnswer, Result
    from vdi_conformance.harness.scripted_set import ScriptedSet
    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.host.messages.base import ConfigReply
    from vdi_conformance.host.messages.client import CommandReply

pytestmark = pytest.mark.vdi_timing


class _Lonely(NamedTuple):
    """A client that waits for a server which never comes."""

    primary: Client
    waiting: PendingAnswer[ConfigReply, Result[VDConfig]]


def _wait_for_a_server(testbed: Testbed) -> _Lonely:
    primary = testbed.client("primary")
    set_up(lambda: primary.create_ex(None, testbed.name(), VDConfig()).expect(NOERROR, by="CRE-01"))
    return _Lonely(primary, primary.send_get_configuration(INFINITE, thread="waiter"))


@begun_early(_wait_for_a_server)
@vdi_requirement("CFG-03")
def test_a_wait_for_the_configuration_lasts_for_seconds(early_start: EarlyStart[_Lonely]) -> None:
    """GetConfiguration with INFINITE still waits after seconds, and ends by SignalAbort."""
    primary, waiting = early_start.after_seconds(lambda begun: [begun.waiting])
    assert not waiting.done, "a GetConfiguration that should wait without limit came to its end"
    primary.signal_abort().expect(NOERROR)
    waiting.result().expect(VD_E_ABORT)


class _Patient(NamedTuple):
    """A set without a serverTimeOut: its second device holds a command, and the first one waits for one."""

    scripted: ScriptedSet
    held: Fetched
    waiting: PendingAnswer[CommandReply, Result[Fetched]]


def _hold_and_wait(testbed: Testbed) -> _Patient:
    scripted = testbed.scripted(Scenario(devices=2))
    scripted.send(code=VDC_FLUSH, device=1)
    held = scripted.devices[1].next_command()
    return _Patient(scripted, held, scripted.device.send_get_command(INFINITE))


@begun_early(_hold_and_wait)
@vdi_requirement("CMD-03", "TMO-01")
def test_a_wait_for_a_command_lasts_for_seconds(early_start: EarlyStart[_Patient]) -> None:
    """GetCommand with INFINITE still waits after seconds, and with serverTimeOut 0 the server has not given up."""
    scripted, held, waiting = early_start.after_seconds(lambda begun: [begun.waiting])
    if waiting.done:
        ended = waiting.result()
        by = "TMO-01" if ended.code == VD_E_ABORT else "CMD-03"
        raise ConformanceFailure(f"{ended.call} should wait without limit and gave {ended.name}", by=by)
    with judging("TMO-01"):
        held.device.complete(held).expect(NOERROR)
    with judging("CMD-03"):
        scripted.send(code=VDC_FLUSH)
        scripted.device.complete(waiting.result().expect(NOERROR)).expect(NOERROR)
