"""A history as a picture in text: a line for each call, a bar from its begin to its end; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.hresult import NOERROR, name_of
from vdi_conformance.walks.told import CALLED

if TYPE_CHECKING:
    from vdi_conformance.histories.history import HistoryCall
    from vdi_conformance.histories.violation import Violation

WIDTH: Final = 24
"""So many characters are as long as all that is shown."""
MOST: Final = 12
"""So many calls are shown that have no part in it."""
_SERVER: Final = {"send": "SendCommand", "server_abort": "SignalAbort"}


def drawn(violation: Violation) -> str:
    """Draw the calls that fit no order with `=`, the one to blame with `#`, and what went on meanwhile with `-`."""
    shown = sorted([*violation.calls, *violation.meanwhile[:MOST]], key=lambda call: (call.begin, call.number))
    first = min(call.begin for call in shown)
    scale = (WIDTH - 1) / max(max(call.end for call in shown) - first, 1e-9)
    lanes = dict.fromkeys((call.by, call.thread) for call in shown)
    lines = []
    for lane in lanes:
        for call in (one for one in shown if (one.by, one.thread) == lane):
            left, right = int((call.begin - first) * scale), int((call.end - first) * scale)
            ink = "#" if call is violation.blamed else "=" if call in violation.calls else "-"
            bar = " " * left + ink * (right - left + 1)
            lines.append(f"|{bar:{WIDTH}}| {_who(call)}: {told(call)}")
    return "\n".join(lines)


def told(call: HistoryCall) -> str:
    """Say what was called, on what, and what it gave."""
    words = [CALLED.get(call.act) or _SERVER[call.act], *_about(call), "=", name_of(call.code)]
    if call.gave is not None and call.code == NOERROR:
        words.append(f"({_whose(call.gave)})")
    return " ".join(words)


def _about(call: HistoryCall) -> list[str]:
    words = []
    if call.act in ("open_device", "get_command", "complete_command", "send"):
        words.append(f"on device {call.what}" if call.act != "open_device" else f"of device {call.what}")
    if call.tag is not None:
        words.append(f"of command {call.tag}")
    if call.name:
        words.append(f"of set {call.name}")
    return words


def _whose(tag: int) -> str:
    return f"command {tag}" if tag > 0 else "no command"


def _who(call: HistoryCall) -> str:
    return f"client {call.by}, {call.thread}" if call.by else "server"
