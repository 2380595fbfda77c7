"""Logins as they come, and what a session begins with [MS-TDS 2.2.6.4]."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from vdi_conformance.tds.answers import Login, LoginRefused, Message
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import LARGEST_PACKET, SMALLEST_PACKET, USUAL_PACKET
from vdi_conformance.tds.reading import FieldReader, decoded

OLDEST: Final = 0x72000000
NEWEST: Final = 0x74000004
"""TDS 7.4: what is spoken with a client that can do so; from 7.2 on nothing that is sent differs."""
_FIXED: Final = struct.Struct("<IIIIIIBBBBII")
_CHANGES_PASSWORD: Final = 0x01
_HAS_FEATURES: Final = 0x10
_IS_INTEGRATED: Final = 0x80
_LONGEST: Final = 128
"""Characters of each text of a login."""
_MOST_FEATURES: Final = 64
_END: Final = 0xFF


class _Text(IntEnum):
    """The places of a login's texts, in the order in which their positions are told."""

    HOST = 0
    USER = 1
    PASSWORD = 2
    APPLICATION = 3
    SERVER = 4
    EXTENSION = 5
    CLIENT = 6
    LANGUAGE = 7
    DATABASE = 8


_NO_TEXTS: Final = frozenset({_Text.EXTENSION, _Text.PASSWORD})


class Feature(IntEnum):
    """Extensions that make a difference to whether a login can be taken."""

    FEDERATED_LOGIN = 2


class LoginRequest(NamedTuple):
    """What a client wants of its session, and how it wants to prove who it is."""

    login: Login
    version: int
    packet_size: int
    is_integrated: bool
    changes_password: bool
    features: frozenset[int]

    def refusal(self) -> LoginRefused | None:
        """Say why no server without a domain could take it, as SQL Server does; None where one could."""
        if not self.is_readable:
            told = (
                f"The login asks for TDS {_version(self.version)}, and this server speaks 7.2 to 7.4: "
                "raise the version of TDS in the settings of the client."
            )
            return LoginRefused(Message(17832, told, 20, 1))
        if self.is_integrated:
            told = (
                "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."
            )
            return LoginRefused(Message(18452, told, 14, 1))
        if Feature.FEDERATED_LOGIN in self.features or self.changes_password:
            return LoginRefused(Message(18456, f"Login failed for user '{self.login.user}'.", 14, 1))
        return None

    @property
    def is_readable(self) -> bool:
        """Whether the client reads what this server sends."""
        return self.version >= OLDEST

    @property
    def spoken(self) -> int:
        """The version of TDS that is spoken from now on."""
        return min(self.version, NEWEST)


def read_login(payload: bytes) -> LoginRequest:
    """Read LOGIN7."""
    if len(payload) < _FIXED.size:
        raise Malformed("a login is shorter than its fixed fields")
    _, version, wanted, _, _, _, _, flags, _, more_flags, _, _ = _FIXED.unpack_from(payload)
    places = FieldReader(payload, _FIXED.size)
    spans = {kind: (places.number(2), places.number(2)) for kind in _Text}
    texts = {kind: decoded(_span(payload, *spans[kind])) for kind in _Text if kind not in _NO_TEXTS}
    password = _plain(_span(payload, *spans[_Text.PASSWORD]))
    login = Login(texts[_Text.USER], password, texts[_Text.DATABASE], texts[_Text.APPLICATION], texts[_Text.HOST])
    features = _features(payload, *spans[_Text.EXTENSION]) if more_flags & _HAS_FEATURES else frozenset()
    return LoginRequest(
        login,
        version,
        max(SMALLEST_PACKET, min(wanted or USUAL_PACKET, LARGEST_PACKET)),
        bool(flags & _IS_INTEGRATED),
        bool(more_flags & _CHANGES_PASSWORD),
        features,
    )


def _plain(hidden: bytes) -> str:
    swapped = bytes(byte ^ 0xA5 for byte in hidden)
    return decoded(bytes(byte << 4 & 0xF0 | byte >> 4 for byte in swapped))


def _span(payload: bytes, offset: int, length: int) -> bytes:
    if length > _LONGEST:
        raise Malformed(f"a text of a login has at most {_LONGEST} characters, not {length}")
    return FieldReader(payload, offset).take(2 * length)


def _features(payload: bytes, offset: int, length: int) -> frozenset[int]:
    """Read which extensions are asked for; their list is elsewhere in the message."""
    if length < 4:
        raise Malformed("a login says that it asks for extensions, and not where")
    reader = FieldReader(payload, FieldReader(payload, offset).number(4))
    found: set[int] = set()
    for _ in range(_MOST_FEATURES):
        if (feature := reader.byte()) == _END:
            return frozenset(found)
        reader.take(reader.number(4))
        found.add(feature)
    raise Malformed(f"a login asks for at most {_MOST_FEATURES} extensions")


def _version(number: int) -> str:
    return f"{number >> 28}.{number >> 24 & 0xF}"
