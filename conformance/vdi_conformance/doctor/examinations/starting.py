"""Whether a host starts, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from vdi_conformance.contract import Capabilities
from vdi_conformance.doctor.conversation import last_words
from vdi_conformance.doctor.lines import quoted
from vdi_conformance.doctor.subject import NotApplicable, Stop, told
from vdi_conformance.host import codes
from vdi_conformance.host.loaded import own_process
from vdi_conformance.host.messages.base import Initialized
from vdi_conformance.host.messages.duties import lacking, lacking_as_server
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.untrusted.printable import shown, shown_end
from vdi_conformance.versions import read_version

if TYPE_CHECKING:
    from vdi_conformance.doctor.conversation import Spoken
    from vdi_conformance.doctor.lines import Answer
    from vdi_conformance.doctor.subject import Examiner
    from vdi_conformance.host.process_end import Ended

_CANNOT_EXECUTE: Final = 127
_SAID: Final = 1500
_AFTER_THE_END: Final = 3.0
"""So many seconds a host has to write what lies in a buffer, when its input has ended."""


def start(examiner: Examiner) -> None:
    """The program starts, and answers its first request."""
    subject = examiner.subject
    spoken, number = subject.started()
    spoken.wait_for_output(subject.processes.patience)
    if not spoken.has_spoken:
        raise _why_nothing_came(examiner, spoken)
    subject.first = spoken.answer(number)
    subject.keep(spoken)


def _why_nothing_came(examiner: Examiner, spoken: Spoken) -> Stop:
    if spoken.ended is not None:
        return _ended_at_once(examiner, spoken, spoken.ended)
    if rest := spoken.reader.rest():
        spoken.stop()
        return examiner.stop("line-without-end", f"no line feed came after {quoted(rest)}")
    patience = examiner.subject.processes.patience
    spoken.end_input()
    spoken.wait_for_output(_AFTER_THE_END)
    has_flushed = spoken.has_spoken
    spoken.stop()
    if has_flushed:
        return examiner.stop(
            "not-flushed", f"nothing came within {patience:g} s, and an answer when the input had ended"
        )
    said = last_words(spoken.ended)
    return examiner.stop("silent", f"nothing came to standard output within {patience:g} s{said}")


def _ended_at_once(examiner: Examiner, spoken: Spoken, ended: Ended) -> Stop:
    if spoken.pid is None and ended.exit_code == _CANNOT_EXECUTE:
        return examiner.stop("not-startable", shown_end(ended.stderr.strip(), _SAID))
    mistake = "fails-at-once" if ended.exit_code != 0 or ended.stderr.strip() else "ends-at-once"
    return examiner.stop(mistake, f"it {ended} before it answered{last_words(ended)}")


def initialize(examiner: Examiner) -> None:
    """It answers `initialize` with its version, its identity, its capabilities and its process."""
    answer = examiner.subject.first
    assert answer is not None, "it is examined after it has answered"
    if answer.error is not None:
        raise _refused(examiner, answer)
    if isinstance(answer.result, dict):
        _check_version(examiner, answer.result.get("protocol"))
    try:
        found = msgspec.convert(answer.result, Initialized)
    except msgspec.ValidationError as error:
        raise examiner.stop("wrong-answer", f"{shown(repr(answer.result), 300)} ({plainly(error)})") from None
    examiner.subject.initialized = found
    capabilities = _capabilities(examiner, found)
    missing = lacking(found.methods, requests()) + lacking_as_server(found.methods, requests(), capabilities.server)
    if missing:
        examiner.found("lacks-methods", f"`methods` names neither {', '.join(dict.fromkeys(missing))}")
    examiner.facts.append(f"{shown(found.identity.name)} {shown(found.identity.version)}, protocol {found.protocol}")
    _check_process(examiner, found)


def _refused(examiner: Examiner, answer: Answer) -> Stop:
    kinds = {
        codes.ADAPTER_NOT_LOADED: "cannot-be-loaded",
        codes.IMPLEMENTATION_UNAVAILABLE: "not-there",
        codes.PROTOCOL_NOT_SPOKEN: "other-protocol",
        codes.INVALID_PARAMS: "other-protocol",
    }
    return examiner.stop(kinds.get(answer.error_code, "initialize-refused"), told(answer))


def _check_version(examiner: Examiner, claimed: Any) -> None:
    spoken = read_version(claimed)
    if not isinstance(claimed, str) or spoken is None or not codes.PROTOCOL_VERSION.goes_with(spoken):
        suite = f"where the suite speaks {codes.PROTOCOL_VERSION}"
        raise examiner.stop("other-protocol", f"the version {shown(repr(claimed), 60)}, {suite}")


def _capabilities(examiner: Examiner, found: Initialized) -> Capabilities:
    try:
        return Capabilities.from_mapping(found.declared)
    except ValueError as error:
        raise examiner.stop("wrong-answer", shown(str(error), 300)) from None


def _check_process(examiner: Examiner, found: Initialized) -> None:
    started, told_pid = examiner.host.pid, found.process.pid
    if started is None or started == told_pid:
        return
    if own_process(started, told_pid) != told_pid:
        examiner.found("wrong-pid", f"process {told_pid} is none that was started here, which is {started}")
    else:
        examiner.facts.append(f"the host is process {told_pid}, which process {started} has started")


def broker(examiner: Examiner) -> None:
    """What must run in the background, beside the processes of all checks, starts."""
    if not (count := examiner.subject.start_brokers()):
        raise NotApplicable("neither client nor server declares a broker")
    examiner.facts.append(f"{count} in the background")
