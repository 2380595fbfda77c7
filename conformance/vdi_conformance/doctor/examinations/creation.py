"""A set of the implementation: whether one can be created, and what a null out pointer does there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.conversation import Death, Silence, last_words
from vdi_conformance.doctor.examinations.waiting import LABEL, create
from vdi_conformance.host.messages.client import GetConfiguration, OpenDevice
from vdi_conformance.pytest_plugin.obstacles import refused_creation
from vdi_conformance.vdi.hresult import NOERROR, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from vdi_conformance.doctor.subject import Examiner

_SHORT: Final = 1
"""Milliseconds: nobody configures the set, so that no longer wait is worth it."""


def creation(examiner: Examiner) -> None:
    """A set can be created, and a call on it that is to have no out variable gets none."""
    key, code = create(examiner)
    if code != NOERROR:
        raise examiner.stop("create-fails", _why(examiner, code), "Create with a name and the usual configuration")
    opened = examiner.call(OpenDevice(set=key, name="none", device="none", thread=LABEL))
    if opened.code != NOERROR and not opened.opened:
        examiner.facts.append("OpenDevice failed and `opened` is false: that must come from the variable, not the code")
    if examiner.subject.capabilities.null_out_pointers:
        _pass_null(examiner, key)


def _why(examiner: Examiner, code: int) -> str:
    dropped = examiner.subject.drop(is_asked_where=False)
    known = refused_creation(code, examiner.subject.spec.reference)
    said = "" if dropped is None else last_words(dropped.ended)
    return (known or f"Create gave {name_of(code)} (0x{code:08X})") + said


def _pass_null(examiner: Examiner, key: str) -> None:
    plain = examiner.call(GetConfiguration(set=key, timeout=_SHORT, thread=LABEL))
    tried = "GetConfiguration with null_out"
    try:
        nulled = examiner.call(GetConfiguration(set=key, timeout=_SHORT, null_out=True, thread=LABEL))
    except (Death, Silence):
        # A library may do anything with a null pointer that it must not be given; checks judge that.
        examiner.facts.append("the library does not survive a null out pointer")
        examiner.subject.drop()
        return
    if nulled.config is not None:
        examiner.found("null-out-has-value", "the answer has a configuration, which a null pointer cannot hold", tried)
    elif nulled.code == plain.code and plain.code in (NOERROR, VD_E_TIMEOUT):
        came = f"it gave {name_of(nulled.code)}, as it did with a variable"
        examiner.found("null-out-unnoticed", came, tried)
