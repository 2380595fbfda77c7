"""How processes and broker talk: lines of fields over a local stream socket, and where to find the broker.

A line is fields between blanks: a decimal number, `-` for a null pointer, or `x` and the hexadecimal form of a
text's UTF-8. A request is its name, the number of the object in its process, and the arguments; an answer is the
HRESULT and the out values. On one connection each request is answered before the next one is made. What is no such
request is answered with `-` and a sentence, and the connection ends.

A process first opens its lifeline, `lifeline SECRET`, is told its number, and keeps the connection for as long as
it lives: its end is the end of the process. Then each of its threads has a connection, `thread SECRET NUMBER`.
Whoever begins otherwise, or with another secret, hears nothing before the connection ends.

Shared memory does not travel: area N is the file `area-N` in the directory of the run.

The file `broker.endpoint` in the directory of the run holds two fields: the path of a Unix socket, or the port
on the loopback interface where there are none, and the secret.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDPOINT: Final = "broker.endpoint"
LONGEST_LINE: Final = 1 << 20
"""Bytes: far more than any call needs, and little enough to be kept for a peer that never ends its line."""
LONGEST_SOCKET_PATH: Final = 100
"""A Unix socket's path is cut off a little above 100 bytes."""


def encode_request(name: str, fields: Iterable[int | str | None]) -> bytes:
    """Give the line that a request travels as."""
    return f"{name} ".encode("ascii") + encode(fields)


def encode(fields: Iterable[int | str | None]) -> bytes:
    """Give the line that fields travel as."""
    return " ".join([_field(value) for value in fields]).encode("ascii") + b"\n"


def _field(value: int | str | None) -> str:
    if value is None:
        return "-"
    return f"x{value.encode('utf-8', 'surrogatepass').hex()}" if isinstance(value, str) else f"{value:d}"


def encode_refusal(sentence: str) -> bytes:
    """Give the answer to what is no request."""
    return encode((None, sentence))


def decode_answer(line: bytes) -> list[Any]:
    """Give the HRESULT and the out values of an answer; ConnectionError where the broker refused to make the call."""
    fields = decode(line)
    if fields[0] is None:
        raise ConnectionError(f"The emulated broker refused a call, since {fields[1]}")
    return fields


def decode_request(line: bytes) -> tuple[str, list[Any]]:
    """Give the name and the fields of a request; ValueError where it is none."""
    name, _, fields = line.partition(b" ")
    return name.decode("ascii"), decode(fields)


def decode(line: bytes) -> list[Any]:
    """Give the fields of a line: numbers, texts and None; ValueError where it is no such line."""
    return [_text(field) if field[0] == "x" or field == "-" else int(field) for field in line.decode("ascii").split()]


def _text(field: str) -> str | None:
    return None if field == "-" else bytes.fromhex(field[1:]).decode("utf-8", "surrogatepass")


class Endpoint(NamedTuple):
    """Where a broker listens, a path or a port, and the secret that it wants to be shown."""

    directory: str
    place: str | int
    secret: str


def find(directory: str) -> Endpoint:
    """Find the broker of a run."""
    try:
        with open(f"{directory}/{ENDPOINT}", "rb") as file:  # noqa: PTH123 - each process asks, and pathlib is slow
            fields = decode(file.read())
        match fields:
            case [str() as place, str() as secret]:
                return Endpoint(directory, place, secret)
            case [int(port), str() as secret] if 0 < port < 1 << 16:
                return Endpoint(directory, port, secret)
    except (FileNotFoundError, ValueError) as error:
        raise _no_broker(directory) from error
    raise _no_broker(directory)


def connect(endpoint: Endpoint) -> socket.socket:
    """Connect to a broker."""
    place = endpoint.place
    try:
        if isinstance(place, str):
            connection = _connect_unix(place)
        else:
            connection = socket.create_connection(("127.0.0.1", place))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise _no_broker(endpoint.directory) from error
    return connection


def _no_broker(directory: str) -> ConnectionError:
    return ConnectionError(
        f"No emulated broker answers in {directory}: start a process with the role of broker there first"
    )


def _connect_unix(path: str) -> socket.socket:
    if sys.platform == "win32":
        raise ConnectionError(f"The broker at {path} runs on another system: start it with this Python")
    else:  # noqa: RET506 - type checkers pass over this branch on Windows, where the family does not exist
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            raise
        return connection
