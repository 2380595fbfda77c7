"""Client and server: what a run asks before it begins, and commands on the way from one to the other."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.subject import NotApplicable, NotTried
from vdi_conformance.harness.judging import ConformanceFailure, NotTested
from vdi_conformance.harness.judging import NotApplicable as CheckNotApplicable
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.host.errors import HostDied, HostError, HostHung, InvalidParams
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.parties import NOBODY, UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, name_of

if TYPE_CHECKING:
    from vdi_conformance.doctor.subject import Examiner
    from vdi_conformance.harness.device import Device
    from vdi_conformance.harness.worker_session import Parties

_POSITION: Final = 0x7123456789ABCDEF
"""No floating-point number has all of its bits."""
_SECONDS: Final = 30.0
_SENTENCE: Final = 2000
_PATIENT: Final = 10.0
"""The factor on time limits where nothing is about time: a busy machine must not look like a fault."""


def meet(examiner: Examiner) -> None:
    """Client and server meet: one BACKUP and one RESTORE are tried, as before each run."""
    subject, settings = examiner.subject, RunSettings()
    try:
        with Supervisor() as supervisor:
            found = ask_parties(supervisor, subject.spec.reference, subject.server_reference, settings)
            trouble = probe(parties_of(*found, settings), supervisor, with_statements=found[1] != NOBODY)
    except (UnknownParties, Trouble) as found_trouble:
        raise examiner.stop("cannot-meet", shown(str(found_trouble), _SENTENCE)) from None
    examiner.facts.append(f"the server is {shown(found[1].reference)}")
    if trouble:
        examiner.found("plain-run-fails", shown(trouble, _SENTENCE))


def commands(examiner: Examiner) -> None:
    """A command comes with its position of 64 bits, is completed by its address, and its device is known afterwards."""
    subject, settings = examiner.subject, RunSettings(time_scale=_PATIENT)
    with Supervisor() as supervisor:
        try:
            found = ask_parties(supervisor, subject.spec.reference, subject.server_reference, settings)
        except UnknownParties as trouble:
            raise NotTried(shown(str(trouble), _SENTENCE)) from None
        parties = parties_of(*found, settings)
        if found[1].capabilities.get("server") != "scripted":
            raise NotApplicable("only a server that is told every step sends a chosen position")
        try:
            _there_and_back(examiner, parties, supervisor)
        except (ConformanceFailure, NotTested, CheckNotApplicable, HostError) as error:
            raise NotTried(
                f"a set whose server is told every step came to no end: {shown(str(error), _SENTENCE)}"
            ) from None


def _there_and_back(examiner: Examiner, parties: Parties, supervisor: Supervisor) -> None:
    with ExitStack() as stack:
        testbed = Testbed(WorkerSession(parties, supervisor=supervisor), "doctor")
        stack.callback(lambda: testbed.processes.end(orderly=False))
        testbed.session.begin(_SECONDS)
        scripted = testbed.scripted(Scenario(features=vdc.VDF_LIKE_DISK))
        scripted.send(code=vdc.VDC_SET_POSITION, size=vdc.WHENCE_BEGINNING, position=_POSITION)
        command = scripted.device.next_command()
        if command.position != _POSITION:
            came = f"GetCommand gave the position {command.position:#x}, where {_POSITION:#x} was sent"
            examiner.found("position-is-changed", came)
        code = scripted.device.complete(command, ERROR_SUCCESS, 0, _POSITION).code
        if code != NOERROR:
            came = f"CompleteCommand gave {name_of(code)} for {command.address:#x}, the address that GetCommand gave"
            raise examiner.stop("completion-refused", came)
        completion = scripted.completion()
        if completion is not None and int(completion.position, 16) != _POSITION:
            came = f"the server saw the position {completion.position}, where CompleteCommand was given {_POSITION:#x}"
            examiner.found("position-is-changed", came)
        _use_released(examiner, scripted.device)


def _use_released(examiner: Examiner, device: Device) -> None:
    """Use a device that was released; a library may do anything with it, and checks that try it judge that."""
    device.release()
    try:
        device.get_command(timeout=0)
    except InvalidParams as error:
        examiner.found("released-is-forgotten", f"device.get_command after device.release: {shown(str(error), 600)}")
    except (HostDied, HostHung):
        examiner.facts.append("the library does not survive the use of a device that was released")
