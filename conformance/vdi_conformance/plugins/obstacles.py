"""What the first answers of a run say of the account, the instance, the machine, or of two that never meet; pure."""

import re
from collections.abc import Sequence
from typing import Final

from vdi_conformance.host.messages.server import StatementEnd, StatementMessage
from vdi_conformance.suite.bench import Cast
from vdi_conformance.vdi.hresult import E_ACCESSDENIED, VD_E_INSTANCE_NAME, VD_E_MEMORY, VD_E_SECURITY, name_of

_WIN32: Final = 0x80070000
_NO_RIGHTS: Final = (E_ACCESSDENIED, VD_E_SECURITY)
_NO_ROOM: Final = (VD_E_MEMORY, *(_WIN32 | error for error in (8, 14, 112, 1450, 1455)))
"""Those of Windows: not enough memory, out of memory, disk full, no system resources, commitment limit."""
_OPENING: Final = "VirtualDeviceSet::Initialize"
"""Stands in what SQL Server says of a set that it could not open, in every language."""
_ALLOCATING: Final = "VirtualDeviceSet::AllocateBuffer"
_CODE: Final = re.compile(r"0x([0-9A-Fa-f]{8})\b")
_NUMBER: Final = re.compile(r"(?<![\w.])(\d{1,5})\s*\(")
"""The number of an error of the system, before its text in brackets."""

_RIGHTS: Final = (
    "the account lacks rights that VDI asks for: run as an administrator (on Windows elevated), on Linux as the "
    "account of the server or in its group, with a login that has the role sysadmin"
)
_INSTANCE: Final = (
    "there is no such instance of the server on this computer: start the default one, or let the adapter name one "
    "that is there"
)
_ROOM: Final = (
    "there is no room for shared memory: make room (on Linux in /dev/shm and in the temporary directory, on Windows "
    "for the page file), then run again"
)


def refused_creation(code: int, client: str) -> str | None:
    """Say why the plainest set cannot be created, where the code is one of trouble that is not the library's."""
    if code in _NO_RIGHTS:
        why = _RIGHTS
    elif code == VD_E_INSTANCE_NAME:
        why = _INSTANCE
    elif code in _NO_ROOM:
        why = _ROOM
    else:
        return None
    return f"{client} cannot create the plainest set, CreateEx gave {name_of(code)} (0x{code:08X}): {why}"


def refused_statement(end: StatementEnd, cast: Cast, alone: bool) -> str | None:
    """Say why the plainest statement failed before its set was configured, where that is not the library's doing.

    `alone` says that the client has heard nothing. A server that is judged has no excuse.
    """
    if cast.judges_server or cast.server is None:
        return None
    said = "; ".join(f"{' '.join(message.text.split())} ({message.number})" for message in end.messages)
    refused = f"{cast.server.reference} cannot run the plainest statement, it says: {said}"
    codes = _codes(end.messages)
    if codes & set(_NO_ROOM) or any(_ALLOCATING in message.text for message in end.messages):
        return f"{refused}. So {_ROOM}"
    if codes & set(_NO_RIGHTS):
        return f"{refused}. So {_RIGHTS}"
    if cast.borrows_server and alone and any(_OPENING in message.text for message in end.messages):
        return (
            f"{cast.client.reference} and {cast.server.reference} never meet: the one has created a set, the other "
            f"found none and says: {said}. Name a server with --server that looks for sets where this client makes "
            "them, of the same library, instance and computer (such as sqlserver), or run what needs no server with "
            "--server none"
        )
    return None


def _codes(messages: Sequence[StatementMessage]) -> set[int]:
    """Find the HRESULTs, and the errors of the system, in what a server says of a set that it could not use."""
    found = {int(code, 16) for message in messages for code in _CODE.findall(message.text)}
    opening = (message.text for message in messages if _OPENING in message.text)
    return found | {_WIN32 | int(number) for text in opening for number in _NUMBER.findall(text)}
