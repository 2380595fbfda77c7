"""A call that waits without end, as no server comes for its set."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from vdi_conformance.doctor.subject import NotTried
from vdi_conformance.host.messages.base import Config
from vdi_conformance.host.messages.client import Create, GetConfiguration, NewSet
from vdi_conformance.vdi.hresult import NOERROR, name_of
from vdi_conformance.vdi.structures import INFINITE, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.doctor.conversation import Spoken
    from vdi_conformance.doctor.subject import Examiner

LABEL: Final = "waiting"
"""The label of calls on sets that are created here."""
_SECONDS_TO_BEGIN: Final = 0.05


class Waiting(NamedTuple):
    """The process that waits, the id of the request, and that of its set."""

    host: Spoken
    number: int
    set: str


def create(examiner: Examiner) -> tuple[str, int]:
    """Make a client object and let it create a set; give its id and the code."""
    key = f"waiting-{secrets.token_hex(4)}"
    examiner.call(NewSet(set=key))
    config = msgspec.convert(VDConfig()._asdict(), Config)
    return key, examiner.call(Create(set=key, name=f"vdi-{key}", config=config, thread=LABEL)).code


def begin_waiting(examiner: Examiner) -> Waiting:
    """Let the host make a call that waits without end; NotTried where the library makes no set, or does not wait."""
    subject = examiner.subject
    key, code = create(examiner)
    if code != NOERROR:
        raise NotTried(f"a call that waits needs a set, and Create gave {name_of(code)}")
    host = examiner.host
    number = examiner.send(GetConfiguration(set=key, timeout=INFINITE, thread=LABEL), host)
    subject.processes.pump(_SECONDS_TO_BEGIN)
    if host.has_answered(number):
        code = examiner.reply(GetConfiguration(set=key, timeout=INFINITE), host.answer(number)).code
        raise NotTried(f"a call that waits was needed, and GetConfiguration gave {name_of(code)} at once")
    return Waiting(host, number, key)
