"""Whose doing it is that a statement failed, by what the server said: its own, or perhaps its client's; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vdi_conformance.host.messages.server import StatementEnd, StatementMessage

LAST_WORDS: Final = frozenset({3013, 3041})
"""What is said of every statement that fails, and says nothing of the reason."""
OF_THE_SET: Final = frozenset({3261, 18210})
"""Errors of virtual devices, whatever their texts name."""
UNUSABLE: Final = 3261
"""The set was found, and its configuration is none that the server can work with."""
NOT_FOUND: Final = frozenset({2, 3})
ACCESS_DENIED: Final = 5
NO_ROOM: Final = frozenset({8, 14, 112, 1450, 1455})
"""Not enough memory, out of memory, disk full, no system resources, commitment limit."""
ABORTED: Final = 995
"""Somebody ended the work with a set that the server had opened."""

_HRESULT: Final = re.compile(r"0x[0-9A-Fa-f]{8}")
_EXPLAINED: Final = re.compile(r"(?<![0-9A-Za-z.])(-?\d{1,10})\s*[(\uff08]")
_AT_THE_END: Final = re.compile(r"(?<![0-9A-Za-z.])(\d{1,10})\W*$")
_WIN32: Final = 0x80070000
_LOOK: Final = "look for the cause at the server, then run again"
_MAKE_ROOM: Final = "make room at the server, then run again"
_GRANT: Final = "give the login the rights that it lacks"
_WAIT: Final = "leave the server to the run alone, then run again"
_REMEDIES: Final = {
    229: _GRANT,
    262: _GRANT,
    701: "give the server more memory",
    802: "give the server more memory",
    911: "name a database that is there",
    916: _GRANT,
    1105: _MAKE_ROOM,
    1205: _WAIT,
    1222: _WAIT,
    1827: _MAKE_ROOM,
    3021: "run it outside a transaction",
    3023: _WAIT,
    3101: _WAIT,
    3110: _GRANT,
    3257: _MAKE_ROOM,
    4060: _GRANT,
    9002: _MAKE_ROOM,
}
"""What to do about errors that are known; whose they are does not depend on it."""


def all_said(messages: Sequence[StatementMessage]) -> str:
    """Give all that the server said, in one line."""
    return "; ".join(f"{' '.join(one.text.split())} ({one.number})" for one in messages) or "nothing"


def before_the_set(end: StatementEnd, devices: Sequence[str]) -> str | None:
    """Say why a statement failed whose server had not opened the set; None where it says nothing of a set, or had."""
    if end.succeeded or about_the_set(end.messages, devices):
        return None
    return f"the statement came to no set, which wakes no client (Q55): {all_said(end.messages)}; {_remedy(end)}"


def at_the_set(end: StatementEnd, devices: Sequence[str]) -> str | None:
    """Say why a server could not open the set that it looked for; None where that was not so, or it had opened it."""
    spoken = about_the_set(end.messages, devices)
    codes = {code for one in spoken if (code := os_error(one.text, devices)) is not None}
    if end.succeeded or not spoken or ABORTED in codes or any(one.number == UNUSABLE for one in spoken):
        return None
    return f"the server could not open the set: {_cause(codes)}; it said: {all_said(end.messages)}"


def finds_no_set(end: StatementEnd, devices: Sequence[str]) -> bool:
    """Tell whether a statement failed since there was no set when its server looked."""
    spoken = about_the_set(end.messages, devices)
    return not end.succeeded and any(os_error(one.text, devices) in NOT_FOUND for one in spoken)


def of_its_own(end: StatementEnd, devices: Sequence[str]) -> str | None:
    """Say why a BACKUP failed after the configuration, where none of its devices had a part in that.

    What a client does wrong comes to the server through a device, whose name the error then has.
    """
    told = [one for one in end.messages if one.number not in LAST_WORDS]
    if end.succeeded or not told or about_the_set(end.messages, devices):
        return None
    return f"the server ended the BACKUP for a reason that none of its devices has: {all_said(end.messages)}; {_LOOK}"


def lacks_room(end: StatementEnd, devices: Sequence[str]) -> bool:
    """Tell whether a server had no memory for the buffers of the set."""
    spoken = about_the_set(end.messages, devices)
    return not end.succeeded and any(os_error(one.text, devices) in NO_ROOM for one in spoken)


def os_error(text: str, devices: Sequence[str] = ()) -> int | None:
    """Find the operating system's error in a message of any language: a Win32 number, or an HRESULT of another kind."""
    for name in sorted(devices, key=len, reverse=True):
        text = text.replace(name, "")
    if found := _HRESULT.search(text):
        code = int(found[0], 16)
    elif found := _EXPLAINED.search(text) or _AT_THE_END.search(text):
        code = int(found[1]) & 0xFFFFFFFF
    else:
        return None
    return code & 0xFFFF if code & 0xFFFF0000 == _WIN32 else code


def about_the_set(messages: Sequence[StatementMessage], devices: Sequence[str]) -> list[StatementMessage]:
    """Give the messages that speak of the set or its devices, which keep their names in every language."""
    reasons = [one for one in messages if one.number not in LAST_WORDS]
    return [one for one in reasons if one.number in OF_THE_SET or any(name in one.text for name in devices)]


def _cause(codes: set[int]) -> str:
    if ACCESS_DENIED in codes:
        return (
            "access was denied (0x80070005), so its account may not open the shared objects of the client: run both as "
            "one account, or put each account into the other's group, and start the server again"
        )
    if codes & NOT_FOUND:
        return (
            "it was not found (0x80070002), so the server looked for it at another instance or machine than the client "
            "created it for: let both be of the same instance"
        )
    if codes & NO_ROOM:
        return "there was no memory for its buffers: make room in memory and shared memory, then run again"
    return _LOOK


def _remedy(end: StatementEnd) -> str:
    return next((_REMEDIES[one.number] for one in end.messages if one.number in _REMEDIES), _LOOK)
