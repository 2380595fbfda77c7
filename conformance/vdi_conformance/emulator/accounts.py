"""Under which account a process runs, and what it may share with others, as systems with owners and groups have it.

What a process makes belongs to its user and to its first group; who has that user or that group may use it too, and so
may the superuser. Where a system does not tell whose a connection is, all processes are taken for one account's.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Final, NamedTuple

E_ACCESSDENIED: Final = 0x80070005
_SUPERUSER: Final = 0


class Account(NamedTuple):
    """The numbers of a user, of its first group, and of its further groups."""

    user: int
    group: int
    groups: frozenset[int] = frozenset()


SUPERUSER: Final = Account(_SUPERUSER, 0)
"""Stands for whoever cannot be told from others too: it may share everything."""

if sys.platform == "linux":
    _CREDENTIALS: Final = struct.Struct("3i")
    _PEER_GROUPS: Final = 59
    _MOST_BYTES: Final = 1024

    def own_account() -> Account:
        """Give the account of this process."""
        return Account(os.geteuid(), os.getegid(), frozenset(os.getgroups()))

    def account_of(connection: socket.socket, own: Account) -> Account:
        """Give the account of the process at the other end."""
        if connection.family != socket.AF_UNIX:
            return SUPERUSER
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, group = _CREDENTIALS.unpack(found)
        return own if user == own.user else Account(user, group, _groups_of(connection))

    def _groups_of(connection: socket.socket) -> frozenset[int]:
        """Give the further groups; none where the kernel does not tell them, or there are more than 256."""
        try:
            found = connection.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _MOST_BYTES)
        except OSError:
            return frozenset()
        return frozenset(struct.unpack(f"{len(found) // 4}I", found))

else:

    def own_account() -> Account:
        """Take all processes for one account's."""
        return SUPERUSER

    def account_of(connection: socket.socket, own: Account) -> Account:
        """Take all processes for one account's."""
        del connection, own
        return SUPERUSER


def in_group(account: Account, group: int | None) -> Account:
    """Give an account as it is in a directory of a group: what a member makes there belongs to the group."""
    is_member = group is not None and (account.user == _SUPERUSER or group in (account.group, *account.groups))
    return account._replace(group=group) if is_member and group is not None else account


def may_share(account: Account, owner: Account) -> bool:
    """Tell whether an account may use what another one has made."""
    return account.user in (_SUPERUSER, owner.user) or owner.group in (account.group, *account.groups)
