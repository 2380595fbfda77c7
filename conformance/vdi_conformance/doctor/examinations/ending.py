"""The end of a host: when its input ends, and when it is killed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from vdi_conformance.doctor.conversation import last_words
from vdi_conformance.doctor.examinations.waiting import begin_waiting
from vdi_conformance.doctor.subject import NotApplicable, NotTried
from vdi_conformance.host.loaded import own_process
from vdi_conformance.host.process_end import KILL

if TYPE_CHECKING:
    from vdi_conformance.doctor.conversation import Spoken
    from vdi_conformance.doctor.subject import Examiner


def at_rest(examiner: Examiner) -> None:
    """It ends with exit code 0 when its standard input ends."""
    _end(examiner, examiner.host)


def while_waiting(examiner: Examiner) -> None:
    """It ends with exit code 0 when its standard input ends while a call waits."""
    _end(examiner, begin_waiting(examiner).host)


def _end(examiner: Examiner, host: Spoken) -> None:
    host.end_input()
    ended = host.wait_for_end()
    examiner.subject.drop()
    if ended is None:
        patience = examiner.subject.processes.patience
        examiner.found("stays-at-the-end", f"it was still there {patience:g} s after its standard input had ended")
    elif ended.exit_code != 0:
        examiner.found("ends-badly", f"it {ended}{last_words(ended)}")


def killed(examiner: Examiner) -> None:
    """When it is killed, as a crash would kill it, that is seen as what it is."""
    if os.name == "nt":
        raise NotApplicable("processes have no signals on Windows: a crash is an exit code there")
    host, number = examiner.subject.started()
    answer = host.answer(number)
    if host.pid is None:
        raise NotTried("which process was started is not known")
    process = answer.result.get("process") if isinstance(answer.result, dict) else None
    told = process.get("pid") if isinstance(process, dict) else None
    pid = own_process(host.pid, told) if type(told) is int else host.pid
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, KILL)
    ended = host.wait_for_end()
    if ended is None:
        host.stop()
        examiner.found("is-wrapped", f"process {pid} was killed, and process {host.pid}, which was started, stays")
    elif ended.signal != KILL:
        examiner.found(
            "is-wrapped", f"it was killed by SIGKILL, and was seen to have {str(ended).replace('exited', 'ended')}"
        )
    else:
        examiner.facts.append(f"the suite sees that it {ended}, and takes a crash for what it is")
