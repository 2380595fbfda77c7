"""Where processes of one machine find another one: a Unix socket, or a port of the loopback interface and a secret."""

from __future__ import annotations

import secrets
import socket
from typing import Final

from vdi_conformance.emulator.broker_protocol import LONGEST_SOCKET_PATH

NO_SECRET: Final = ""
"""A Unix socket needs none: its directory keeps others away."""


def listening(path: str, on_port: bool) -> tuple[socket.socket, str | int, str]:
    """Give a socket that is bound, its place, and the secret that those who connect are asked for.

    It is a Unix socket where there are such, its path is short enough, and no port is asked for.
    """
    if hasattr(socket, "AF_UNIX") and not on_port and len(path.encode()) <= LONGEST_SOCKET_PATH:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        return listener, path, NO_SECRET
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, int(listener.getsockname()[1]), secrets.token_hex(16)
