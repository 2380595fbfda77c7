"""Which requirement a call breaks that fits no order: by what it gave, what it might have given, and who called too.

`beside` says where the calls came from that overlapped it: threads of one object, objects of one process, or processes.
A call that failed breaks what says that it may be made so, one that was to be refused what says that it may not.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.histories.violation import Violation

Beside = Literal["threads", "objects", "processes"]
ANY: Final = "ST-48"
"""Whatever was done before, in whatever order, each call gives what the documents permit."""

_FAILED_BESIDE_THREADS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "create": "CRE-01",
        "join": "SEC-01",
        "get_configuration": "CFG-09",
        "open_device": "THR-01",
        "signal_abort": "ABT-09",
        "close": "CLS-05",
        "get_command": "CMD-01",
        "complete_command": "CMP-01",
        "get_buffer_handle": "GBH-17",
        "map_buffer_handle": "MBH-26",
    }
)
_FAILED_BESIDE_OTHERS: Final[Mapping[str, str]] = MappingProxyType(
    dict(_FAILED_BESIDE_THREADS)
    | {
        "open_device": "OPD-01",
        "signal_abort": "ABT-01",
        "get_buffer_handle": "GBH-01",
        "map_buffer_handle": "MBH-17",
    }
)
_SUCCEEDED: Final[Mapping[str, Mapping[Beside, str]]] = MappingProxyType(
    {
        "create": {"threads": "CRE-02", "objects": "NAM-08", "processes": "NAM-08"},
        "join": {"threads": "SEC-03", "objects": "SEC-02", "processes": "SEC-02"},
        "open_device": {"threads": "OPD-05", "objects": "OPD-17", "processes": "SEC-21"},
        "close": {"threads": "CLS-02", "objects": ANY, "processes": ANY},
        "complete_command": {"threads": "CMP-14", "objects": ANY, "processes": ANY},
    }
)
_OF_THE_SERVER: Final[Mapping[str, str]] = MappingProxyType({"server_abort": "ABT-17"})
_AFTER_AN_ABORT: Final[Mapping[str, str]] = MappingProxyType({"get_command": "CMD-09", "complete_command": "CMP-20"})


def charged(violation: Violation, beside: Beside) -> str:
    """Name the requirement that is broken."""
    call = violation.blamed
    if call is None:
        return ANY
    if not call.by:
        return _OF_THE_SERVER.get(call.act, ANY)
    if call.code == NOERROR:
        return _for_success(call, violation, beside)
    if call.code == VD_E_TIMEOUT and (ended := _end_of_a_wait(call, violation, beside)):
        return ended
    if call.act == "signal_abort" and (by := _for_a_refused_abort(call, violation)):
        return by
    if call.act == "get_command" and call.code == VD_E_TIMEOUT:
        return "CMD-24"
    if name_of(NOERROR) not in violation.instead and call.act in _SUCCEEDED:
        # It was to be refused, and with another code.
        return "ABT-03" if name_of(VD_E_ABORT) in violation.instead else _SUCCEEDED[call.act][beside]
    return (_FAILED_BESIDE_THREADS if beside == "threads" else _FAILED_BESIDE_OTHERS)[call.act]


def _for_a_refused_abort(call: HistoryCall, violation: Violation) -> str | None:
    """Name what says that it is not refused: that it may be repeated, that it may be made at any time; else None."""
    if call.code == VD_E_ABORT:
        return "ABT-11"
    alone = not any(one.overlaps(call) for one in (*violation.calls, *violation.meanwhile))
    return "ABT-01" if alone else None


def _end_of_a_wait(call: HistoryCall, violation: Violation, beside: Beside) -> str | None:
    """Name what says that a wait ends, by what was to end it; None where no end of the set was."""
    acts = {one.act for one in violation.calls}
    if "server_abort" in acts:
        return "CFG-07" if call.act == "get_configuration" else "ABT-17"
    if "close" in acts and "signal_abort" not in acts and beside == "threads":
        return "THR-05"
    return "ABT-04" if name_of(VD_E_ABORT) in violation.instead else None


def _for_success(call: HistoryCall, violation: Violation, beside: Beside) -> str:
    if violation.instead == (name_of(VD_E_ABORT),):
        return _AFTER_AN_ABORT.get(call.act, "ABT-03")
    if call.act == "get_command":
        return _for_another_command(call, violation)
    if name_of(NOERROR) in violation.instead:
        # It may succeed, with another buffer than the one that it gave.
        return (_FAILED_BESIDE_THREADS if beside == "threads" else _FAILED_BESIDE_OTHERS)[call.act]
    return _SUCCEEDED[call.act][beside] if call.act in _SUCCEEDED else ANY


def _for_another_command(call: HistoryCall, violation: Violation) -> str:
    if call.gave is None or call.gave not in violation.sent:
        return "CMD-01"
    return "CMD-11" if violation.sent[call.gave] == call.what else "CMD-12"
