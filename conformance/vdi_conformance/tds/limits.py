"""What clients may cost a server that speaks TDS."""

from __future__ import annotations

from typing import Final, NamedTuple


class TdsLimits(NamedTuple):
    """Bounds on connections, on time and on sizes; sizes are in bytes unless said otherwise."""

    strangers: int = 64
    """Connections at once whose login has not come; the one that came first has to go."""
    sessions: int = 256
    """At once."""
    seconds_to_log_in: float = 10.0
    """From the connection on."""
    seconds_to_part: float = 1.0
    """How long a client that is told of its end may take to hang up."""
    seconds_to_close: float = 10.0
    """How long the sessions of a server that closes may take to end."""
    prelogin: int = 16 * 1024
    """Of a message before the login, its handshake included."""
    login: int = 128 * 1024
    request: int = 16 * 1024 * 1024
    parameters: int = 2100
    """Of one call."""
    statements: int = 4096
    """Prepared ones of one session."""
    prepared: int = 16 * 1024 * 1024
    """Characters of all prepared statements of one session."""


LIMITS: Final = TdsLimits()
