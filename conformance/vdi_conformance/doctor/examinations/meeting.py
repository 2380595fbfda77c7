"""Client and server: what a run asks before it begins, and numbers on the way from one to the other."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.subject import NotApplicable, NotTried
from vdi_conformance.harness.judging import ConformanceFailure, NotTested
from vdi_conformance.harness.judging import NotApplicable as CheckNotApplicable
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.worker_session import WorkerSession
from vdi_conformance.host.errors import HostError
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Supervisor
from vdi_conformance.pytest_plugin.parties import NOBODY, UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe
from vdi_conformance.untrusted.printable import shown
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.doctor.subject import Examiner
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
            probe(parties_of(*found, settings), supervisor, with_statements=found[1] != NOBODY)
    except (UnknownParties, Trouble) as trouble:
        raise examiner.stop("cannot-meet", shown(str(trouble), _SENTENCE)) from None
    examiner.facts.append(f"the server is {shown(found[1].reference)}; nothing would make every check fail")


def positions(examiner: Examiner) -> None:
    """A position of 64 bits goes from the server to GetCommand, and back by CompleteCommand."""
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
            came = _there_and_back(parties, supervisor)
        except (ConformanceFailure, NotTested, CheckNotApplicable, HostError) as error:
            raise NotTried(
                f"a set whose server is told every step came to no end: {shown(str(error), _SENTENCE)}"
            ) from None
    if came:
        examiner.found("position-is-changed", came)


def _there_and_back(parties: Parties, supervisor: Supervisor) -> str:
    """Say what came of the position; nothing where it arrived whole."""
    with ExitStack() as stack:
        testbed = Testbed(WorkerSession(parties, supervisor=supervisor), "doctor")
        stack.callback(lambda: testbed.processes.end(orderly=False))
        testbed.session.begin(_SECONDS)
        scripted = testbed.scripted(Scenario(features=vdc.VDF_LIKE_DISK))
        scripted.send(code=vdc.VDC_SET_POSITION, size=vdc.WHENCE_BEGINNING, position=_POSITION)
        command = scripted.device.next_command()
        if command.position != _POSITION:
            return f"GetCommand gave the position {command.position:#x}, where {_POSITION:#x} was sent"
        scripted.device.complete(command, ERROR_SUCCESS, 0, _POSITION).expect(NOERROR)
        completion = scripted.completion()
        if completion is not None and int(completion.position, 16) != _POSITION:
            return f"the server saw the position {completion.position}, where CompleteCommand was given {_POSITION:#x}"
    return ""
