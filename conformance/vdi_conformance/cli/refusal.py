"""What a verb raises when it cannot do what it was asked to."""

from collections.abc import Iterable

from vdi_conformance.nearest import meant


class Refusal(Exception):
    """The command line asks for what cannot be done: one sentence with the cause and the remedy."""


def unknown(kind: str, word: str, known: Iterable[str]) -> Refusal:
    """Refuse a word that is not known, and name the nearest ones."""
    return Refusal(f"there is no {kind} {word!r}; {meant(word, known)}.")
