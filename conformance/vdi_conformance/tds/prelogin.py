"""What is agreed on before a login: above all, how much of a connection is encrypted [MS-TDS 2.2.6.5]."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple

from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.reading import FieldReader

Policy = Literal["none", "optional", "required"]
"""Whether a server can encrypt, and whether everything has to be."""

_VERSION, _ENCRYPTION, _INSTANCE, _THREAD, _MARS = range(5)
_END: Final = 0xFF
_MOST_OPTIONS: Final = 32
_OPTION_SIZE: Final = 5


class Encryption(IntEnum):
    """What either side says of encryption."""

    OFF = 0
    """Of the login alone."""
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


class Agreement(NamedTuple):
    """What the server says of encryption, what is encrypted therefore, and whether the connection can go on."""

    said: Encryption
    extent: Literal["nothing", "login", "everything"]
    goes_on: bool = True


def agree(asked: Encryption, policy: Policy) -> Agreement:
    """Decide on encryption."""
    wants_all = asked in (Encryption.ON, Encryption.REQUIRED)
    if policy == "none":
        return Agreement(Encryption.NOT_SUPPORTED, "nothing", goes_on=not wants_all)
    if asked == Encryption.NOT_SUPPORTED:
        if policy == "required":
            return Agreement(Encryption.REQUIRED, "nothing", goes_on=False)
        return Agreement(Encryption.NOT_SUPPORTED, "nothing")
    if wants_all:
        return Agreement(Encryption.ON, "everything")
    if policy == "required":
        return Agreement(Encryption.REQUIRED, "everything")
    return Agreement(Encryption.OFF, "login")


def encryption_asked(payload: bytes) -> Encryption:
    """Read what a client says of encryption; without a word of it, it can do none."""
    reader = FieldReader(payload)
    found = Encryption.NOT_SUPPORTED
    for _ in range(_MOST_OPTIONS):
        if (option := reader.byte()) == _END:
            return found
        offset, length = (int.from_bytes(reader.take(2), "big") for _ in range(2))
        content = FieldReader(payload, offset).take(length)
        if option == _ENCRYPTION:
            found = _encryption(content)
    raise Malformed(f"a prelogin has at most {_MOST_OPTIONS} options")


def _encryption(content: bytes) -> Encryption:
    if len(content) != 1 or content[0] not in frozenset(Encryption):
        raise Malformed(
            "a prelogin asks for encryption in a way that there is none of, such as by a client's certificate"
        )
    return Encryption(content[0])


def encode_prelogin(encryption: Encryption, version: tuple[int, int, int]) -> bytes:
    """Answer a prelogin; there is one session on a connection, no MARS."""
    major, minor, build = version
    options = {
        _VERSION: bytes([major, minor]) + build.to_bytes(2, "big") + bytes(2),
        _ENCRYPTION: bytes([encryption]),
        _INSTANCE: b"\0",
        _THREAD: b"",
        _MARS: b"\0",
    }
    heads, contents = b"", b""
    start = len(options) * _OPTION_SIZE + 1
    for option, content in options.items():
        heads += bytes([option]) + (start + len(contents)).to_bytes(2, "big") + len(content).to_bytes(2, "big")
        contents += content
    return heads + bytes([_END]) + contents
