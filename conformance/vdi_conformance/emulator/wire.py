"""How processes and machine talk: lines of JSON over a local stream socket, and where to find the machine.

The file `machine.json` in the directory of the run names the socket: `socket` is the path of a Unix socket;
where there are none it is `port` on the loopback interface, with the `secret` that the first line must show.
A process first opens a lifeline, whose end is the end of the process; then one connection a thread.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Final

ENDPOINT: Final = "machine.json"
LONGEST_SOCKET_PATH: Final = 100
"""A Unix socket's path is cut off a little above 100 bytes."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
decode = json.JSONDecoder().decode


def encode(message: dict[str, Any]) -> bytes:
    """Give the line that a message travels as."""
    return _encode(message).encode("ascii") + b"\n"


def connect(directory: str) -> tuple[socket.socket, str]:
    """Connect to the machine of a run; give the socket and the secret to show."""
    endpoint_file = Path(directory) / ENDPOINT
    try:
        endpoint = json.loads(endpoint_file.read_text("ascii"))
        if "socket" in endpoint:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(endpoint["socket"])
        else:
            connection = socket.create_connection(("127.0.0.1", endpoint["port"]))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise ConnectionError(
            f"No emulated machine answers in {directory}: start a process with the role of machine there first"
        ) from error
    return connection, endpoint["secret"]
