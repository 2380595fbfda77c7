"""What is tried: a reader of the product, real examples of what it reads, and how these are made hostile."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from random import Random

    Read = Callable[[bytes], bool]
    """Reads an input: true where it was accepted, false where it was refused in words. What it raises is a defect."""
    Mutate = Callable[[Random, Sequence[bytes]], bytes]
    """Makes an input of examples, by the draws of a Random and nothing else."""


_FOREIGN: Final = (
    *("Expected `", "Object missing", "Object contains", "Invalid enum value", "not enough values to unpack"),
    *(
        "too many values to unpack",
        "has no attribute",
        "codec can't decode",
        "invalid literal for",
        "not supported between",
        "Invalid UUID",
    ),
)
"""The words of libraries and of Python, which say nothing to whoever wrote a file."""


class Broken(AssertionError):
    """A reader came to an end, and not to one that is permitted; the text says which rule it broke."""


@dataclass(frozen=True)
class Target:
    """One reader; `opened` gives it for a while, and the directory that it may write to."""

    name: str
    about: str
    examples: Callable[[], Sequence[bytes]]
    mutate: Mutate
    opened: Callable[[Path], AbstractContextManager[Read]]


def alone(read: Read) -> Callable[[Path], AbstractContextManager[Read]]:
    """Open a reader that needs nothing."""
    return lambda _: nullcontext(read)


def refusing(read: Callable[[bytes], object], *refusals: type[Exception]) -> Read:
    """Make a reader of a function that raises one of these, with a sentence, where it refuses."""

    def tried(data: bytes) -> bool:
        try:
            read(data)
        except refusals as error:
            need_a_sentence(str(error))
            return False
        return True

    return tried


def need_a_sentence(said: str) -> None:
    """Have a refusal say something, in words of the suite's own."""
    if not said.strip():
        raise Broken("a refusal says nothing")
    if words := [one for one in _FOREIGN if one in said]:
        raise Broken(f"a refusal is in foreign words: {words[0]}", said)
