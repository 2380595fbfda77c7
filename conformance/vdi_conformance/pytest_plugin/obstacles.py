"""What the first answers of a run say of the account, the instance, the machine, or of two that never meet; pure."""

from collections.abc import Sequence
from typing import Final

from vdi_conformance.harness.server_trouble import ACCESS_DENIED, NO_ROOM, NOT_FOUND, about_the_set, all_said, os_error
from vdi_conformance.harness.worker_session import Parties
from vdi_conformance.host.messages.server import StatementEnd
from vdi_conformance.vdi.hresult import E_ACCESSDENIED, VD_E_INSTANCE_NAME, VD_E_MEMORY, VD_E_SECURITY, name_of

_WIN32: Final = 0x80070000
_NO_RIGHTS: Final = (E_ACCESSDENIED, VD_E_SECURITY)
_NO_ROOM: Final = (VD_E_MEMORY, *(_WIN32 | error for error in NO_ROOM))
_OPENING: Final = "VirtualDeviceSet::Initialize"
"""Stands in what SQL Server says of a set that it could not open, in every language."""
_ALLOCATING: Final = "VirtualDeviceSet::AllocateBuffer"

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


def refused_statement(end: StatementEnd, devices: Sequence[str], parties: Parties, alone: bool) -> str | None:
    """Say why the plainest statement failed before its set was configured, where that is not the library's doing.

    `devices` are the names of the set's, `alone` says that the client has heard nothing. A server that is judged has no
    excuse.
    """
    if parties.judges_server or parties.server is None:
        return None
    said = all_said(end.messages)
    refused = f"{parties.server.reference} cannot run the plainest statement, it says: {said}"
    errors = {os_error(message.text, devices) for message in about_the_set(end.messages, devices)}
    if errors & NO_ROOM or any(_ALLOCATING in message.text for message in end.messages):
        return f"{refused}. So {_ROOM}"
    if ACCESS_DENIED in errors:
        return f"{refused}. So {_RIGHTS}"
    opening = any(_OPENING in message.text for message in end.messages)
    if parties.borrows_server and alone and (opening or errors & NOT_FOUND):
        return (
            f"{parties.client.reference} and {parties.server.reference} never meet: the one has created a set, the "
            f"other found none and says: {said}. Name a server with --server that looks for sets where this client "
            "makes them, of the same library, instance and computer (such as sqlserver), or run what needs no server "
            "with --server none"
        )
    return None
