"""Sockets that listen for clients."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack
from typing import Final

_BACKLOG: Final = 128
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What tells that a machine has an address in its tables, and on none of its networks."""


def listeners_at(host: str, port: int) -> list[socket.socket]:
    """Listen at every address of a host, with one port, which is any that is free where it is 0; an OSError otherwise.

    A name such as localhost stands for addresses of IPv4 and IPv6, and clients differ in which they take first.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    with ExitStack() as made:
        for family, address in dict.fromkeys((family, str(place[0])) for family, _, _, _, place in found):
            try:
                listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
            except OSError as error:
                if error.errno in _NOT_HERE and len(found) > 1:
                    continue
                raise
            listeners.append(made.enter_context(listener))
            listener.setblocking(False)
            port = listener.getsockname()[1]
        made.pop_all()
    if not listeners:
        raise OSError("no address of it is on this machine")
    return listeners
