"""What is wrong with what a client sent."""

from __future__ import annotations


class Malformed(Exception):
    """No TDS that this server reads; the text is a clause that says what is wrong."""
