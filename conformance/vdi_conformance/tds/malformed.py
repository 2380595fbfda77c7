"""Why a connection cannot go on."""

from __future__ import annotations


class Malformed(Exception):
    """A client has sent what this server cannot go on with; the text is a clause that says why."""
