"""The examinations in the order in which a newcomer meets things, and what follows from one for the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from vdi_conformance.adapters import resolve
from vdi_conformance.docstrings import first_paragraph
from vdi_conformance.doctor.conversation import Death, Processes, Silence
from vdi_conformance.doctor.examinations import (
    calls,
    creation,
    ending,
    framing,
    labels,
    meeting,
    memory,
    pace,
    starting,
)
from vdi_conformance.doctor.findings import FORMAT, Examination, Outcome, Report, exit_code
from vdi_conformance.doctor.subject import Examiner, NotApplicable, NotTried, Stop, Subject
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.spec import AdapterSpec

EXAMINATIONS: Final[dict[str, Callable[[Examiner], None]]] = {
    "start": starting.start,
    "initialize": starting.initialize,
    "broker": starting.broker,
    "lines": framing.lines,
    "refusals": framing.refusals,
    "numbers": memory.numbers,
    "out values": calls.out_values,
    "objects": calls.objects,
    "memory": memory.contents,
    "files": memory.files,
    "addresses": memory.places,
    "faults": memory.faults,
    "long lines": framing.long_lines,
    "order": labels.order,
    "threads": labels.threads,
    "creation": creation.creation,
    "waiting": labels.waits,
    "many calls": pace.many,
    "end": ending.at_rest,
    "end while waiting": ending.while_waiting,
    "death": ending.killed,
    "meeting": meeting.meet,
    "commands": meeting.commands,
}
"""All examinations by their names, in their order."""
NONE: Final = "none"
"""The reference that stands for no server."""
_MOST_SILENCES: Final = 3
"""After so many examinations that ended in silence no more are made."""
_OF_MEMORY: Final = frozenset(
    {"memory", "files", "addresses", "faults", "long lines", "order", "threads", "many calls"}
)
_NO_MEMORY: Final = frozenset({"address-is-cut", "memory-not-kept"})
"""What keeps memory from being looked at."""
_OF_SETS: Final = frozenset({"waiting", "end while waiting", "meeting", "commands"})
_OF_A_RUN: Final = frozenset({"meeting", "commands"})
_MAY_BE_THE_LIBRARY: Final = frozenset({"plain-run-fails"})
"""What does not end a run, since its checks tell which call is wrong."""
_CAUSES: Final = {
    "stays-at-the-end": frozenset({"reader-blocks"}),
    "no-answer": frozenset({"reader-blocks"}),
    "plain-run-fails": frozenset({"completion-refused", "position-is-changed"}),
    "fault-unnoticed": frozenset({"reservation-usable"}),
    "short-file-accepted": frozenset({"bad-parameters-accepted"}),
}
"""What is not told where what it follows from is told."""
_NO_HOST: Final = frozenset({"not-startable", "ends-at-once", "fails-at-once", "cannot-be-loaded", "not-there"})
"""What keeps a host from being there at all."""


def examine(
    reference: str, server: str | None, patience: float, tell: Callable[[str], None] = lambda _: None
) -> Report:
    """Examine the host of an adapter; an UnknownAdapter where a reference leads nowhere.

    `server` is the reference of the server, where one was named; `patience` is the limit of each answer, in seconds.
    `tell` is told the name of each examination when it begins.
    """
    spec = resolve(reference)
    server_spec = None if server in (None, NONE) else resolve(str(server))
    with Processes(patience) as processes:
        subject = Subject(spec, processes, server)
        return _Doctor(subject, server_spec, tell).report()


class _Doctor:
    """Goes through the examinations of one adapter."""

    def __init__(self, subject: Subject, server: AdapterSpec | None, tell: Callable[[str], None]) -> None:
        self._subject = subject
        self._server = server
        self._tell = tell
        self._done: list[Examination] = []
        self._known: set[str] = set()
        self._silences = 0

    def report(self) -> Report:
        """Make all examinations, and give the report."""
        for name, function in EXAMINATIONS.items():
            self._make(name, function)
            if name == "initialize" and self._subject.initialized is not None:
                self._choose_server()
        identity = self._subject.initialized.identity if self._subject.initialized else None
        server = self._subject.server[0].reference if self._subject.server else NONE
        done = [without_consequences(one, self._known) for one in self._done]
        return Report(
            format=FORMAT,
            adapter=shown(self._subject.spec.reference),
            server=shown(server),
            name=shown(identity.name) if identity else "",
            version=shown(identity.version) if identity else "",
            examinations=done,
            said=self._subject.processes.said() if self._known else "",
            times=self._subject.times,
            exit_code=exit_code(done, has_started=not _NO_HOST & self._known),
        )

    def _make(self, name: str, function: Callable[[Examiner], None]) -> None:
        self._tell(name)
        examiner = Examiner(self._subject, first_paragraph(function))
        outcome: Outcome = "not tried"
        if not (reason := self._obstacle(name)):
            outcome, reason = self._tried(examiner, function)
        for mistake, seen in self._subject.processes.oddities().items():
            examiner.found(mistake, seen)
        findings = [one for one in examiner.findings if one.mistake not in self._known]
        self._known |= {one.mistake for one in findings}
        if findings:
            outcome, reason = "found", ""
        self._done.append(
            Examination(
                name=name,
                about=examiner.about,
                outcome=outcome,
                findings=findings,
                reason=reason,
                facts=examiner.facts,
            )
        )

    def _obstacle(self, name: str) -> str:
        """Say why an examination cannot be made; nothing where it can."""
        subject = self._subject
        if name != "start" and (subject.first is None or (subject.initialized is None and name != "initialize")):
            return "the host did not come so far"
        if self._silences >= _MOST_SILENCES:
            return f"in {_MOST_SILENCES} examinations an answer did not come in time"
        if name in _OF_MEMORY and _NO_MEMORY & self._known:
            return "memory is not where the host says that it is"
        if name in _OF_SETS and "create-fails" in self._known:
            return "no set can be created"
        mistakes = any(
            one.level == "mistake" and one.mistake not in _MAY_BE_THE_LIBRARY
            for made in self._done
            for one in made.findings
        )
        return "a run would end at what was found before" if name in _OF_A_RUN and mistakes else ""

    def _tried(self, examiner: Examiner, function: Callable[[Examiner], None]) -> tuple[Outcome, str]:
        """Make one examination; give its outcome, and the reason where it came to no end."""
        try:
            function(examiner)
        except NotApplicable as found:
            return "not applicable", str(found)
        except NotTried as found:
            return "not tried", str(found)
        except Stop:
            pass
        except Silence as silence:
            self._silences += 1
            self._subject.drop()
            examiner.found("no-answer", str(silence))
        except Death as death:
            examiner.found("ends-in-a-call", str(death))
        else:
            return "fine", ""
        return "not tried", "it ended with what was found before"

    def _choose_server(self) -> None:
        """Find out who serves: a set may need a process in the background of theirs."""
        subject, spec = self._subject, self._server
        if subject.server_reference == NONE:
            return
        own = subject.capabilities
        if spec is None and own.server == "none":
            spec = resolve("emulator")
        if spec is None or spec == subject.spec:
            subject.server = subject.spec, own
            return
        try:
            subject.server = spec, subject.declared_by(spec)
        except (Death, Silence, NotTried, Stop):
            # The examination of their meeting says what is wrong with it.
            return


def without_consequences(one: Examination, known: set[str]) -> Examination:
    """Leave out what follows from another mistake that is told."""
    kept = [found for found in one.findings if not _CAUSES.get(found.mistake, frozenset()) & known]
    if len(kept) == len(one.findings):
        return one
    causes = set().union(*(_CAUSES[found.mistake] & known for found in one.findings if found not in kept))
    reason = "" if kept else f"what came follows from {' and '.join(sorted(causes))}: mend that first"
    outcome: Outcome = "found" if kept else "not tried"
    return replace(one, findings=kept, outcome=outcome, reason=reason)
