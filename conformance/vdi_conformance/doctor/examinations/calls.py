"""Calls of the implementation: what a host makes of them and of their out values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from vdi_conformance.contract import OUT_UNTOUCHED
from vdi_conformance.doctor.conversation import Death, Silence
from vdi_conformance.doctor.subject import told
from vdi_conformance.host import codes
from vdi_conformance.host.messages.client import (
    Close,
    GetBufferHandle,
    GetConfiguration,
    MapBufferHandle,
    NewSet,
    ReleaseSet,
)
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.doctor.subject import Examiner

_LABEL: Final = "doctor"
_SET: Final = "calls"


def out_values(examiner: Examiner) -> None:
    """Calls on a set that was never opened report their code, and the out values as they are found."""
    examiner.call(NewSet(set=_SET))
    handle = examiner.call(GetBufferHandle(set=_SET, address="0x1000", thread=_LABEL))
    mapped = examiner.call(MapBufferHandle(set=_SET, handle=1, thread=_LABEL))
    read = examiner.call(GetConfiguration(set=_SET, timeout=0, thread=_LABEL))
    address = None if mapped.address is None else int(mapped.address, 16)
    members = [] if read.config is None else list(msgspec.to_builtins(read.config).values())
    seen = (
        ("GetBufferHandle", handle.code, handle.handle),
        ("MapBufferHandle", mapped.code, address),
        ("GetConfiguration", read.code, None if read.config is None else max(members)),
    )
    failed = [(name, value) for name, code, value in seen if code != NOERROR]
    if missing := [name for name, value in failed if value is None]:
        came = f"{' and '.join(missing)} failed, and the answer has no out value, which stands for a null pointer"
        examiner.found("out-value-missing", came)
    zeroed = [name for name, value in failed if value == 0]
    if zeroed and len(zeroed) == len(failed):
        came = f"{', '.join(zeroed)} failed, and there is 0 in each out variable"
        examiner.found("out-value-zeroed", came)
    untouched = sum(value in (OUT_UNTOUCHED, OUT_UNTOUCHED & 0xFFFFFFFF) for _, value in failed)
    if untouched:
        examiner.facts.append(f"{untouched} of {len(failed)} failed calls left their out variable alone")


def objects(examiner: Examiner) -> None:
    """A set can be closed and released, and its id is known afterwards."""
    examiner.call(NewSet(set="released"))
    examiner.call(Close(set="released", thread=_LABEL))
    examiner.call(ReleaseSet(set="released"))
    request = Close(set="released", thread=_LABEL)
    try:
        answer = examiner.refusal(request)
    except (Death, Silence):
        # A library may do anything with what was released; checks that try it judge that.
        examiner.facts.append("the library does not survive the use of what was released")
        examiner.subject.drop()
        return
    if answer.error_code == codes.INVALID_PARAMS:
        examiner.found("released-is-forgotten", f"set.close after set.release was answered with {told(answer)}")
